"""One number with a fraction."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np

from srl.base.define import SpaceTypes
from srl.base.spaces.array_continuous import ArrayContinuousSpace
from srl.base.spaces.scalars import FRACTIONAL, as_float, float_to_str, is_bound
from srl.base.spaces.space import SpaceBase


class ContinuousSpace(SpaceBase[float]):
    """The numbers from low to high, included; either may be infinite. Raises ValueError if low > high."""

    def __init__(self, low: float = -math.inf, high: float = math.inf) -> None:
        super().__init__()
        if low > high:
            raise ValueError(f"ContinuousSpace: low {low} is above high {high}")
        self.low = float(low)
        self.high = float(high)

    @property
    def stype(self) -> SpaceTypes:
        return SpaceTypes.CONTINUOUS

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float32)

    def arguments(self) -> dict[str, Any]:
        return {"low": self.low, "high": self.high}

    def __str__(self) -> str:
        return f"Continuous({self.low} - {self.high})"

    def sample(self, mask: list[float] | None = None) -> float:
        if not (is_bound(self.low) and is_bound(self.high)):
            return self.sanitize(random.gauss())
        return random.uniform(self.low, self.high)

    def sanitize(self, val: Any) -> float:
        return min(max(as_float(val), self.low), self.high)

    def check_val(self, val: Any) -> bool:
        return isinstance(val, FRACTIONAL) and bool(self.low <= val <= self.high)

    def to_str(self, val: float) -> str:
        return float_to_str(val)

    def get_default(self) -> float:
        return self.sanitize(0.0)

    def create_stack_space(self, length: int) -> ArrayContinuousSpace:
        return ArrayContinuousSpace(length, self.low, self.high)

    def encode_stack(self, val: list[float]) -> list[float]:
        return list(val)
