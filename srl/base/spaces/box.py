"""Arrays of any shape, each element within its bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from srl.base.define import SpaceTypes
from srl.base.spaces.arrays import BoundedArraySpace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, DTypeLike, NDArray

_GRAY = {SpaceTypes.GRAY_HW, SpaceTypes.GRAY_HW1}


class BoxSpace(BoundedArraySpace):
    """Arrays of `shape`; bounds are numbers or arrays that broadcast to it, and may be infinite.

    `stype` says what the numbers mean; UNKNOWN becomes DISCRETE or CONTINUOUS by the dtype.
    `is_stack_ch` says whether a stack of these puts its values into channels; None decides by `stype`.
    Raises ValueError if bounds do not fit the shape, or the shape does not fit a picture's `stype`.
    """

    def __init__(
        self,
        shape: Sequence[int],
        low: ArrayLike = -np.inf,
        high: ArrayLike = np.inf,
        dtype: DTypeLike = np.float32,
        stype: SpaceTypes = SpaceTypes.UNKNOWN,
        is_stack_ch: bool | None = None,
    ) -> None:
        super().__init__(tuple(int(n) for n in shape), low, high, dtype, stype)
        self.is_stack_ch = is_stack_ch
        self._check_picture()

    def _check_picture(self) -> None:
        shape, stype = self.shape, self.stype
        fits = {
            SpaceTypes.GRAY_HW: len(shape) == 2,
            SpaceTypes.GRAY_HW1: len(shape) == 3 and shape[-1] == 1,
            SpaceTypes.RGB: len(shape) == 3 and shape[-1] == 3,
        }
        if not fits.get(stype, True):
            raise ValueError(f"BoxSpace: shape {shape} is not that of a {stype.name} picture")

    def arguments(self) -> dict[str, Any]:
        return {
            "shape": self.shape,
            "low": self.low,
            "high": self.high,
            "dtype": self.dtype,
            "stype": self.stype,
            "is_stack_ch": self.is_stack_ch,
        }

    def __str__(self) -> str:
        return f"Box{self.shape}, range[{self.low.min()}, {self.high.max()}], {self.dtype}, {self.stype.name}"

    def to_str(self, val: NDArray[Any]) -> str:
        return ",".join(map(str, np.asarray(val).reshape(-1).tolist()))

    def create_stack_space(self, length: int) -> BoxSpace:
        low, high = self.encode_stack([self.low] * length), self.encode_stack([self.high] * length)
        stype = SpaceTypes.IMAGE_MAP if self._stacks_channels() else self.stype
        stype = stype if not SpaceTypes.is_image(stype) else SpaceTypes.UNKNOWN  # a film is no picture
        return BoxSpace(low.shape, low, high, self.dtype, stype)

    def encode_stack(self, val: list[NDArray[Any]]) -> NDArray[Any]:
        if not self._stacks_channels():
            return np.stack(val, axis=0)
        return np.stack(val, axis=-1) if len(self.shape) == 2 else np.concatenate(val, axis=-1)

    def _stacks_channels(self) -> bool:
        return self.stype in _GRAY if self.is_stack_ch is None else self.is_stack_ch
