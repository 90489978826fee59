"""Importance sampling: what a sample counts, so that frequent ones do not count too much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from srl.rl.memories.drawing import Floats


@dataclass(frozen=True)
class Beta:
    """The exponent of importance weights: it grows linearly to 1 (Schaul et al. 2016, section 3.4)."""

    initial: float
    steps: int
    """At which step it is 1."""

    def __post_init__(self) -> None:
        if not 0 <= self.initial <= 1:
            raise ValueError(f"beta_initial is {self.initial}; it must be between 0 and 1")
        if self.steps < 1:
            raise ValueError(f"beta_steps is {self.steps}; it must be 1 or more")

    def at(self, step: int) -> float:
        """Return the exponent at a training step."""
        return self.initial + (1 - self.initial) * min(1.0, max(0, step) / self.steps)


def importance_weights(probabilities: Floats, count: int, beta: float) -> npt.NDArray[np.float32]:
    """Return (count * P(i)) ** -beta over the largest of the batch, shape (batch,) (Schaul et al. 2016, section 3.4).

    Args:
        probabilities: P(i) of each sampled item, shape (batch,).
        count: how many items the memory holds.
        beta: 0: all weights are 1; 1: sampling by priority is made up for in full.
    """
    weights = (count * probabilities) ** -beta
    return np.asarray(weights / weights.max(), np.float32)


def check_alpha(alpha: float) -> float:
    """Return the exponent or slope of priorities. Raises ValueError below 0."""
    if alpha < 0:
        raise ValueError(f"alpha is {alpha}; it must be 0 (uniform) or more")
    return alpha
