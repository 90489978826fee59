"""How long to wait before something that failed is tried again."""

from __future__ import annotations

import random


class Backoff:
    """Longer after each failure, up to a bound, and never as long as others wait: they do not come back all at once.

    Args:
        first_s: the longest that the first wait may be.
        longest_s: the longest that any wait may be.
    """

    def __init__(self, first_s: float, longest_s: float) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._bound_s = first_s

    def next_s(self) -> float:
        """Return how long to wait now, in seconds: between half of the bound and the bound, which doubles."""
        bound_s = self._bound_s
        self._bound_s = min(2 * bound_s, self._longest_s)
        return bound_s * random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Begin anew: it worked."""
        self._bound_s = self._first_s
