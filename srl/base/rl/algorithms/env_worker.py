"""EnvWorker: a rule-based player that an environment brings along."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from srl.base.rl.config import DummyRLConfig, RLConfig
from srl.base.rl.memory import RLMemory
from srl.base.rl.parameter import RLParameter
from srl.base.rl.worker import RLWorker

if TYPE_CHECKING:
    from srl.base.env.env_run import EnvRun
    from srl.base.rl.worker_run import WorkerRun


class EnvWorker(RLWorker[RLConfig[Any, Any], RLParameter[Any], RLMemory[Any]]):
    """Plays by looking at the environment itself. Override `call_policy`."""

    def __init__(
        self,
        config: RLConfig[Any, Any] | None = None,
        parameter: RLParameter[Any] | None = None,
        memory: RLMemory[Any] | None = None,
    ) -> None:
        super().__init__(config if config is not None else DummyRLConfig(), parameter, memory)

    def call_on_reset(self, env: EnvRun) -> None:
        """Begin an episode."""

    @abstractmethod
    def call_policy(self, env: EnvRun) -> Any:
        """Return the environment's action for the player whose turn it is."""
        raise NotImplementedError

    def call_on_step(self, env: EnvRun) -> None:
        """Take note of what the action led to."""

    def on_reset(self, worker: WorkerRun) -> None:
        self.call_on_reset(worker.env)

    def policy(self, worker: WorkerRun) -> Any:
        return self.call_policy(worker.env)

    def on_step(self, worker: WorkerRun) -> None:
        self.call_on_step(worker.env)
