"""Items chosen in proportion to their priority."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from srl.rl.memories.drawing import Floats, Ints, draw_distinct_weighted
from srl.rl.memories.priority_memories.importance import Beta, check_alpha, importance_weights
from srl.rl.memories.priority_memories.priority_sampler import PrioritySampler
from srl.rl.memories.priority_memories.sum_tree import SumTree


class Proportional(PrioritySampler):
    """P(i) = p_i / sum of p, p_i = (priority_i + epsilon) ** alpha (Schaul et al. 2016, equation 1, section 3.3).

    Args:
        capacity: most items at a time.
        alpha: 0: uniform; 1: in full proportion.
        beta_initial: exponent of importance weights at step 0...
        beta_steps: ...which is 1 from this step on.
        has_duplicate: an item may be in a batch more than once. The total is then cut into equal strata with one draw
            each (appendix B.2.1); without, items are drawn one after the other from those left.
        epsilon: what even an item of priority 0 has.
    """

    def __init__(
        self,
        capacity: int,
        alpha: float = 0.6,
        beta_initial: float = 0.4,
        beta_steps: int = 1_000_000,
        has_duplicate: bool = True,
        epsilon: float = 0.0001,
    ) -> None:
        super().__init__(capacity)
        if epsilon <= 0:
            raise ValueError(f"epsilon is {epsilon}; it must be above 0, for items of priority 0")
        self._alpha = check_alpha(alpha)
        self._beta = Beta(beta_initial, beta_steps)
        self._has_duplicate = has_duplicate
        self._epsilon = epsilon
        self._tree = SumTree(capacity)

    def set(self, numbers: Ints, priorities: Floats) -> None:
        """See PrioritySampler."""
        self._tree.set(self.slots(numbers), (priorities + self._epsilon) ** self._alpha)

    def remove(self, numbers: Ints) -> None:
        """See PrioritySampler."""
        self._tree.set(self.slots(numbers), np.zeros(len(numbers)))

    def mass(self) -> float:
        """See PrioritySampler."""
        return float(self._tree.total())

    def sample(
        self, live: range, size: int, step: int, rng: np.random.Generator
    ) -> tuple[Ints, npt.NDArray[np.float32]]:
        """See PrioritySampler."""
        total = self._tree.total()
        slots = self._strata(size, total, rng) if self._has_duplicate else self._distinct(size, total, rng)
        weights = importance_weights(self._tree.get(slots) / total, len(live), self._beta.at(step))
        return self.numbers(slots, live), weights

    def _strata(self, size: int, total: float, rng: np.random.Generator) -> Ints:
        return self._tree.find((np.arange(size) + rng.random(size)) * (total / size))

    def _distinct(self, size: int, total: float, rng: np.random.Generator) -> Ints:
        return draw_distinct_weighted(
            rng,
            draw=lambda count: self._tree.find(rng.random(count) * total),
            weights=lambda: self._tree.get(np.arange(self.capacity)),
            size=size,
        )
