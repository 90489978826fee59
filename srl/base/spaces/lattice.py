"""Counting the points of a grid in any number of dimensions: 0, 1, 2, ..., the last axis fastest."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


class Lattice:
    """All rows of whole numbers with `low[i] <= row[i] <= high[i]`, numbered from 0."""

    def __init__(self, low: Sequence[int], high: Sequence[int]) -> None:
        self._axes = list(zip(low, high, strict=True))
        self._counts = [top - bottom + 1 for bottom, top in self._axes]
        self.size = math.prod(self._counts)

    def index(self, row: Sequence[int]) -> int:
        """Return the number of a row. Raises ValueError if the row is not one of the lattice."""
        index = 0
        for x, (low, high) in zip(row, self._axes, strict=True):
            if not low <= x <= high:
                raise ValueError(f"{x} in {list(row)} is outside of {low}..{high}")
            index = index * (high - low + 1) + x - low
        return int(index)

    def row(self, index: int) -> list[int]:
        """Return the row of a number, 0 <= index < size. Raises ValueError outside of that."""
        if not 0 <= index < self.size:
            raise ValueError(f"{index} is outside of 0..{self.size - 1}")
        digits = []
        for (low, _), count in zip(reversed(self._axes), reversed(self._counts), strict=True):
            index, digit = divmod(index, count)
            digits.append(int(digit) + low)
        return digits[::-1]


class Quantizer:
    """Points evenly spaced between bounds, both included, `count` on each axis."""

    def __init__(self, low: Sequence[float], high: Sequence[float], count: int) -> None:
        self._last = count - 1
        self._axes = [(a, (b - a) / self._last) for a, b in zip(low, high, strict=True)]

    def nearest(self, row: Sequence[float]) -> list[int]:
        """Return, for each axis, which point is nearest."""
        return [self._nearest(x, low, step) for x, (low, step) in zip(row, self._axes, strict=True)]

    def _nearest(self, x: float, low: float, step: float) -> int:
        if step == 0:
            return 0
        return round(min(max((x - low) / step, 0), self._last))

    def point(self, cells: Sequence[int]) -> list[float]:
        """Return the numbers at the point with these places on the axes."""
        return [low + step * cell for cell, (low, step) in zip(cells, self._axes, strict=True)]


def points_per_axis(division_num: int, axes: int) -> int:
    """Return how many points each axis gets so that the grid has about `division_num`; at least 2."""
    return max(2, round(math.pow(division_num, 1 / axes)))


def draw_index(size: int, excluded: Collection[int]) -> int:
    """Draw a number below `size` that is not excluded, evenly. Raises ValueError if none is left."""
    banned = sorted({i for i in excluded if 0 <= i < size})
    if len(banned) == size:
        raise ValueError(f"all {size} values are masked: nothing is left to draw")
    index = random.randrange(size - len(banned))
    for skipped in banned:
        index += index >= skipped
    return index
