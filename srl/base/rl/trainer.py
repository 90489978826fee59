"""Trainer: takes batches from the Memory and improves the Parameter."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from srl.base.info import Info
from srl.base.rl.config import RLConfig
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
        """Begin a run."""
        self._context = context
        self.on_setup()

    def teardown(self) -> None:
        """End a run."""
        self.on_teardown()


class DummyRLTrainer(RLTrainer[RLConfig[Any, Any], RLParameter[Any], RLMemory[Any]]):
    """The trainer of an algorithm that learns nothing."""

    def train(self) -> None:
        pass
