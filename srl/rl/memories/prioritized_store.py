"""Items with priorities: the store, what chooses from it, and what keeps the two in step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from srl.rl.memories.batch import Batch
    from srl.rl.memories.drawing import Floats, Ints
    from srl.rl.memories.item_store import ItemStore
    from srl.rl.memories.priority_memories.priority_sampler import PrioritySampler
    from srl.rl.memories.schema import Array


_NO_NUMBER = "a priority is nan or infinite: look for a loss that diverges"
MOST_WAITING = 4096
"""So many priorities of new items wait at most until the sampler is told; telling it one by one is slow."""


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
        self._told = range(0)
        """The numbers of the items that the sampler knows of."""
        self._waiting: list[float] = []
        """The priorities of the items that came later."""

    def __len__(self) -> int:
        return len(self.items)

    def add(self, item: Any, priority: float | None) -> None:
        """Take in a copy of an item."""
        value = self._checked(priority)
        self.items.add(item)
        self._added([value])

    def add_packed(self, data: bytes, priority: float | None) -> None:
        """Take in an item that came as bytes."""
        value = self._checked(priority)
        self.items.add_packed(data)
        self._added([value])

    def add_columns(self, columns: Mapping[str, Array], count: int) -> None:
        """Take in items without priorities that came as columns."""
        self.items.add_columns(columns)
        self._added([self._largest] * count)

    def sample(self, size: int, step: int, rng: np.random.Generator) -> tuple[Batch, npt.NDArray[np.float32], Ints]:
        """Return items, importance weights and the numbers of the items."""
        self._tell()
        numbers, weights = self._sampler.sample(self.items.numbers, size, step, rng)
        return self.items.gather(numbers), weights, numbers

    def update(self, numbers: Ints, priorities: Floats) -> None:
        """Give items new priorities; those that are no longer there are passed over."""
        self._tell()
        held = (numbers >= self._told.start) & (numbers < self._told.stop)
        self._set(numbers[held], priorities[held])

    def priority_mass(self) -> float | None:
        """Return what the sampler chooses in proportion to, summed over all items; None: it does not."""
        self._tell()
        return self._sampler.mass()

    def clear(self) -> None:
        """Forget all items and priorities."""
        self.items.clear()
        self._waiting.clear()
        self._tell()
        self._largest = 1.0

    def backup(self) -> Any:
        """Return items and priorities as plain data."""
        self._tell()
        return self.items.backup(), self._priorities[self._slots_of(self._told)], self._largest

    def restore(self, data: Any) -> None:
        """Replace items and priorities by those of a backup; the newest ones if there is no room for all."""
        items, priorities, largest = data
        self.clear()
        self.items.restore(items)
        self._waiting = priorities.tolist()
        self._tell()
        self._largest = largest

    def _checked(self, priority: float | None) -> float:
        if priority is None:
            return self._largest
        value = abs(float(priority))
        if not math.isfinite(value):
            raise ValueError(_NO_NUMBER)
        self._largest = max(self._largest, value)
        return value

    def _added(self, priorities: list[float]) -> None:
        self._waiting += priorities
        if len(self._waiting) >= MOST_WAITING:
            self._tell()

    def _tell(self) -> None:
        """Tell the sampler which items went and which came since it was last told."""
        told, live = self._told, self.items.numbers
        if told == live:
            return
        self._told = live
        gone = np.arange(told.start, min(told.stop, live.start))
        # The slots of most of those that went have new owners already.
        ownerless = gone[self._sampler.numbers(self._sampler.slots(gone), live) >= live.stop]
        if len(ownerless):
            self._sampler.remove(ownerless)
        new = range(max(told.stop, live.start), live.stop)
        self._set(np.arange(new.start, new.stop), np.array(self._waiting[len(self._waiting) - len(new) :]))
        self._waiting.clear()

    def _set(self, numbers: Ints, priorities: Floats) -> None:
        if len(numbers):
            self._priorities[self._sampler.slots(numbers)] = priorities
            self._largest = max(self._largest, float(priorities.max()))
            self._sampler.set(numbers, priorities)

    def _slots_of(self, numbers: range) -> Ints:
        return self._sampler.slots(np.arange(numbers.start, numbers.stop))


def checked_priorities(priorities: Any, count: int) -> Floats:
    """Return absolute priorities, shape (count,). Raises ValueError for another number of them, nan or inf."""
    values = np.abs(np.asarray(priorities, np.float64)).reshape(-1)
    if len(values) != count:
        raise ValueError(f"{len(values)} priorities came for {count} items: give one for each sampled item")
    if not np.isfinite(values).all():
        raise ValueError(_NO_NUMBER)
    return values
