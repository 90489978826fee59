"""Worker: chooses actions, and tells the Memory what came of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from srl.base.info import Info
from srl.base.rl.config import RLConfig
from srl.base.rl.memory import DummyRLMemory, RLMemory
from srl.base.rl.parameter import DummyRLParameter, RLParameter

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt

    from srl.base.context import RunContext, RunState
    from srl.base.env.env_run import EnvRun
    from srl.base.rl.worker_run import WorkerRun

TConfig = TypeVar("TConfig", bound=RLConfig[Any, Any])
TParameter = TypeVar("TParameter", bound=RLParameter[Any])
TMemory = TypeVar("TMemory", bound=RLMemory[Any])
TActSpace = TypeVar("TActSpace")
TActType = TypeVar("TActType")
TObsSpace = TypeVar("TObsSpace")
TObsType = TypeVar("TObsType")


class RLWorkerGeneric(ABC, Generic[TConfig, TParameter, TMemory, TActSpace, TActType, TObsSpace, TObsType]):
    """Base of workers, with types for actions and states. Override `policy`, and what else is needed."""

    def __init__(self, config: TConfig, parameter: TParameter | None = None, memory: TMemory | None = None) -> None:
        self.config = config
        self.parameter = parameter if parameter is not None else cast("TParameter", DummyRLParameter(config))
        self.memory = memory if memory is not None else cast("TMemory", DummyRLMemory(config))
        self._info = Info()
        self._worker: WorkerRun | None = None
        self.training = False
        """Whether this run trains."""
        self.distributed = False
        """Whether Memory and Trainer are in other processes."""
        self.rendering = False
        """Whether this run is drawn."""
        self.rollout = False
        """Whether this run only fills the memory."""
        self.train_only = False

    # --- to define

    def on_setup(self, worker: WorkerRun, context: RunContext) -> None:
        """Prepare for a run."""

    def on_teardown(self, worker: WorkerRun) -> None:
        """Release what `on_setup` took."""

    def on_reset(self, worker: WorkerRun) -> None:
        """Begin an episode: at this player's first turn."""

    @abstractmethod
    def policy(self, worker: WorkerRun) -> TActType:
        """Return the action for `worker.state`, which is in `self.action_space`."""
        raise NotImplementedError

    def on_step(self, worker: WorkerRun) -> None:
        """Take note of what the action led to. `WorkerRun` says which values hold here."""

    def render_terminal(self, worker: WorkerRun, **kwargs: Any) -> None:
        """Print what the worker thinks of the current state."""

    def render_rgb_array(self, worker: WorkerRun, **kwargs: Any) -> npt.NDArray[np.uint8] | None:
        """Return a picture of what the worker thinks, uint8 (height, width, 3), or None."""
        return None

    # --- to use

    @property
    def info(self) -> Info:
        """Values to show beside the progress, by name."""
        return self._info

    @info.setter
    def info(self, values: Mapping[str, Any]) -> None:
        self._info = Info.of(values)

    @property
    def observation_space(self) -> TObsSpace:
        """The space of `worker.state`."""
        return cast("TObsSpace", self.config.observation_space)

    @property
    def action_space(self) -> TActSpace:
        """The space of the actions that `policy` returns."""
        return cast("TActSpace", self.config.action_space)

    @property
    def worker(self) -> WorkerRun:
        """What runs this worker. Raises RuntimeError before it is in an environment."""
        if self._worker is None:
            raise RuntimeError(f"{type(self).__name__} is in no environment; use it through make_worker(...)")
        return self._worker

    @property
    def env(self) -> EnvRun:
        return self.worker.env

    @property
    def context(self) -> RunContext:
        """The settings of this run."""
        return self.worker.context

    @property
    def run_state(self) -> RunState | None:
        """Where the run stands; None outside a run."""
        return self.worker.run_state

    @property
    def player_index(self) -> int:
        return self.worker.player_index

    @property
    def step_in_training(self) -> int:
        """Steps of this worker since the run began."""
        return self.worker.step_in_training

    @property
    def step_in_episode(self) -> int:
        """Steps of this worker since the episode began."""
        return self.worker.step_in_episode

    @property
    def train_count(self) -> int:
        """Updates made in this run, as far as this process knows."""
        return self.worker.train_count

    @property
    def max_episode_steps(self) -> int:
        return self.env.max_episode_steps

    @property
    def player_num(self) -> int:
        return self.env.player_num

    @property
    def step(self) -> int:
        """Environment steps since the episode began."""
        return self.env.step_num

    def sample_action(self) -> TActType:
        """Return a valid action at random."""
        return cast("TActType", self.worker.sample_action())

    def get_invalid_actions(self) -> list[TActType]:
        """Return the actions that are not allowed in this turn (discrete actions only)."""
        return cast("list[TActType]", self.worker.invalid_actions)

    def terminated(self) -> None:
        """End the episode as truncated, with the reason "rl"."""
        self.worker.truncate_episode("rl")

    def attach(self, worker: WorkerRun) -> None:
        """Become the worker that `worker` runs."""
        self._worker = worker

    def begin_run(self, worker: WorkerRun, context: RunContext) -> None:
        """Take over the flags of a run, then `on_setup`."""
        self.training = context.training
        self.distributed = context.distributed
        self.rendering = context.rl_render_mode != ""
        self.rollout = context.rollout
        self.train_only = context.train_only
        self.on_setup(worker, context)


class RLWorker(
    RLWorkerGeneric[TConfig, TParameter, TMemory, Any, Any, Any, Any], Generic[TConfig, TParameter, TMemory]
):
    """Base of workers. Override `policy`, and what else is needed."""


class DummyRLWorker(RLWorker[RLConfig[Any, Any], RLParameter[Any], RLMemory[Any]]):
    """Plays at random."""

    def policy(self, worker: WorkerRun) -> Any:
        return worker.sample_action()
