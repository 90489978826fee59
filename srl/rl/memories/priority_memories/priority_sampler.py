"""What a way to choose items by priority must be able to do. Derive from it for `set_custom`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from srl.rl.memories.drawing import Floats, Ints


class PrioritySampler(ABC):
    """Knows items by their numbers only: they count up from 0, and at most `capacity` of the newest are there.

    Number n may be kept in slot n % capacity of an array: the item that had the slot before is gone.

    Args:
        capacity: most items at a time.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity

    @abstractmethod
    def set(self, numbers: Ints, priorities: Floats) -> None:
        """Take in new items, or new priorities of items. Both have shape (n,); priorities are finite and 0 or more."""

    @abstractmethod
    def remove(self, numbers: Ints) -> None:
        """Forget items whose slots no newer item takes."""

    @abstractmethod
    def sample(
        self, live: range, size: int, step: int, rng: np.random.Generator
    ) -> tuple[Ints, npt.NDArray[np.float32]]:
        """Return numbers of `size` items and their importance weights, each of shape (size,).

        Args:
            live: the numbers of all items that are there, `size` or more.
            size: how many to choose.
            step: of training, for what changes with time.
            rng: where random numbers come from.
        """

    def mass(self) -> float | None:
        """Return what items are chosen in proportion to, summed over all of them; None: they are not so chosen."""
        return None

    def slots(self, numbers: Ints) -> Ints:
        """Return the slots of items."""
        return numbers % self.capacity

    def numbers(self, slots: Ints, live: range) -> Ints:
        """Return the numbers of the items that have these slots."""
        return live.start + (slots - live.start) % self.capacity
