"""ExtendWorker: a worker around the worker of any algorithm."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any

from srl.base.rl.config import RLConfig
from srl.base.rl.memory import RLMemory
from srl.base.rl.parameter import RLParameter
from srl.base.rl.worker import RLWorker, RLWorkerGeneric

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from srl.base.context import RunContext
    from srl.base.rl.worker_run import WorkerRun


class ExtendWorker(RLWorker[RLConfig[Any, Any], RLParameter[Any], RLMemory[Any]], ABC):
    """Hands every hook on to `rl_worker`. Override `policy`, and call `self.rl_worker.policy(worker)` in it.

    Chosen with `rl_config.extend_worker = MyExtendWorker`.
    """

    def __init__(
        self,
        worker: RLWorkerGeneric[Any, Any, Any, Any, Any, Any, Any],
        config: RLConfig[Any, Any],
        parameter: RLParameter[Any] | None = None,
        memory: RLMemory[Any] | None = None,
    ) -> None:
        super().__init__(config, parameter, memory)
        self.rl_worker = worker

    def attach(self, worker: WorkerRun) -> None:
        super().attach(worker)
        self.rl_worker.attach(worker)

    def begin_run(self, worker: WorkerRun, context: RunContext) -> None:
        self.rl_worker.begin_run(worker, context)
        super().begin_run(worker, context)

    def on_teardown(self, worker: WorkerRun) -> None:
        self.rl_worker.on_teardown(worker)

    def on_reset(self, worker: WorkerRun) -> None:
        self.rl_worker.on_reset(worker)

    def on_step(self, worker: WorkerRun) -> None:
        self.rl_worker.on_step(worker)

    def render_terminal(self, worker: WorkerRun, **kwargs: Any) -> None:
        self.rl_worker.render_terminal(worker=worker, **kwargs)

    def render_rgb_array(self, worker: WorkerRun, **kwargs: Any) -> npt.NDArray[np.uint8] | None:
        return self.rl_worker.render_rgb_array(worker=worker, **kwargs)
