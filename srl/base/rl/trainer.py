"""Trainer: takes batches from the Memory and improves the Parameter."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from srl.base.info import Info
from srl.base.rl.config import RLConfig
from srl.base.rl.hook_flags import accepted
from srl.base.rl.memory import RLMemory
from srl.base.rl.parameter import RLParameter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from srl.base.context import RunContext

TConfig = TypeVar("TConfig", bound=RLConfig[Any, Any])
TParameter = TypeVar("TParameter", bound=RLParameter[Any])
TMemory = TypeVar("TMemory", bound=RLMemory[Any])


class RLTrainer(ABC, Generic[TConfig, TParameter, TMemory]):
    """Base of trainers. Override `train`, and `on_setup` instead of the constructor."""

    def __init__(self, config: TConfig, parameter: TParameter, memory: TMemory) -> None:
        self.config = config
        self.parameter = parameter
        self.memory = memory
        self.train_count: int = 0
        self._info = Info()
        self._context: RunContext | None = None
        self._is_running = False
        self._kept: Any = None
        """Outside of a run, the state that the next one begins with."""

    def on_setup(self) -> None:
        """Prepare for a run."""

    def on_teardown(self) -> None:
        """Release what `on_setup` took."""

    @abstractmethod
    def train(self) -> None:
        """Train once.

        Called after each environment step, or in a loop when training is distributed. Take a batch from
        `self.memory`, return when there is none, and add to `self.train_count` the number of updates made.
        """
        raise NotImplementedError

    def call_backup(self, **kwargs: Any) -> Any:
        """Return a copy of what training keeps beside the Parameter, such as an optimizer's state; None: nothing.

        It goes into checkpoints and to a learner that takes over, so that it consists of what can travel: None,
        numbers, str, bytes, list, tuple, dict and numpy arrays. Called between two calls of `train`, or at the end
        of a run before `on_teardown`. A method that declares the keyword `serialized` gets True.
        """
        return None

    def call_restore(self, data: Any, **kwargs: Any) -> None:
        """Take over what `call_backup` returned; called right after `on_setup`, in which an optimizer may be made.

        A method that declares the keyword `from_serialized` gets True.
        """

    @property
    def info(self) -> Info:
        """Values to show beside the progress, by name."""
        return self._info

    @info.setter
    def info(self, values: Mapping[str, Any]) -> None:
        self._info = Info.of(values)

    @property
    def context(self) -> RunContext:
        """The settings of this run. Set from `on_setup` on."""
        if self._context is None:
            raise RuntimeError("a trainer has a context only during a run, from on_setup on")
        return self._context

    @property
    def distributed(self) -> bool:
        """Tell whether Memory and Worker are in other processes."""
        return self.context.distributed

    @property
    def train_only(self) -> bool:
        """Tell whether this run trains without acting."""
        return self.context.train_only

    def get_train_count(self) -> int:
        return self.train_count

    def setup(self, context: RunContext) -> None:
        """Begin a run with the state in which the last one ended, or that was restored since."""
        kept = self.backup()
        self._is_running = False
        self._context = context
        self.on_setup()
        self._is_running = True
        self.restore(kept)

    def teardown(self) -> None:
        """End a run."""
        self._kept = self.backup()
        self._is_running = False
        self.on_teardown()

    def backup(self) -> Any:
        """Return a copy of the state, None when there is none."""
        if not self._is_running:
            return self._kept
        return self.call_backup(**accepted(self.call_backup, {"serialized": True}))

    def restore(self, data: Any) -> None:
        """Take over what `backup` returned, between runs for the next one; None leaves the state as it is."""
        if data is None:
            return
        if self._is_running:
            self.call_restore(data, **accepted(self.call_restore, {"from_serialized": True}))
        else:
            self._kept = data


class DummyRLTrainer(RLTrainer[RLConfig[Any, Any], RLParameter[Any], RLMemory[Any]]):
    """The trainer of an algorithm that learns nothing."""

    def train(self) -> None:
        pass
