"""No priorities: every item is as likely as any other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from srl.rl.memories.drawing import Floats, Ints, draw_distinct
from srl.rl.memories.priority_memories.priority_sampler import PrioritySampler


class Uniform(PrioritySampler):
    """Different items, each choice of them equally likely, of weight 1."""

    def set(self, numbers: Ints, priorities: Floats) -> None:
        """Do nothing: priorities do not count."""

    def remove(self, numbers: Ints) -> None:
        """Do nothing: `sample` is told which items are there."""

    def sample(
        self, live: range, size: int, step: int, rng: np.random.Generator
    ) -> tuple[Ints, npt.NDArray[np.float32]]:
        """See PrioritySampler."""
        return live.start + draw_distinct(rng, len(live), size), np.ones(size, np.float32)
