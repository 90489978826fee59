"""The phases of a schedule: each gives a value for every step since its own begin.

With x = step / phase_steps, and `mix(x)` on the straight line from start to end:

| phase                  | value                                                                            |
|------------------------|----------------------------------------------------------------------------------|
| Linear                 | mix(x)                                                                           |
| Cosine                 | mix((1 - cos(pi x)) / 2)                                                         |
| CosineWithHardRestarts | a Cosine in each of `num_cycles` cycles                                          |
| Polynomial             | mix(1 - (1 - x) ** power)                                                        |

Cosine annealing, with restarts: Loshchilov and Hutter (2017), SGDR, equation 5, arXiv:1608.03983.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from srl.utils.entry_point import load_module

Schedule = Callable[[int], float]
"""From the number of steps since the begin of the phase to the value."""


@dataclass
class Phase(ABC):
    """A part of a schedule, `phase_steps` long; the last part of a schedule stays at its end."""

    @property
    @abstractmethod
    def length(self) -> int:
        """Return how many steps it takes before the next phase begins."""

    @abstractmethod
    def make(self) -> Schedule:
        """Return the values, for any step from 0 on."""


@dataclass
class Constant(Phase):
    """One value. A `phase_steps` of 0 is for the last phase: it takes no time where another one follows."""

    rate: float
    phase_steps: int = 0

    def __post_init__(self) -> None:
        _require_at_least(0, phase_steps=self.phase_steps)

    @property
    def length(self) -> int:
        return self.phase_steps

    def make(self) -> Schedule:
        return lambda _step: self.rate


@dataclass
class Ramp(Phase):
    """From a start, which is the value of step 0, to an end, which is that of step `phase_steps`."""

    start_rate: float
    end_rate: float
    phase_steps: int

    def __post_init__(self) -> None:
        _require_at_least(1, phase_steps=self.phase_steps)

    @property
    def length(self) -> int:
        return self.phase_steps

    def make(self) -> Schedule:
        return self.value

    def value(self, step: int) -> float:
        """Return the value of a step; the end from `phase_steps` on."""
        x = min(1.0, step / self.phase_steps)
        way = self.way(x) if x < 1 else 1.0
        return (1 - way) * self.start_rate + way * self.end_rate

    @abstractmethod
    def way(self, x: float) -> float:
        """Return which part of the way is done (0 to 1) at the part `x` of the time."""


@dataclass
class Linear(Ramp):
    """At an even pace."""

    def way(self, x: float) -> float:
        return x


@dataclass
class Cosine(Ramp):
    """Slowly at both ends: half a period of a cosine."""

    def way(self, x: float) -> float:
        return (1 - math.cos(math.pi * x)) / 2


@dataclass
class CosineWithHardRestarts(Ramp):
    """A Cosine several times over; every cycle begins at the start again."""

    num_cycles: int

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_at_least(1, num_cycles=self.num_cycles)

    def way(self, x: float) -> float:
        return (1 - math.cos(math.pi * (x * self.num_cycles % 1.0))) / 2


@dataclass
class Polynomial(Ramp):
    """Fast first and slowly at the end, with a power above 1."""

    power: float = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.power > 0:
            raise ValueError(f"power is {self.power}; it must be above 0")

    def way(self, x: float) -> float:
        return float(1 - (1 - x) ** self.power)


@dataclass
class Custom(Phase):
    """A Scheduler of the user's own, by its entry point "module.path:ClassName" and arguments.

    With a `phase_steps` above 0 it stays at the value of that step; with 0 it goes on, as a last phase.
    """

    entry_point: str
    kwargs: dict[str, Any] = field(default_factory=dict)
    phase_steps: int = 0

    def __post_init__(self) -> None:
        _require_at_least(0, phase_steps=self.phase_steps)

    @property
    def length(self) -> int:
        return self.phase_steps

    def make(self) -> Schedule:
        scheduler = load_module(self.entry_point)(**self.kwargs)
        last_step = self.phase_steps or math.inf
        return lambda step: float(scheduler.update(min(step, last_step)).to_float())


def _require_at_least(least: int, **numbers: int) -> None:
    for name, number in numbers.items():
        if number < least:
            raise ValueError(f"{name} is {number}; it must be {least} or more")
