"""How often values were how large: counted by the loop for next to nothing, a metric when somebody scrapes."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS = (*(digit * 10.0**power for power in range(-5, 1) for digit in (1, 2, 5)), 10.0)
"""From 10 us to 10 s, three buckets a decade."""
ITEMS = tuple(float(2**power) for power in range(13))
"""From 1 to 4096, by doubling."""
BYTES = tuple(float(4**power) for power in range(4, 14))
"""From 256 bytes to 64 MiB."""
_AMOUNTS = (*(float(f"{digit}e{power}") for power in range(-1, 4) for digit in (1, 2, 5)), 1e4)
REWARDS = (*(-amount for amount in reversed(_AMOUNTS)), 0.0, *_AMOUNTS)
"""For numbers of unknown sign and scale: both ways from 0.1 to 10,000, three buckets a decade."""


class Histogram:
    """Counts of values by bucket. One thread observes, others may read meanwhile.

    Args:
        bounds: upper bounds of the buckets, ascending; a value on a bound belongs to the bucket below it.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.sum = 0.0
        self._counts = [0] * (len(self.bounds) + 1)

    def observe(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    @property
    def count(self) -> int:
        return sum(self._counts)

    def cumulative(self) -> list[int]:
        """Return how many values were at most each bound, and at last how many there were."""
        return list(accumulate(self._counts))
