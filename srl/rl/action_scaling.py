"""Actions of a policy whose bounds are -1 and 1, in the units of an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from srl.base.spaces.np_array import NpArraySpace


class ActionScaling:
    """Maps -1 to `low` and 1 to `high` of a space, element by element.

    An element with an infinite bound keeps its own unit. What lies outside the space is moved to its border, and
    rounded where the space holds whole numbers.
    """

    def __init__(self, space: NpArraySpace) -> None:
        bounded = is_bounded(space)
        low = np.where(bounded, space.low, -1.0)
        high = np.where(bounded, space.high, 1.0)
        self._center = ((high + low) / 2).astype(np.float32)
        self._half_range = ((high - low) / 2).astype(np.float32)
        self._low, self._high, self._dtype = space.low, space.high, space.dtype
        self._is_integer = space.is_integer()

    def to_space(self, action: NDArray[np.float32]) -> NDArray[Any]:
        """Return the space's action for one of the policy."""
        value = self._center + self._half_range * action
        if self._is_integer:
            value = np.rint(value)
        return np.asarray(np.minimum(np.maximum(value, self._low), self._high), self._dtype)


def is_bounded(space: NpArraySpace) -> NDArray[np.bool_]:
    """Tell of each element whether both of its bounds are finite."""
    return np.asarray(np.isfinite(space.low) & np.isfinite(space.high))
