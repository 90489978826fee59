"""A list of numbers with fractions, each within its bounds."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

import numpy as np

from srl.base.define import SpaceTypes
from srl.base.spaces.scalars import FRACTIONAL, as_float, as_row, float_to_str, is_bound, spread
from srl.base.spaces.space import SpaceBase

if TYPE_CHECKING:
    from collections.abc import Sequence


class ArrayContinuousSpace(SpaceBase[list[float]]):
    """Lists of `size` numbers with low[i] <= x[i] <= high[i].

    Bounds may be infinite; a single one holds for all. Raises ValueError if bounds do not fit the size.
    """

    def __init__(
        self, size: int, low: float | Sequence[float] = -math.inf, high: float | Sequence[float] = math.inf
    ) -> None:
        super().__init__()
        self.size = size
        self.low: list[float] = spread(low, size, float)
        self.high: list[float] = spread(high, size, float)
        if any(a > b for a, b in zip(self.low, self.high, strict=True)):
            raise ValueError(f"ArrayContinuousSpace: low {self.low} is above high {self.high}")

    @property
    def stype(self) -> SpaceTypes:
        return SpaceTypes.CONTINUOUS

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float32)

    def arguments(self) -> dict[str, Any]:
        return {"size": self.size, "low": self.low, "high": self.high}

    def __str__(self) -> str:
        return f"ArrayContinuous({self.size}, range[{min(self.low)}, {max(self.high)}])"

    def sample(self, mask: list[list[float]] | None = None) -> list[float]:
        return [_draw(a, b) for a, b in zip(self.low, self.high, strict=True)]

    def sanitize(self, val: Any) -> list[float]:
        row = [as_float(x) for x in as_row(val, self.size)]
        return [min(max(x, a), b) for x, a, b in zip(row, self.low, self.high, strict=True)]

    def check_val(self, val: Any) -> bool:
        return (
            isinstance(val, list)
            and len(val) == self.size
            and all(isinstance(x, FRACTIONAL) for x in val)
            and all(a <= x <= b for x, a, b in zip(val, self.low, self.high, strict=True))
        )

    def to_str(self, val: list[float]) -> str:
        return ",".join(map(float_to_str, val))

    def get_default(self) -> list[float]:
        return self.sanitize([0.0] * self.size)

    def copy_value(self, v: list[float]) -> list[float]:
        return v[:]

    def create_stack_space(self, length: int) -> ArrayContinuousSpace:
        return ArrayContinuousSpace(self.size * length, self.low * length, self.high * length)

    def encode_stack(self, val: list[list[float]]) -> list[float]:
        return [x for row in val for x in row]


def _draw(low: float, high: float) -> float:
    if not (is_bound(low) and is_bound(high)):
        return min(max(random.gauss(), low), high)
    return random.uniform(low, high)
