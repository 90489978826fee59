"""How often experience is to be trained on in distributed training, as an algorithm's Config asks for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """Every inserted item is to be sampled `samples_per_insert` times on average.

    Raises ValueError for values that cannot be.
    """

    samples_per_insert: float
    """Items sampled for each item inserted: batch size / steps from one update to the next."""
    batch_items: int
    """Items that one batch has."""
    minimum_items: int = 1
    """Until so many items are inserted, nothing is sampled and nobody waits."""
    tolerance_items: float = 0
    """How many samples more or fewer than the target there may be; 0: a little more than chunks and batches need."""

    def __post_init__(self) -> None:
        self._check("samples_per_insert", self.samples_per_insert > 0, "above 0")
        self._check("batch_items", self.batch_items >= 1, "1 or more")
        self._check("minimum_items", self.minimum_items >= 1, "1 or more")
        self._check("tolerance_items", self.tolerance_items >= 0, "0 or more")

    def _check(self, name: str, holds: bool, rule: str) -> None:
        if not holds:
            raise ValueError(f"RateLimit.{name} is {getattr(self, name)}; it must be {rule}")
