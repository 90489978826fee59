from __future__ import annotations

import math
import sys
import types
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srl.rl.schedulers.lr_scheduler import LRSchedulerConfig
from srl.rl.schedulers.scheduler import Scheduler, SchedulerConfig
from srl.utils.plain_data import from_plain, to_plain
from srl.utils.usage import UsageError

rates = st.floats(-1e6, 1e6)
lengths = st.integers(1, 1000)
steps = st.integers(0, 5000)

RAMPS = {
    "linear": SchedulerConfig.add_linear,
    "cosine": SchedulerConfig.add_cosine,
    "polynomial": SchedulerConfig.add_polynomial,
    "restarts": lambda config, start, end, length: config.add_cosine_with_hard_restarts(start, end, length, 3),
}
ramps = st.lists(st.tuples(st.sampled_from(sorted(RAMPS)), rates, rates, lengths), min_size=1, max_size=4)


def at(config: SchedulerConfig, step: int) -> float:
    return config.create().update(step).to_float()


def values(config: SchedulerConfig, *at_steps: int) -> list[float]:
    return [at(config, step) for step in at_steps]


class Squares(Scheduler):
    """A user's own."""

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor
        self.step = 0

    def update(self, step: int) -> Squares:
        self.step = step
        return self

    def to_float(self) -> float:
        return self.factor * self.step**2


def test_closed_forms() -> None:
    assert values(SchedulerConfig().set(0.3), 0, 1, 10**9) == [0.3] * 3
    assert values(SchedulerConfig().set_linear(1, 0, 10), 0, 1, 5, 10) == pytest.approx([1, 0.9, 0.5, 0])
    cosine = [0.2 + 0.4 * (1 + math.cos(math.pi * x)) for x in (0, 0.1, 0.5, 1)]
    assert values(SchedulerConfig().set_cosine(1, 0.2, 10), 0, 1, 5, 10) == pytest.approx(cosine)
    assert values(SchedulerConfig().set_polynomial(1, 0.2, 10), 0, 1, 5) == pytest.approx([1, 0.848, 0.4])
    assert values(SchedulerConfig().set_polynomial(1, 0, 10, power=3), 5) == pytest.approx([0.125])
    restarts = SchedulerConfig().set_cosine_with_hard_restarts(1, 0.2, 20, 2)
    assert values(restarts, 0, 10, 20, 99) == [1, 1, 0.2, 0.2]
    assert values(restarts, 9) == pytest.approx(values(SchedulerConfig().set_cosine(1, 0.2, 10), 9))


def test_a_constant_phase_is_held_before_a_ramp() -> None:
    config = SchedulerConfig()
    config.add(0.5, 100)
    config.add_linear(1, 0, 100)
    assert values(config, 0, 50, 99, 100, 150, 200, 500) == [0.5, 0.5, 0.5, 1, 0.5, 0, 0]


def test_a_constant_without_length_takes_no_time_before_a_ramp() -> None:
    assert values(SchedulerConfig().set(5).add_linear(1, 0, 10), 0, 5) == [1, 0.5]


@given(ramps)
def test_chained_phases_begin_and_end_exactly(phases: list[tuple[str, float, float, int]]) -> None:
    config = SchedulerConfig()
    for kind, start, end, length in phases:
        RAMPS[kind](config, start, end, length)
    scheduler = config.create()
    begin = 0
    for _, start, _, length in phases:
        assert scheduler.update(begin).to_float() == start
        begin += length
    for after in (0, 1, 10**6):
        assert scheduler.update(begin + after).to_float() == phases[-1][2]


@given(st.sampled_from(sorted(RAMPS)), rates, rates, lengths, steps)
def test_a_ramp_stays_between_its_ends(kind: str, start: float, end: float, length: int, step: int) -> None:
    value = at(RAMPS[kind](SchedulerConfig(), start, end, length), step)
    slack = 1e-9 * max(1, abs(start), abs(end))
    assert min(start, end) - slack <= value <= max(start, end) + slack


@given(st.sampled_from(["linear", "cosine", "polynomial"]), lengths, steps)
def test_a_ramp_never_turns(kind: str, length: int, step: int) -> None:
    config = RAMPS[kind](SchedulerConfig(), 1.0, 0.0, length)
    assert at(config, step) >= at(config, step + 1)


@given(ramps, steps, steps)
def test_the_value_depends_on_the_step_alone(phases: Any, first: int, second: int) -> None:
    config = SchedulerConfig()
    for kind, start, end, length in phases:
        RAMPS[kind](config, start, end, length)
    scheduler = config.create()
    assert scheduler.update(first).update(second).to_float() == at(config, second)


def test_set_begins_anew_and_clear_empties() -> None:
    config = SchedulerConfig().add(1, 5).set_linear(0, 1, 10)
    assert len(config.phases) == 1
    assert config.clear().phases == []


def test_without_phases_the_given_value_holds() -> None:
    assert SchedulerConfig().create(0.7).update(99).to_float() == 0.7
    assert SchedulerConfig().set(0.1).create(0.7).to_float() == 0.1
    with pytest.raises(UsageError, match="no value: call one of its set methods"):
        SchedulerConfig().create()


def test_a_custom_scheduler() -> None:
    own = f"{__name__}:Squares"
    assert values(SchedulerConfig().set_custom(own, {"factor": 2}), 0, 3, 10) == [0, 18, 200]
    limited = SchedulerConfig().add_custom(own, {}, phase_steps=4)
    assert values(limited, 3, 4, 100) == [9, 16, 16]
    assert values(limited.add(0.5), 3, 4, 100) == [9, 0.5, 0.5]
    with pytest.raises(UsageError, match="has no 'Cubes'"):
        SchedulerConfig().set_custom(f"{__name__}:Cubes", {}).create()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda c: c.set_linear(1, 0, 0), "phase_steps is 0; it must be 1 or more"),
        (lambda c: c.add(1, -1), "phase_steps is -1; it must be 0 or more"),
        (lambda c: c.add_custom("a:B", {}, -1), "phase_steps is -1"),
        (lambda c: c.set_cosine_with_hard_restarts(1, 0, 10, 0), "num_cycles is 0"),
        (lambda c: c.set_polynomial(1, 0, 10, 0), "power is 0; it must be above 0"),
        (lambda c: c.set(1).create().update(-1), "step is -1"),
    ],
)
def test_numbers_that_mean_nothing(build: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(SchedulerConfig())


def test_a_schedule_is_kept_in_configuration_files() -> None:
    config = SchedulerConfig().add(0.5, 100).add_cosine_with_hard_restarts(1, 0, 50, 2).add_custom("a:B", {"x": 1})
    assert from_plain(to_plain(config)) == config


def test_plot_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(UsageError, match=r"SchedulerConfig\.plot needs matplotlib: pip install 'srl-cluster\[plot\]'"):
        SchedulerConfig().set(1).plot()


def test_plot_draws_the_values(monkeypatch: pytest.MonkeyPatch) -> None:
    curves: list[tuple[Any, Any]] = []
    plt = types.SimpleNamespace(
        plot=lambda x, y: curves.append((list(x), y)), xlabel=str, grid=lambda visible: None, show=lambda: None
    )
    monkeypatch.setitem(sys.modules, "matplotlib", types.ModuleType("matplotlib"))
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", plt)
    SchedulerConfig().set_linear(10, 0, 10).plot()
    assert curves == [(list(range(12)), pytest.approx([10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]))]


def lr_at(config: LRSchedulerConfig, *at_steps: int) -> list[float]:
    scheduler = config.create(0.1)
    return [scheduler.update(step).to_float() for step in at_steps]


def test_learning_rates() -> None:
    assert lr_at(LRSchedulerConfig(), 0, 10**6) == [0.1, 0.1]
    assert lr_at(LRSchedulerConfig().set_step(10, 0.5), 0, 9, 10, 20) == pytest.approx([0.1, 0.1, 0.05, 0.025])
    assert lr_at(LRSchedulerConfig().set_exp(10, 0.25), 0, 5, 10) == pytest.approx([0.1, 0.05, 0.025])
    assert lr_at(LRSchedulerConfig().set_cosine(10, 0.02), 0, 5, 10, 99) == pytest.approx([0.1, 0.06, 0.02, 0.02])
    pieces = LRSchedulerConfig().set_piecewise([10, 20], [3.0, 2.0, 1.0])
    assert lr_at(pieces, 0, 9, 10, 19, 20, 99) == [3, 3, 2, 2, 1, 1]
    assert lr_at(pieces.clear(), 99) == [0.1]


def test_the_warm_up() -> None:
    config = LRSchedulerConfig(warmup_steps=4).set_step(10, 0.5)
    assert lr_at(config, 0, 1, 3, 4, 13, 14) == pytest.approx([0.025, 0.05, 0.1, 0.1, 0.1, 0.05])


@given(st.sampled_from(["step", "exp", "cosine"]), st.integers(1, 1000), steps)
def test_learning_rates_never_rise(kind: Any, decay_steps: int, step: int) -> None:
    now, later = lr_at(LRSchedulerConfig(kind, decay_steps), step, step + 1)
    assert now >= later >= 0


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (LRSchedulerConfig("linear"), "schedule_type is 'linear'"),  # type: ignore[arg-type]
        (LRSchedulerConfig("step", decay_steps=0), "decay_steps is 0"),
        (LRSchedulerConfig(warmup_steps=-1), "warmup_steps is -1"),
        (LRSchedulerConfig().set_piecewise([1, 2], [0.1]), "2 piecewise_boundaries and 1 piecewise_values"),
        (LRSchedulerConfig().set_piecewise([2, 2], [3, 2, 1]), "each must be above the one before"),
    ],
)
def test_wrong_learning_rates(config: LRSchedulerConfig, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        config.create(0.1)


def test_no_learning_rate_before_the_first_update() -> None:
    with pytest.raises(ValueError, match="step is -1"):
        LRSchedulerConfig().create(0.1).update(-1)
