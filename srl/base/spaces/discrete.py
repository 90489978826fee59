"""One whole number out of n."""

from __future__ import annotations

from typing import Any

import numpy as np

from srl.base.define import SpaceTypes
from srl.base.spaces.array_discrete import ArrayDiscreteSpace
from srl.base.spaces.lattice import draw_index, require_listable
from srl.base.spaces.scalars import WHOLE, as_int
from srl.base.spaces.space import SpaceBase


class DiscreteSpace(SpaceBase[int]):
    """The n whole numbers from `start` on, low = start to high = start + n - 1. Raises ValueError if n < 1."""

    def __init__(self, n: int, start: int = 0) -> None:
        super().__init__()
        if n < 1:
            raise ValueError(f"DiscreteSpace(n={n}): n must be at least 1")
        self.n = int(n)
        self.start = int(start)
        self.low = self.start
        self.high = self.start + self.n - 1

    @property
    def stype(self) -> SpaceTypes:
        return SpaceTypes.DISCRETE

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.int64)

    def arguments(self) -> dict[str, Any]:
        return {"n": self.n, "start": self.start}

    def __str__(self) -> str:
        return f"Discrete({self.n}, start={self.start})"

    def sample(self, mask: list[int] | None = None) -> int:
        return self.start + draw_index(self.n, [m - self.start for m in mask or ()])

    def sanitize(self, val: Any) -> int:
        return min(max(as_int(val), self.low), self.high)

    def check_val(self, val: Any) -> bool:
        return isinstance(val, WHOLE) and not (val < self.low or val > self.high)

    def to_str(self, val: int) -> str:
        return str(int(val))

    def get_default(self) -> int:
        return self.start

    def get_valid_actions(self, masks: list[int] | None = None) -> list[int]:
        require_listable(self, self.n)
        banned = set(masks or ())
        return [a for a in range(self.low, self.high + 1) if a not in banned]

    def get_onehot(self, x: int) -> list[int]:
        row = [0] * self.n
        row[x - self.start] = 1
        return row

    def create_stack_space(self, length: int) -> ArrayDiscreteSpace:
        return ArrayDiscreteSpace(length, self.low, self.high)

    def encode_stack(self, val: list[int]) -> list[int]:
        return list(val)
