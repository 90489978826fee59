"""A person as a player."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from srl.base.define import DoneTypes
from srl.base.rl.algorithms.extend_worker import ExtendWorker
from srl.base.rl.config import DummyRLConfig
from srl.base.rl.worker import DummyRLWorker

if TYPE_CHECKING:
    from srl.base.rl.config import RLConfig
    from srl.base.rl.memory import RLMemory
    from srl.base.rl.parameter import RLParameter
    from srl.base.rl.worker import RLWorkerGeneric
    from srl.base.rl.worker_run import WorkerRun

Choose = Callable[["WorkerRun"], Any]
"""Returns the environment's action for the state that the worker is in, or None to give up."""


class Person(DummyRLWorker):
    """Plays what the person chooses. Giving up ends the episode."""

    def __init__(self, choose: Choose) -> None:
        super().__init__(DummyRLConfig())
        self._choose = choose

    def policy(self, worker: WorkerRun) -> Any:
        action = self._choose(worker)
        return _give_up(worker) if action is None else action


class Demonstrator(ExtendWorker):
    """Plays what the person chooses, and lets the algorithm's Worker believe that it had chosen that.

    So the Worker adds to the Memory what came of it.
    """

    def __init__(
        self,
        choose: Choose,
        worker: RLWorkerGeneric[Any, Any, Any, Any, Any, Any, Any],
        config: RLConfig[Any, Any],
        parameter: RLParameter[Any],
        memory: RLMemory[Any],
    ) -> None:
        super().__init__(worker, config, parameter, memory)
        self._choose = choose

    def policy(self, worker: WorkerRun) -> Any:
        self.rl_worker.policy(worker)  # what it notes down there, `on_step` may want
        action = self._choose(worker)
        return _give_up(worker) if action is None else worker.override_action(action)

    def on_step(self, worker: WorkerRun) -> None:
        if worker.done_type is not DoneTypes.ABORT:  # the turn in which the person gave up never came to be
            super().on_step(worker)


def _give_up(worker: WorkerRun) -> Any:
    worker.abort_episode()
    return worker.config.action_space.get_default()
