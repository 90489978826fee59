"""Counting the points of a grid in any number of dimensions: 0, 1, 2, ..., the last axis fastest.

Numbers with fractions become points of a grid axis by axis. Between two bounds the points are evenly spaced, both
bounds included. Where a bound is missing, the numbers are squashed first, y = x / (1 + |x|), and the range of y is cut
into cells of equal width: narrow ones near 0, wide ones far away. A point is the middle of its cell in y. With one
bound, x is the distance to it.

| points | between cells, no bound    | points, no bound             |
|--------|----------------------------|------------------------------|
| 4      | -1, 0, 1                   | -3, -1/3, 1/3, 3             |
| 6      | -2, -1/2, 0, 1/2, 2        | -5, -1, -1/5, 1/5, 1, 5      |
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from srl.base.exception import NotSupportedError
from srl.base.spaces.scalars import is_bound

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_MOST_LISTED = 10_000_000


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


class Axis(Protocol):
    """Points on one axis, numbered from 0."""

    def nearest(self, x: float) -> int:
        """Return the number of the point that stands for `x`."""
        ...

    def point(self, cell: int) -> float:
        """Return the point of a number."""
        ...


@dataclass(frozen=True)
class Between:
    """`count` points from low to high, evenly spaced."""

    low: float
    high: float
    count: int

    def nearest(self, x: float) -> int:
        if self.high == self.low:
            return 0
        part = (x - self.low) / (self.high - self.low)
        return round(min(max(part, 0.0), 1.0) * (self.count - 1))

    def point(self, cell: int) -> float:
        part = cell / (self.count - 1)
        return min(self.low + part * (self.high - self.low), self.high)


@dataclass(frozen=True)
class From:
    """`count` cells of the numbers on one side of a bound: above it with `sign` 1, below it with -1."""

    bound: float
    sign: int
    count: int

    def nearest(self, x: float) -> int:
        cell = _cell(_squash(max(0.0, self.sign * (x - self.bound))), self.count)
        return cell if self.sign > 0 else self.count - 1 - cell

    def point(self, cell: int) -> float:
        cell = cell if self.sign > 0 else self.count - 1 - cell
        return self.bound + self.sign * _unsquash((cell + 0.5) / self.count)


@dataclass(frozen=True)
class Everywhere:
    """`count` cells of all numbers."""

    count: int

    def nearest(self, x: float) -> int:
        return _cell((_squash(x) + 1) / 2, self.count)

    def point(self, cell: int) -> float:
        return _unsquash((2 * cell + 1) / self.count - 1)


def _squash(x: float) -> float:
    return math.copysign(1.0, x) if math.isinf(x) else x / (1 + abs(x))


def _unsquash(y: float) -> float:
    return y / (1 - abs(y))


def _cell(part: float, count: int) -> int:
    return min(int(part * count), count - 1)


def make_axis(low: float, high: float, count: int) -> Axis:
    """Return the points of an axis, `count` 2 or more, with the bounds that it has."""
    if is_bound(low) and is_bound(high):
        return Between(low, high, count)
    if is_bound(low):
        return From(low, 1, count)
    return From(high, -1, count) if is_bound(high) else Everywhere(count)


class Quantizer:
    """Points of several axes, `count` on each."""

    def __init__(self, low: Sequence[float], high: Sequence[float], count: int) -> None:
        self._axes = [make_axis(a, b, count) for a, b in zip(low, high, strict=True)]

    def nearest(self, row: Sequence[float]) -> list[int]:
        """Return, for each axis, which point stands for the number."""
        return [axis.nearest(x) for axis, x in zip(self._axes, row, strict=True)]

    def point(self, cells: Sequence[int]) -> list[float]:
        """Return the numbers at the point with these places on the axes."""
        return [axis.point(cell) for axis, cell in zip(self._axes, cells, strict=True)]


def require_listable(space: object, size: int) -> None:
    """Raise NotSupportedError if a list of all values would hardly fit into memory."""
    if size > _MOST_LISTED:
        raise NotSupportedError(f"{space} has {size} values, too many to list; at most {_MOST_LISTED} are listed")


def points_per_axis(division_num: int, axes: int) -> int:
    """Return how many points each axis gets so that the grid has about `division_num`; at least 2."""
    return max(2, round(math.pow(division_num, 1 / axes)))


def draw_index(size: int, excluded: Collection[int]) -> int:
    """Draw a number below `size` that is not excluded, evenly. Raises ValueError if none is left."""
    if not excluded:
        return random.randrange(size)
    banned = sorted({i for i in excluded if 0 <= i < size})
    if len(banned) == size:
        raise ValueError(f"all {size} values are masked: nothing is left to draw")
    index = random.randrange(size - len(banned))
    for skipped in banned:
        index += index >= skipped
    return index
