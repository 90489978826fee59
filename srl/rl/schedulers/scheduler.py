"""Values that change with the steps of training, such as an exploration rate.

epsilon = SchedulerConfig().set_linear(1.0, 0.1, phase_steps=10_000).create()
epsilon.update(step).to_float()
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Self

from srl.rl.schedulers.phases import (
    Constant,
    Cosine,
    CosineWithHardRestarts,
    Custom,
    Linear,
    Phase,
    Polynomial,
)
from srl.utils.optional_package import import_optional
from srl.utils.usage import UsageError

_PLOT_POINTS = 500


class Scheduler(ABC):
    """A value that depends on the step."""

    @abstractmethod
    def update(self, step: int) -> Self:
        """Go to a step, which may be any from 0 on; return self."""

    @abstractmethod
    def to_float(self) -> float:
        """Return the value at the step of the last `update`; before any, at step 0."""


@dataclass
class SchedulerConfig:
    """Phases, one after another. `set_...` begins anew, `add_...` appends; all return self.

    `phase_steps` is the length of a phase in steps: at step 0 a ramp has its `start_rate`, at step `phase_steps`
    its `end_rate`, where the next phase begins. After the last phase its end stays. How a ramp goes is said in
    `srl.rl.schedulers.phases`. Numbers that mean nothing raise ValueError.
    """

    phases: list[Phase] = field(default_factory=list)

    def clear(self) -> Self:
        """Remove all phases."""
        self.phases = []
        return self

    def set(self, rate: float) -> Self:
        """Hold one value."""
        return self.clear().add(rate)

    def add(self, rate: float, phase_steps: int = 0) -> Self:
        """Hold one value; without `phase_steps` it is for the last phase."""
        return self._add(Constant(rate, phase_steps))

    def set_linear(self, start_rate: float, end_rate: float, phase_steps: int) -> Self:
        """Go straight from start to end."""
        return self.clear().add_linear(start_rate, end_rate, phase_steps)

    def add_linear(self, start_rate: float, end_rate: float, phase_steps: int) -> Self:
        """Go straight from start to end."""
        return self._add(Linear(start_rate, end_rate, phase_steps))

    def set_cosine(self, start_rate: float, end_rate: float, phase_steps: int) -> Self:
        """Go from start to end along half a period of a cosine."""
        return self.clear().add_cosine(start_rate, end_rate, phase_steps)

    def add_cosine(self, start_rate: float, end_rate: float, phase_steps: int) -> Self:
        """Go from start to end along half a period of a cosine."""
        return self._add(Cosine(start_rate, end_rate, phase_steps))

    def set_cosine_with_hard_restarts(
        self, start_rate: float, end_rate: float, phase_steps: int, num_cycles: int
    ) -> Self:
        """Go `num_cycles` times from start to end along a cosine."""
        return self.clear().add_cosine_with_hard_restarts(start_rate, end_rate, phase_steps, num_cycles)

    def add_cosine_with_hard_restarts(
        self, start_rate: float, end_rate: float, phase_steps: int, num_cycles: int
    ) -> Self:
        """Go `num_cycles` times from start to end along a cosine."""
        return self._add(CosineWithHardRestarts(start_rate, end_rate, phase_steps, num_cycles))

    def set_polynomial(self, start_rate: float, end_rate: float, phase_steps: int, power: float = 2) -> Self:
        """Go from start to end along a polynomial, fast first."""
        return self.clear().add_polynomial(start_rate, end_rate, phase_steps, power)

    def add_polynomial(self, start_rate: float, end_rate: float, phase_steps: int, power: float = 2) -> Self:
        """Go from start to end along a polynomial, fast first."""
        return self._add(Polynomial(start_rate, end_rate, phase_steps, power))

    def set_custom(self, entry_point: str, kwargs: dict[str, Any], phase_steps: int = 0) -> Self:
        """Use a Scheduler of your own, "module.path:ClassName", made with `kwargs`."""
        return self.clear().add_custom(entry_point, kwargs, phase_steps)

    def add_custom(self, entry_point: str, kwargs: dict[str, Any], phase_steps: int = 0) -> Self:
        """Use a Scheduler of your own, "module.path:ClassName", made with `kwargs`."""
        return self._add(Custom(entry_point, kwargs, phase_steps))

    def create(self, val: float | None = None) -> Scheduler:
        """Return the scheduler; `val` is its value where there are no phases.

        Raises UsageError when there is neither.
        """
        phases = self.phases or ([] if val is None else [Constant(val)])
        if not phases:
            raise UsageError("this schedule has no value: call one of its set methods, or create(value)")
        return PhasesScheduler(phases)

    def plot(self, val: float | None = None) -> None:
        """Show the values as a curve. Raises UsageError without matplotlib."""
        plt = import_optional("matplotlib.pyplot", "SchedulerConfig.plot", "plot")
        scheduler = self.create(val)
        last_step = max(1, int(1.1 * sum(phase.length for phase in self.phases)))
        steps = range(0, last_step + 1, max(1, last_step // _PLOT_POINTS))
        plt.plot(steps, [scheduler.update(step).to_float() for step in steps])
        plt.xlabel("step")
        plt.grid(visible=True)
        plt.show()

    def _add(self, phase: Phase) -> Self:
        self.phases.append(phase)
        return self


class PhasesScheduler(Scheduler):
    """The scheduler of phases."""

    def __init__(self, phases: list[Phase]) -> None:
        self._lengths = [phase.length for phase in phases]
        self._values = [phase.make() for phase in phases]
        self.update(0)

    def update(self, step: int) -> Self:
        """Go to a step. Raises ValueError below 0."""
        if step < 0:
            raise ValueError(f"step is {step}; it must be 0 or more")
        last = len(self._values) - 1
        phase = 0
        while phase < last and step >= self._lengths[phase]:
            step -= self._lengths[phase]
            phase += 1
        self._value = self._values[phase](step)
        return self

    def to_float(self) -> float:
        return self._value
