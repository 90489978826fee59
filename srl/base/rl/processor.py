"""Processor: a step between the environment's observation and the algorithm's."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeAlias

if TYPE_CHECKING:
    from srl.base.spaces.space import SpaceBase


@dataclass
class RLProcessor(ABC):
    """Base of processors.

    A subclass that changes values, not only the space, also defines
    `remap_observation(self, state, prev_space, new_space, env_run, rl_config)`, which returns the new value.
    """

    @abstractmethod
    def remap_observation_space(self, prev_space: SpaceBase[Any], **kwargs: Any) -> SpaceBase[Any] | None:
        """Return the space of the new values, or None when this processor does not apply to `prev_space`.

        Keywords: `env_run`, `rl_config`.
        """
        raise NotImplementedError

    def copy(self) -> Self:
        """Return an independent copy; each configuration that is set up works with its own."""
        return copy.deepcopy(self)


Processor: TypeAlias = RLProcessor
