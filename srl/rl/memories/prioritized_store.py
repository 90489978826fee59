"""Items with priorities: the store, what chooses from it, and what keeps the two in step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from srl.rl.memories.batch import Batch
    from srl.rl.memories.drawing import Ints
    from srl.rl.memories.item_store import ItemStore
    from srl.rl.memories.priority_memories.priority_sampler import PrioritySampler
    from srl.rl.memories.schema import Array


class PrioritizedStore:
    """Every item has a priority: the one given, or the largest given so far, which is 1 at first.

    Args:
        items: where the items are, empty.
        sampler: chooses them.
    """

    def __init__(self, items: ItemStore, sampler: PrioritySampler) -> None:
        self.items = items
        self._sampler = sampler
        self._priorities = np.zeros(sampler.capacity)
        self._largest = 1.0

    def __len__(self) -> int:
        return len(self.items)

    def add(self, item: Any, priority: float | None) -> None:
        """Take in a copy of an item."""
        priorities = self._one(priority)
        self._added(self.items.add(item), priorities)

    def add_packed(self, data: bytes, priority: float | None) -> None:
        """Take in an item that came as bytes."""
        priorities = self._one(priority)
        self._added(self.items.add_packed(data), priorities)

    def add_columns(self, columns: Mapping[str, Array], count: int) -> None:
        """Take in items without priorities that came as columns."""
        self._added(self.items.add_columns(columns), np.full(count, self._largest))

    def sample(self, size: int, step: int, rng: np.random.Generator) -> tuple[Batch, npt.NDArray[np.float32], Ints]:
        """Return items, importance weights and the numbers of the items."""
        numbers, weights = self._sampler.sample(self.items.numbers, size, step, rng)
        return self.items.gather(numbers), weights, numbers

    def update(self, numbers: Ints, priorities: npt.NDArray[np.float64]) -> None:
        """Give items new priorities; those that are no longer there are passed over."""
        held = (numbers >= self.items.numbers.start) & (numbers < self.items.numbers.stop)
        self._set(numbers[held], priorities[held])

    def clear(self) -> None:
        """Forget all items and priorities."""
        self._remove(self.items.clear())
        self._largest = 1.0

    def backup(self) -> Any:
        """Return items and priorities as plain data."""
        numbers = np.arange(self.items.numbers.start, self.items.numbers.stop)
        return self.items.backup(), self._priorities[self._sampler.slots(numbers)], self._largest

    def restore(self, data: Any) -> None:
        """Replace items and priorities by those of a backup; the newest ones if there is no room for all."""
        items, priorities, largest = data
        self.clear()
        self.items.restore(items)
        numbers = np.arange(self.items.numbers.start, self.items.numbers.stop)
        self._set(numbers, np.array(priorities[len(priorities) - len(numbers) :]))
        self._largest = largest

    def _one(self, priority: float | None) -> npt.NDArray[np.float64]:
        return np.array([self._largest]) if priority is None else checked_priorities(priority, 1)

    def _added(self, gone: range, priorities: npt.NDArray[np.float64]) -> None:
        """Settle the priorities of the newest items, and forget those that went for them."""
        end = self.items.numbers.stop
        self._remove(range(max(gone.start, end - self._sampler.capacity), gone.stop))
        count = min(len(priorities), len(self.items))
        self._set(np.arange(end - count, end), priorities[len(priorities) - count :])

    def _set(self, numbers: Ints, priorities: npt.NDArray[np.float64]) -> None:
        if len(numbers):
            self._priorities[self._sampler.slots(numbers)] = priorities
            self._largest = max(self._largest, float(priorities.max()))
            self._sampler.set(numbers, priorities)

    def _remove(self, numbers: range) -> None:
        if numbers:
            self._sampler.remove(np.arange(numbers.start, numbers.stop))


def checked_priorities(priorities: Any, count: int) -> npt.NDArray[np.float64]:
    """Return absolute priorities, shape (count,). Raises ValueError for another number of them, nan or inf."""
    values = np.abs(np.asarray(priorities, np.float64)).reshape(-1)
    if len(values) != count:
        raise ValueError(f"{len(values)} priorities came for {count} items: give one for each sampled item")
    if not np.isfinite(values).all():
        raise ValueError("a priority is nan or infinite: look for a loss that diverges")
    return values
