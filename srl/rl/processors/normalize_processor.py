"""Numbers scaled from their bounds to a common range."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from srl.base.define import SpaceTypes
from srl.base.rl.processor import RLProcessor
from srl.base.spaces.array_continuous import ArrayContinuousSpace
from srl.base.spaces.array_discrete import ArrayDiscreteSpace
from srl.base.spaces.box import BoxSpace
from srl.base.spaces.continuous import ContinuousSpace
from srl.base.spaces.discrete import DiscreteSpace
from srl.base.spaces.np_array import NpArraySpace

if TYPE_CHECKING:
    from srl.base.spaces.space import SpaceBase

_Make = Callable[[float, float], "SpaceBase[Any]"]


@dataclass
class NormalizeProcessor(RLProcessor):
    """Scales observations linearly, so that their bounds become those of `feature_range`.

    Observations without bounds, texts and mixed ones it leaves alone. A number that has only one value
    becomes the lower end.
    """

    feature_range: tuple[float, float] = (-1, 1)

    def remap_observation_space(self, prev_space: SpaceBase[Any], **kwargs: Any) -> SpaceBase[Any] | None:
        """Return the space of the scaled values, or None. Raises ValueError for a range without extent."""
        low, high = self.feature_range
        if not low < high:
            raise ValueError(f"feature_range is {self.feature_range}; its first number must be the lower one")
        make = _scaled_space(prev_space)
        if make is None or not np.all(np.isfinite(_bounds(prev_space))):
            return None
        return make(low, high)

    def remap_observation(
        self, state: Any, prev_space: SpaceBase[Any], new_space: SpaceBase[Any], **kwargs: Any
    ) -> Any:
        """Return the value, scaled."""
        low, high = _bounds(prev_space)
        target_low, target_high = self.feature_range
        extent = np.where(high > low, high - low, 1)
        part = (np.asarray(state, np.float64) - low) / extent
        return new_space.sanitize(_plain(target_low + part * (target_high - target_low), new_space))


def _scaled_space(space: SpaceBase[Any]) -> _Make | None:
    if isinstance(space, DiscreteSpace | ContinuousSpace):
        return ContinuousSpace
    if isinstance(space, ArrayContinuousSpace):
        return lambda low, high: ArrayContinuousSpace(space.size, low, high)
    if isinstance(space, ArrayDiscreteSpace | NpArraySpace):
        return lambda low, high: NpArraySpace(space.size, low, high)
    if isinstance(space, BoxSpace):
        stype = space.stype if SpaceTypes.is_image(space.stype) else SpaceTypes.CONTINUOUS
        return lambda low, high: BoxSpace(space.shape, low, high, np.float32, stype)
    return None


def _bounds(space: Any) -> tuple[Any, Any]:
    if isinstance(space, DiscreteSpace):
        return np.float64(space.start), np.float64(space.start + space.n - 1)
    return np.asarray(space.low, np.float64), np.asarray(space.high, np.float64)


def _plain(value: Any, space: SpaceBase[Any]) -> Any:
    if isinstance(space, ContinuousSpace):
        return float(value)
    return value.tolist() if isinstance(space, ArrayContinuousSpace) else value
