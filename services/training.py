"""The objects of a job in one service: environment, configuration, Memory, Parameter, Trainer, Workers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from srl.base.env.registration import make
from srl.utils.device import actor_device

if TYPE_CHECKING:
    from services.jobs.job import Job
    from srl.base.context import RunContext
    from srl.base.env.env_run import EnvRun
    from srl.base.rl.config import RLConfig
    from srl.base.rl.memory import RLMemory
    from srl.base.rl.parameter import RLParameter
    from srl.base.rl.trainer import RLTrainer
    from srl.base.rl.worker_run import WorkerRun

NO_LIMITS: dict[str, Any] = {
    "max_episodes": 0,
    "timeout": 0,
    "max_steps": 0,
    "max_train_count": 0,
    "max_memory": 0,
}


class Training:
    """What a service makes of a job.

    Args:
        job: what to train.
        actor_num, actor_id: of an actor; for others the author's `setup_from_actor` is not called.
    """

    def __init__(self, job: Job, actor_num: int = 0, actor_id: int = 0) -> None:
        self._context = replace(job.make_context(), distributed=True, training=True)
        assert self._context.env_config is not None
        assert self._context.rl_config is not None
        self.config: RLConfig[Any, Any] = self._context.rl_config
        self.env: EnvRun = make(self._context.env_config)
        self.config.setup(self.env, enable_log=False)
        self.config.use_device(self._context.device)
        if actor_num > 0:
            self.config.use_device(actor_device(self._context.actor_devices, actor_id))
            self.config.setup_from_actor(actor_num, actor_id)
            self._context = replace(self._context, actor_num=actor_num, actor_id=actor_id)

    def make_memory(self) -> RLMemory[Any]:
        return self.config.make_memory()

    def make_parameter(self) -> RLParameter[Any]:
        return self.config.make_parameter()

    def make_trainer(self, parameter: RLParameter[Any], memory: Any) -> RLTrainer[Any, Any, Any]:
        return self.config.make_trainer(parameter, memory)

    def make_workers(self, parameter: RLParameter[Any], memory: Any) -> tuple[list[WorkerRun], int]:
        return self.config.make_workers(self._context.players, self.env, parameter, memory)

    def actor_context(self) -> RunContext:
        """Return the context of an actor: it plays until it is asked to stop, each with random numbers of its own."""
        seed = self._context.seed
        if seed is not None:
            seed = int(np.random.SeedSequence((seed, self._context.actor_id)).generate_state(1)[0])
        return replace(self._context, **NO_LIMITS, run_name="actor", disable_trainer=True, seed=seed)

    def memory_context(self) -> RunContext:
        """Return the context of a memory service: it serves until it is asked to stop."""
        return replace(self._context, **NO_LIMITS, run_name="memory")

    def learner_context(self, train_count: int, elapsed_s: float) -> RunContext:
        """Return the context of a learner that resumes at `train_count` after `elapsed_s` of training."""
        limits: dict[str, Any] = dict(NO_LIMITS)
        if self._context.max_train_count > 0:
            limits["max_train_count"] = self._context.max_train_count - train_count
        if self._context.timeout > 0:
            limits["timeout"] = self._context.timeout - elapsed_s
        return replace(self._context, **limits, run_name="trainer")
