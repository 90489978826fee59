"""What spaces of numpy arrays have in common: NpArraySpace and BoxSpace."""

from __future__ import annotations

import random
from operator import le
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from srl.base.define import SpaceTypes
from srl.base.spaces.scalars import is_bound
from srl.base.spaces.space import SpaceBase

_FEW = 32
"""Up to so many elements, Python numbers are compared faster one by one than by numpy."""
_WHOLE_KINDS = "iub"
"""Of a dtype: signed, unsigned, bool."""


class BoundedArraySpace(SpaceBase[NDArray[Any]]):
    """Arrays of one shape and dtype; `low` and `high`, arrays of that shape, are included."""

    def __init__(
        self, shape: tuple[int, ...], low: ArrayLike, high: ArrayLike, dtype: DTypeLike, stype: SpaceTypes
    ) -> None:
        super().__init__()
        self.shape = shape
        self._dtype = np.dtype(dtype)
        self._stype = self._meaning() if stype == SpaceTypes.UNKNOWN else stype
        self.low, self.high = self._bound(low), self._bound(high)
        if np.any(self.low > self.high):
            raise ValueError(f"{type(self).__name__}: low {low!r} is above high {high!r}")
        self._low_row: list[Any] = self.low.reshape(-1).tolist()
        self._high_row: list[Any] = self.high.reshape(-1).tolist()
        self._holds_dtype = self._covers_dtype()

    def _covers_dtype(self) -> bool:
        if self._dtype.kind not in "iu":
            return False
        limits = np.iinfo(self._dtype)
        return bool(np.all(self.low <= limits.min) and np.all(self.high >= limits.max))

    def _meaning(self) -> SpaceTypes:
        return SpaceTypes.DISCRETE if self._dtype.kind in _WHOLE_KINDS else SpaceTypes.CONTINUOUS

    def _bound(self, bound: ArrayLike) -> NDArray[Any]:
        given = np.asarray(bound)
        # infinity does not fit into whole numbers: such a bound stays a float, and "no bound" stays visible
        dtype = self._dtype if np.all(np.isfinite(given)) else np.dtype(np.float64)
        try:
            return np.broadcast_to(given, self.shape).astype(dtype)
        except ValueError as err:
            raise ValueError(f"{type(self).__name__}: bound {bound!r} does not fit shape {self.shape}") from err

    @property
    def stype(self) -> SpaceTypes:
        return self._stype

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._dtype

    def is_integer(self) -> bool:
        """Tell whether the elements are whole numbers."""
        return self._dtype.kind in _WHOLE_KINDS or self.is_discrete()

    def sample(self, mask: list[NDArray[Any]] | None = None) -> NDArray[Any]:
        generator = np.random.default_rng(random.getrandbits(64))  # so that random.seed rules here too
        if not self._is_finite():
            return self.sanitize(generator.normal(size=self.shape))
        if self.is_integer():
            dtype = self._dtype if self._dtype.kind in _WHOLE_KINDS else np.dtype(np.int64)
            low, high = self.low.astype(dtype), self.high.astype(dtype)
            return generator.integers(low, high, size=self.shape, dtype=dtype, endpoint=True).astype(self._dtype)
        return generator.uniform(self.low, self.high, size=self.shape).astype(self._dtype)

    def _is_finite(self) -> bool:
        return all(map(is_bound, self._low_row)) and all(map(is_bound, self._high_row))

    def sanitize(self, val: Any) -> NDArray[Any]:
        try:
            array = np.asarray(val, np.float64).reshape(self.shape)
        except (TypeError, ValueError) as err:
            raise ValueError(f"{val!r} does not fit {self}") from err
        if np.any(np.isnan(array)):
            raise ValueError(f"{val!r} holds nan: it has no place in {self}")
        array = np.rint(array) if self.is_integer() else array
        with np.errstate(over="ignore"):  # without bounds, what is too large for the dtype is infinity
            return np.asarray(np.clip(array, *self._limits()), self._dtype)

    def _limits(self) -> tuple[NDArray[Any], NDArray[Any]]:
        if self._dtype.kind not in "iu" or self.low.dtype == self.high.dtype == self._dtype:
            return self.low, self.high
        limits = np.iinfo(self._dtype)  # a missing bound is that of the dtype
        return np.maximum(self.low, limits.min), np.minimum(self.high, limits.max)

    def check_val(self, val: Any) -> bool:
        if not isinstance(val, np.ndarray) or val.shape != self.shape:
            return False
        is_own_dtype = val.dtype == self._dtype
        if not is_own_dtype and not np.can_cast(val.dtype, self._dtype, "same_kind"):
            return False
        if val.size <= _FEW:
            row = val.ravel().tolist()
            return all(map(le, self._low_row, row)) and all(map(le, row, self._high_row))
        return (is_own_dtype and self._holds_dtype) or bool(np.all((self.low <= val) & (val <= self.high)))

    def get_default(self) -> NDArray[Any]:
        return np.clip(np.zeros(self.shape, np.float64), self.low, self.high).astype(self._dtype)

    def copy_value(self, v: NDArray[Any]) -> NDArray[Any]:
        return v.copy()
