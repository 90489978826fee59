"""A sum tree in numpy: values by slot, of which one can be drawn in proportion to its value, many at a time.

Schaul et al. 2016, "Prioritized Experience Replay", appendix B.2.1, with 32 children a node in place of 2, and a wide
top: of a million slots there are two levels below it, and each step down is the same few array operations for all draws
together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from srl.rl.memories.drawing import Floats, Ints

CHILDREN = 32
TOP_NODES = 1024
"""Most nodes without a parent: their running sum is made for every `find`."""
PENDING_WRITES = 4096
_ONES = np.ones(CHILDREN)


class SumTree:
    """Values of at least 0 by slot; all are 0 at first.

    Args:
        capacity: how many slots there are.
    """

    def __init__(self, capacity: int) -> None:
        self._levels = [np.zeros((_rows(capacity), CHILDREN))]
        while len(self._levels[-1]) > TOP_NODES:
            self._levels.append(np.zeros((_rows(len(self._levels[-1])), CHILDREN)))
        self._top = np.zeros(len(self._levels[-1]))
        self._values = self._levels[0].reshape(-1)
        self._changed: list[Ints] = []

    def get(self, slots: Ints) -> Floats:
        """Return the values of these slots."""
        return self._values[slots]

    def set(self, slots: Ints, values: Floats) -> None:
        """Set the values of these slots; of a slot named twice, the last one. Sums follow when they are needed."""
        self._values[slots] = values
        self._changed.append(slots)
        if len(self._changed) >= PENDING_WRITES:
            self._sum_up()

    def total(self) -> float:
        """Return the sum of all values."""
        self._sum_up()
        return float(self._top.sum())

    def find(self, points: Floats) -> Ints:
        """Return, for each point from 0 to below `total()`, the slot where the running sum of values passes it.

        A slot whose value is 0 is never returned, unless all are.
        """
        self._sum_up()
        running = np.zeros(len(self._top) + 1)
        self._top.cumsum(out=running[1:])
        points = _below(points, running[-1])
        nodes: Ints = running[1:-1].searchsorted(points, side="right")
        points = points - running[nodes]
        rows = np.arange(len(points)) * (CHILDREN + 1)
        sums = np.zeros((len(points), CHILDREN + 1))
        for level in reversed(self._levels):
            level.take(nodes, axis=0).cumsum(axis=1, out=sums[:, 1:])
            points = _below(points, sums[:, -1])
            chosen = (sums[:, 1:] > points[:, None]).argmax(axis=1)
            points = points - sums.reshape(-1)[rows + chosen]
            nodes = nodes * CHILDREN + chosen
        return nodes

    def _sum_up(self) -> None:
        """Bring the sums above changed slots up to date."""
        if not self._changed:
            return
        nodes = np.concatenate(self._changed)
        self._changed.clear()
        sums = [*(level.reshape(-1) for level in self._levels[1:]), self._top]
        for below, above in zip(self._levels, sums, strict=True):
            nodes = nodes // CHILDREN if len(nodes) < len(below) else np.arange(len(below))
            above[nodes] = below.take(nodes, axis=0) @ _ONES


def _below(points: Floats, sums: Floats) -> Floats:
    """Move points that lie beyond the sum of their node, by rounding, into the last child that has any."""
    return np.minimum(points, np.nextafter(sums, 0))


def _rows(count: int) -> int:
    return -(-count // CHILDREN)
