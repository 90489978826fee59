"""A list of whole numbers, each within its bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from srl.base.define import SpaceTypes
from srl.base.spaces.lattice import Lattice, draw_index, require_listable
from srl.base.spaces.scalars import WHOLE, as_int, as_row, spread
from srl.base.spaces.space import SpaceBase

if TYPE_CHECKING:
    from collections.abc import Sequence


class ArrayDiscreteSpace(SpaceBase[list[int]]):
    """Lists of `size` whole numbers with low[i] <= x[i] <= high[i].

    A single bound holds for all. Raises ValueError if bounds and size do not fit each other.
    """

    def __init__(self, size: int, low: int | Sequence[int], high: int | Sequence[int]) -> None:
        super().__init__()
        self.size = size
        self.low: list[int] = spread(low, size, int)
        self.high: list[int] = spread(high, size, int)
        if any(a > b for a, b in zip(self.low, self.high, strict=True)):
            raise ValueError(f"ArrayDiscreteSpace: low {self.low} is above high {self.high}")

    @property
    def stype(self) -> SpaceTypes:
        return SpaceTypes.DISCRETE

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.int64)

    def arguments(self) -> dict[str, Any]:
        return {"size": self.size, "low": self.low, "high": self.high}

    def __str__(self) -> str:
        return f"ArrayDiscrete({self.size}, range[{min(self.low)}, {max(self.high)}])"

    def sample(self, mask: list[list[int]] | None = None) -> list[int]:
        lattice = self._lattice()
        return lattice.row(draw_index(lattice.size, [lattice.index(m) for m in mask or ()]))

    def sanitize(self, val: Any) -> list[int]:
        row = [as_int(x) for x in as_row(val, self.size)]
        return [min(max(x, a), b) for x, a, b in zip(row, self.low, self.high, strict=True)]

    def check_val(self, val: Any) -> bool:
        return (
            isinstance(val, list)
            and len(val) == self.size
            and all(isinstance(x, WHOLE) for x in val)
            and all(a <= x <= b for x, a, b in zip(val, self.low, self.high, strict=True))
        )

    def to_str(self, val: list[int]) -> str:
        return ",".join(map(str, val))

    def get_default(self) -> list[int]:
        return [0 if a <= 0 <= b else a for a, b in zip(self.low, self.high, strict=True)]

    def copy_value(self, v: list[int]) -> list[int]:
        return v[:]

    def get_valid_actions(self, masks: list[list[int]] | None = None) -> list[list[int]]:
        lattice = self._lattice()
        require_listable(self, lattice.size)
        banned = {lattice.index(m) for m in masks or ()}
        return [lattice.row(i) for i in range(lattice.size) if i not in banned]

    def get_onehot(self, x: list[int]) -> list[list[int]]:
        return [[int(v == value) for v in range(a, b + 1)] for value, a, b in zip(x, self.low, self.high, strict=True)]

    def create_stack_space(self, length: int) -> ArrayDiscreteSpace:
        return ArrayDiscreteSpace(self.size * length, self.low * length, self.high * length)

    def encode_stack(self, val: list[list[int]]) -> list[int]:
        return [x for row in val for x in row]

    def _lattice(self) -> Lattice:
        return Lattice(self.low, self.high)
