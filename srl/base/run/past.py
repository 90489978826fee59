"""Past: what earlier runs have done that a run goes on from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Past:
    """Where a run begins. All zero: nothing came before, or it is left alone."""

    train_count: int = 0
    total_step: int = 0
    episode_count: int = 0
    elapsed_s: float = 0.0
    worker_steps: list[int] = field(default_factory=list)
    """By worker, its `step_in_training`."""
    seed: int | None = None
    """The seed that all of it was done with."""
    random_states: dict[str, Any] = field(default_factory=dict)
    """Of the global generators, as `srl.utils.seed.random_states` returns them; empty without a seed."""

    def has_randomness_of(self, seed: int | None) -> bool:
        """Tell whether a run with this seed is to draw the random numbers that come next."""
        return seed is not None and seed == self.seed and bool(self.random_states)
