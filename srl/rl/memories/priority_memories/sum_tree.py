"""A sum tree in numpy: values by slot, of which one can be drawn in proportion to its value, many at a time.

Schaul et al. 2016, "Prioritized Experience Replay", appendix B.2.1, with 32 children a node in place of 2: a tree of a
million slots has four levels, and each step down is the same few array operations for all draws together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from srl.rl.memories.drawing import Floats, Ints

CHILDREN = 32
PENDING_WRITES = 4096


class SumTree:
    """Values of at least 0 by slot; all are 0 at first.

    Args:
        capacity: how many slots there are.
    """

    def __init__(self, capacity: int) -> None:
        self._levels = [np.zeros((_rows(capacity), CHILDREN))]
        while len(self._levels[-1]) > 1:
            self._levels.append(np.zeros((_rows(len(self._levels[-1])), CHILDREN)))
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
        return float(self._levels[-1].sum())

    def find(self, points: Floats) -> Ints:
        """Return, for each point from 0 to below `total()`, the slot where the running sum of values passes it.

        A slot whose value is 0 is never returned, unless all are.
        """
        self._sum_up()
        nodes = np.zeros(len(points), np.int64)
        rows = np.arange(len(points))
        for level in reversed(self._levels):
            children = level[nodes]
            sums = children.cumsum(axis=1)
            # A point may lie beyond the sum of its node by rounding: it is moved into the last child that has any.
            points = np.minimum(points, np.nextafter(sums[:, -1], 0))
            chosen = (sums <= points[:, None]).sum(axis=1)
            points = np.maximum(points - (sums[rows, chosen] - children[rows, chosen]), 0)
            nodes = nodes * CHILDREN + chosen
        return nodes

    def _sum_up(self) -> None:
        """Bring the sums above changed slots up to date."""
        if not self._changed:
            return
        nodes = np.unique(np.concatenate(self._changed) // CHILDREN)
        self._changed.clear()
        for below, level in zip(self._levels, self._levels[1:], strict=False):
            level.reshape(-1)[nodes] = below[nodes].sum(axis=1)
            nodes = nodes // CHILDREN


def _rows(count: int) -> int:
    return -(-count // CHILDREN)
