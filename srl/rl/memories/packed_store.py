"""The newest items as bytes each, for items without a common schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from srl.rl.memories.batch import PackedBatch

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class PackedStore:
    """Items by number, the oldest ones forgotten first.

    Args:
        capacity: how many items there is room for...
        max_bytes: ...if they fit into so many bytes (0: any number); there is room for one in any case.
    """

    def __init__(self, capacity: int, max_bytes: int) -> None:
        self._capacity = capacity
        self._max_bytes = max_bytes
        self._items: dict[int, bytes] = {}
        self._bytes = 0

    def put(self, number: int, data: bytes) -> None:
        """Take in an item; numbers only grow."""
        self._items[number] = data
        self._bytes += len(data)

    def gather(self, numbers: npt.NDArray[np.int64]) -> PackedBatch:
        """Return the items of these numbers."""
        return PackedBatch([self._items[number] for number in numbers.tolist()])

    def first_kept(self, first: int, end: int) -> int:
        """Forget what there is no room for, and return the oldest number that is still there."""
        while first < end - 1 and self._is_over():
            self._bytes -= len(self._items.pop(first))
            first += 1
        return first

    def _is_over(self) -> bool:
        return len(self._items) > self._capacity or 0 < self._max_bytes < self._bytes
