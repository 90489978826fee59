"""Runner: the front door."""

from __future__ import annotations

from typing import Any

from srl.runner.distribution import DistributionMixin
from srl.runner.human_play import HumanPlayMixin
from srl.runner.mlflow_settings import MlflowMixin
from srl.runner.play import PlayMixin
from srl.utils.usage import UsageError, short_traceback

_PLAYERS = ("players", "shuffle_player")
_SETTINGS_BY_PLAY_MODE = {
    "train": (
        "max_episodes", "timeout", "max_steps", "max_train_count", "max_memory", *_PLAYERS,
        "train_interval", "train_repeat",
    ),
    "rollout": ("max_episodes", "timeout", "max_steps", "max_memory", *_PLAYERS),
    "train_only": ("timeout", "max_train_count"),
    "train_mp": ("actor_num", "actor_devices", "timeout", "max_train_count", *_PLAYERS),
    "evaluate": ("max_episodes", "timeout", "max_steps", *_PLAYERS),
}  # fmt: skip
"""By method: the settings of `context` that it takes as arguments."""


class Runner(DistributionMixin, PlayMixin, MlflowMixin, HumanPlayMixin):
    """Trains, evaluates and shows an algorithm in an environment.

        runner = srl.Runner("Grid", ql.Config())
        runner.train(timeout=10)
        print(runner.evaluate())
        runner.render_terminal()

    What it has learned stays in `runner.parameter`, and runs go on from there.
    """

    @short_traceback
    def play(self) -> Any:
        """Do the run that `context.play_mode` names, with the settings of `context`; return what that run returns.

            srl.load("run.yaml").play()

        Raises UsageError for a play mode that is none of train, rollout, train_only, train_mp and evaluate.
        """
        mode = self.context.play_mode
        if mode not in _SETTINGS_BY_PLAY_MODE:
            known = ", ".join(_SETTINGS_BY_PLAY_MODE)
            raise UsageError(f"context.play_mode '{mode}' is none of {known}: set one, in the file or on the context")
        settings = {name: getattr(self.context, name) for name in _SETTINGS_BY_PLAY_MODE[mode]}
        return getattr(self, mode)(**settings, callbacks=self.context.callbacks)
