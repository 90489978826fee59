"""Learning rates that change with the number of updates, whatever computes the updates.

With s updates since the end of the warm-up, and d = decay_steps:

| schedule_type | learning rate                                                |
|---------------|--------------------------------------------------------------|
| ""            | lr                                                           |
| "step"        | lr * decay_rate ** floor(s / d)                              |
| "exp"         | lr * decay_rate ** (s / d)                                   |
| "cosine"      | min_lr + (lr - min_lr) * (1 + cos(pi * min(1, s / d))) / 2   |
| "piecewise"   | piecewise_values[i], i the number of boundaries that s has reached |

In the warm-up of w updates the rate of its end is multiplied by (update + 1) / w: Goyal et al. (2017), section 2.2,
arXiv:1706.02677. Cosine: Loshchilov and Hutter (2017), equation 5, arXiv:1608.03983.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, Self, get_args

from srl.rl.schedulers.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Callable

ScheduleType = Literal["", "step", "exp", "cosine", "piecewise"]


@dataclass
class LRSchedulerConfig:
    """How a learning rate changes. The `set_...` methods return self."""

    schedule_type: ScheduleType = ""
    decay_steps: int = 100_000
    """Updates: of one stair ("step"), for one factor `decay_rate` ("exp"), to the end ("cosine")."""
    decay_rate: float = 0.1
    min_lr: float = 0.000_001
    warmup_steps: int = 0
    """Updates in which the rate rises from near 0."""
    piecewise_boundaries: list[int] = field(default_factory=list)
    """Rising numbers of updates at which the next value begins."""
    piecewise_values: list[float] = field(default_factory=list)
    """One more than boundaries."""

    def clear(self) -> Self:
        """Keep the learning rate as it is."""
        return self.set_constant()

    def set_constant(self) -> Self:
        """Keep the learning rate as it is."""
        self.schedule_type = ""
        return self

    def set_step(self, decay_steps: int = 100_000, decay_rate: float = 0.1) -> Self:
        """Multiply by `decay_rate` after every `decay_steps` updates."""
        self.schedule_type, self.decay_steps, self.decay_rate = "step", decay_steps, decay_rate
        return self

    def set_exp(self, decay_steps: int = 100_000, decay_rate: float = 0.1) -> Self:
        """Decay smoothly, by `decay_rate` in `decay_steps` updates."""
        self.schedule_type, self.decay_steps, self.decay_rate = "exp", decay_steps, decay_rate
        return self

    def set_cosine(self, decay_steps: int = 100_000, min_lr: float = 0.000_001) -> Self:
        """Go down to `min_lr` along half a period of a cosine."""
        self.schedule_type, self.decay_steps, self.min_lr = "cosine", decay_steps, min_lr
        return self

    def set_piecewise(self, piecewise_boundaries: list[int], piecewise_values: list[float]) -> Self:
        """Hold one value between two boundaries; the learning rate itself is not used."""
        self.schedule_type = "piecewise"
        self.piecewise_boundaries, self.piecewise_values = piecewise_boundaries, piecewise_values
        return self

    def create(self, lr: float) -> Scheduler:
        """Return the learning rate by the number of updates. Raises ValueError as `validate_params`."""
        self.validate_params()
        return _LRScheduler(self._decay(lr), self.warmup_steps)

    def validate_params(self) -> None:
        """Raise ValueError that names the field that cannot be as it is."""
        if self.schedule_type not in get_args(ScheduleType):
            raise ValueError(f"schedule_type is '{self.schedule_type}'; it must be one of {get_args(ScheduleType)}")
        if self.decay_steps < 1:
            raise ValueError(f"decay_steps is {self.decay_steps}; it must be 1 or more")
        if self.warmup_steps < 0:
            raise ValueError(f"warmup_steps is {self.warmup_steps}; it must be 0 or more")
        if self.schedule_type == "piecewise":
            self._validate_pieces()

    def _validate_pieces(self) -> None:
        boundaries, values = self.piecewise_boundaries, self.piecewise_values
        if len(values) != len(boundaries) + 1:
            raise ValueError(
                f"there are {len(boundaries)} piecewise_boundaries and {len(values)} piecewise_values; "
                "it must be one value more than boundaries"
            )
        if any(left >= right for left, right in pairwise(boundaries)):
            raise ValueError(f"piecewise_boundaries is {boundaries}; each must be above the one before")

    def _decay(self, lr: float) -> Callable[[int], float]:
        decays: dict[str, Callable[[int], float]] = {
            "": lambda _step: lr,
            "step": lambda step: lr * self.decay_rate ** (step // self.decay_steps),
            "exp": lambda step: lr * self.decay_rate ** (step / self.decay_steps),
            "cosine": lambda step: self._cosine(lr, min(1.0, step / self.decay_steps)),
            "piecewise": lambda step: self.piecewise_values[bisect_right(self.piecewise_boundaries, step)],
        }
        return decays[self.schedule_type]

    def _cosine(self, lr: float, x: float) -> float:
        remaining = (1 + math.cos(math.pi * x)) / 2
        return remaining * lr + (1 - remaining) * self.min_lr


class _LRScheduler(Scheduler):
    def __init__(self, decay: Callable[[int], float], warmup_steps: int) -> None:
        self._decay = decay
        self._warmup_steps = warmup_steps
        self.update(0)

    def update(self, step: int) -> Self:
        """Go to a number of updates. Raises ValueError below 0."""
        if step < 0:
            raise ValueError(f"step is {step}; it must be 0 or more")
        self._lr = self._rise(step) * self._decay(max(0, step - self._warmup_steps))
        return self

    def to_float(self) -> float:
        return self._lr

    def _rise(self, step: int) -> float:
        return min(1.0, (step + 1) / self._warmup_steps) if self._warmup_steps else 1.0
