"""One-dimensional arrays, each element within its bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from srl.base.define import SpaceTypes
from srl.base.spaces.arrays import BoundedArraySpace
from srl.base.spaces.scalars import float_to_str

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray


class NpArraySpace(BoundedArraySpace):
    """Arrays of shape (size,); bounds are numbers or lists of `size`, and may be infinite.

    `stype` UNKNOWN becomes DISCRETE or CONTINUOUS by the dtype. Raises ValueError if bounds do not fit.
    """

    def __init__(
        self,
        size: int,
        low: ArrayLike = -np.inf,
        high: ArrayLike = np.inf,
        dtype: DTypeLike = np.float32,
        stype: SpaceTypes = SpaceTypes.UNKNOWN,
    ) -> None:
        super().__init__((int(size),), low, high, dtype, stype)
        self.size = int(size)

    def arguments(self) -> dict[str, Any]:
        return {
            "size": self.size,
            "low": self.low,
            "high": self.high,
            "dtype": self.dtype,
            "stype": self.stype,
        }

    def __str__(self) -> str:
        bounds = f"range[{self.low.min()}, {self.high.max()}]"
        return f"NpArray[{self.stype.name}]({self.size}, {bounds}, {self.dtype})"

    def to_str(self, val: NDArray[Any]) -> str:
        return ",".join(map(float_to_str, np.asarray(val).tolist()))

    def create_stack_space(self, length: int) -> NpArraySpace:
        low, high = np.tile(self.low, length), np.tile(self.high, length)
        return NpArraySpace(self.size * length, low, high, self.dtype, self.stype)

    def encode_stack(self, val: list[NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate(val)
