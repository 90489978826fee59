"""Items chosen by the rank of their priority, so that a few very large ones do not take over."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from srl.rl.memories.drawing import Floats, Ints, draw_distinct_weighted
from srl.rl.memories.priority_memories.importance import Beta, check_alpha, importance_weights
from srl.rl.memories.priority_memories.priority_sampler import PrioritySampler

STALE_SHARE = 0.01
"""Ranks are made anew when this share of priorities has changed. Schaul et al. 2016 (appendix B.2.1) wait longer."""


class RankBased(PrioritySampler):
    """P(i) in proportion to (1 / rank(i)) ** alpha; the largest priority has rank 1 (Schaul et al. 2016, section 3.3).

    No item is in a batch twice: items are drawn one after the other from those left. An item that came since ranks
    were last made has the rank of the item whose slot it took, if any.

    Args:
        capacity: most items at a time.
        alpha: 0: uniform; the larger, the more the first ranks have.
        beta_initial: exponent of importance weights at step 0...
        beta_steps: ...which is 1 from this step on.
    """

    def __init__(
        self, capacity: int, alpha: float = 0.6, beta_initial: float = 0.4, beta_steps: int = 1_000_000
    ) -> None:
        super().__init__(capacity)
        self._alpha = check_alpha(alpha)
        self._beta = Beta(beta_initial, beta_steps)
        self._priorities = np.zeros(capacity)
        self._slots: Ints
        self._weights: Floats
        self._sums: Floats
        self._forget_ranks()

    def rank_weights(self, count: int) -> Floats:
        """Return what P is in proportion to, for ranks 1 to `count`, largest first."""
        return np.arange(1, count + 1, dtype=np.float64) ** -self._alpha

    def set(self, numbers: Ints, priorities: Floats) -> None:
        """See PrioritySampler."""
        self._priorities[self.slots(numbers)] = priorities
        self._changes += len(numbers)

    def remove(self, numbers: Ints) -> None:
        """See PrioritySampler."""
        self._forget_ranks()

    def sample(
        self, live: range, size: int, step: int, rng: np.random.Generator
    ) -> tuple[Ints, npt.NDArray[np.float32]]:
        """See PrioritySampler."""
        if len(self._slots) < size or self._changes >= max(1, STALE_SHARE * len(live)):
            self._rank(live)
        ranks = self._draw(size, rng)
        probabilities = self._weights[ranks] / self._sums[-1]
        weights = importance_weights(probabilities, len(self._slots), self._beta.at(step))
        return self.numbers(self._slots[ranks], live), weights

    def _draw(self, size: int, rng: np.random.Generator) -> Ints:
        return draw_distinct_weighted(
            rng,
            draw=lambda count: np.searchsorted(self._sums[:-1], rng.random(count) * self._sums[-1], side="right"),
            weights=lambda: self._weights,
            size=size,
        )

    def _rank(self, live: range) -> None:
        """Sort the items, older ones first among equals."""
        slots = self.slots(np.arange(live.start, live.stop))
        self._slots = slots[np.argsort(-self._priorities[slots], kind="stable")]
        if len(self._weights) != len(slots):
            self._weights = self.rank_weights(len(slots))
            self._sums = self._weights.cumsum()
        self._changes = 0

    def _forget_ranks(self) -> None:
        self._slots = np.zeros(0, np.int64)
        self._weights = np.zeros(0)
        self._sums = np.zeros(0)
        self._changes = 0


class RankBasedLinear(RankBased):
    """P(i) in proportion to 1 + alpha * (count - rank(i)): from rank to rank it falls by the same amount."""

    def rank_weights(self, count: int) -> Floats:
        """See RankBased."""
        return 1 + self._alpha * np.arange(count - 1, -1, -1, dtype=np.float64)
