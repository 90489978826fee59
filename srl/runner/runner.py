"""Runner: the front door."""

from __future__ import annotations

from srl.runner.distributed import DistributedMixin
from srl.runner.human_play import HumanPlayMixin
from srl.runner.play import PlayMixin
from srl.runner.render import RenderMixin


class Runner(DistributedMixin, PlayMixin, RenderMixin, HumanPlayMixin):
    """Trains, evaluates and shows an algorithm in an environment.

        runner = srl.Runner("Grid", ql.Config())
        runner.train(timeout=10)
        print(runner.evaluate())
        runner.render_terminal()

    What it has learned stays in `runner.parameter`, and runs go on from there.
    """
