"""The dtype and the scale of the arrays that an algorithm gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from srl.base.exception import NotSupportedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from srl.base.spaces.flat import Flat
    from srl.base.spaces.space import SpaceBase, SpaceEncodeOptions

_DEFAULT_DTYPE = "float32"
_TARGETS = {"0to1": (0.0, 1.0), "-1to1": (-1.0, 1.0)}


@dataclass(frozen=True)
class Scaling:
    """array = (number - offset) / span + base, as `dtype`; whole numbers are rounded on the way back."""

    dtype: np.dtype[Any]
    integer: bool
    offset: NDArray[np.float64] | None = None
    span: NDArray[np.float64] | float = 1.0
    base: float = 0.0

    @classmethod
    def of(cls, space: SpaceBase[Any], flat: Flat, options: SpaceEncodeOptions) -> Self:
        """Return what the options ask for. Raises NotSupportedError to scale infinite bounds."""
        dtype = np.dtype(options.cast_dtype or _DEFAULT_DTYPE) if options.cast else flat.dtype
        if options.np_norm_type:
            return cls._normalized(space, flat, options, dtype)
        if options.np_zero_start and flat.integer and any(flat.low):
            return cls(dtype, flat.integer, _array(flat.low, flat))
        return cls(dtype, flat.integer)

    @classmethod
    def _normalized(cls, space: SpaceBase[Any], flat: Flat, options: SpaceEncodeOptions, dtype: np.dtype[Any]) -> Self:
        if not flat.is_finite:
            raise NotSupportedError(
                f"{space} has infinite bounds: it cannot be scaled to {options.np_norm_type}. "
                "Set np_norm_type to '', or give the space finite bounds"
            )
        low, high = _TARGETS[options.np_norm_type]
        lowest, highest = _array(flat.low, flat), _array(flat.high, flat)
        width = np.where(highest > lowest, highest - lowest, 1.0)
        fractional = dtype if np.issubdtype(dtype, np.floating) else np.dtype(_DEFAULT_DTYPE)
        return cls(fractional, flat.integer, lowest, width / (high - low), low)

    def forward(self, array: NDArray[Any]) -> NDArray[Any]:
        """Scale an array of the space."""
        if self.offset is None:
            return np.asarray(array, self.dtype)
        return ((array - self.offset) / self.span + self.base).astype(self.dtype)

    def keeps(self, dtype: np.dtype[Any]) -> bool:
        """Tell whether an array of `dtype` comes out as it went in."""
        return self.offset is None and self.dtype == dtype

    def backward(self, array: NDArray[Any]) -> NDArray[Any]:
        """Undo `forward`."""
        if self.offset is not None:
            array = (array - self.base) * self.span + self.offset
        return np.rint(array).astype(np.int64) if self.integer else array


def _array(row: list[float], flat: Flat) -> NDArray[np.float64]:
    return np.array(row, np.float64).reshape(flat.shape)
