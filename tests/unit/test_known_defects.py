"""Defects of the existing implementation of this API that must not come back: spaces, schedules, learning rates.

Each is named by its place in the specification's details: 1.10 (spaces) and 1.12 (the list of defects, by number).
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from srl.base.define import RLBaseTypes as T
from srl.base.exception import NotSupportedError
from srl.base.spaces import ArrayDiscreteSpace, BoxSpace, ContinuousSpace, DiscreteSpace
from srl.rl.schedulers.lr_scheduler import LRSchedulerConfig
from srl.rl.schedulers.scheduler import SchedulerConfig


@pytest.mark.parametrize(
    ("space", "division_num", "highest"),
    [(ContinuousSpace(-2, 2), 5, 4), (BoxSpace((2,), -1, 1), 1000, 32 * 32 - 1)],
    ids=["continuous", "box"],
)
def test_1_10_a_divided_array_discrete_ends_at_n_minus_1(space, division_num, highest):
    space.create_division_tbl(division_num)
    target = space.set_encode_space(T.ARRAY_DISCRETE)
    assert target == ArrayDiscreteSpace(1, 0, highest)
    assert space.encode_to_space(np.asarray(space.high)) == [highest]
    for index in (0, highest):
        assert space.check_val(space.decode_from_space([index]))


def test_1_10_a_product_beyond_100_000_entries_has_no_value_that_fails():
    space = ArrayDiscreteSpace(6, 0, 9)
    assert space.set_encode_space(T.DISCRETE) == DiscreteSpace(10**6)
    assert space.encode_to_space([9] * 6) == 10**6 - 1
    assert space.decode_from_space(10**6 - 1) == [9] * 6


def test_1_10_a_box_of_all_whole_numbers_needs_no_table():
    space = BoxSpace((6,), 0, 999, np.int64)
    assert space.set_encode_space(T.DISCRETE) == DiscreteSpace(10**18)
    value = np.array([1, 2, 3, 4, 5, 999])
    assert np.array_equal(space.decode_from_space(space.encode_to_space(value)), value)


@pytest.mark.parametrize("division_num", [0, -1])
def test_1_10_dividing_into_nothing_names_the_setting(division_num):
    space = ContinuousSpace(-2, 2)
    space.create_division_tbl(division_num)
    with pytest.raises(NotSupportedError, match="observation_division_num"):
        space.set_encode_space(T.DISCRETE)
    assert space.set_encode_space(T.ARRAY_DISCRETE) == ArrayDiscreteSpace(1, -2, 2)


def test_1_12_6_samples_of_a_box_of_whole_numbers_reach_the_highest():
    low, high = np.array([0, -3]), np.array([1, 5])
    drawn = np.array([BoxSpace((2,), low, high, np.int64).sample() for _ in range(300)])
    assert (drawn.min(axis=0) == low).all()
    assert (drawn.max(axis=0) == high).all()


@pytest.mark.parametrize("base_type", [T.DISCRETE, T.ARRAY_DISCRETE], ids=str)
@pytest.mark.parametrize("space", [BoxSpace((4,)), ContinuousSpace(), ContinuousSpace(low=0)], ids=str)
def test_1_12_6_numbers_without_bounds_become_discrete(space, base_type):
    space.create_division_tbl(1000)
    target = space.set_encode_space(base_type)
    for _ in range(20):
        assert target.check_val(space.encode_to_space(space.sample()))
        assert space.check_val(space.decode_from_space(target.sample()))


LEARNING_RATES = {
    "": LRSchedulerConfig(),
    "step": LRSchedulerConfig().set_step(3, 0.5),
    "exp": LRSchedulerConfig().set_exp(3, 0.5),
    "cosine": LRSchedulerConfig().set_cosine(10),
    "piecewise": LRSchedulerConfig().set_piecewise([2, 4], [0.3, 0.2, 0.1]),
}


@pytest.mark.parametrize("kind", LEARNING_RATES)
def test_1_12_15_every_learning_rate_drives_an_optimizer_of_pytorch(kind):
    torch = pytest.importorskip("torch")
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    schedule = LEARNING_RATES[kind].create(0.1)
    expected = 0.0
    for update in range(6):
        rate = schedule.update(update).to_float()
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        weight.sum().backward()
        optimizer.step()
        expected -= rate
    assert weight.item() == pytest.approx(expected)


def test_1_12_16_a_phase_of_a_chain_is_held_for_its_length():
    schedule = SchedulerConfig().add(0.5, 100).add_linear(1, 0, 100).create()
    values = [schedule.update(step).to_float() for step in (0, 50, 99, 100, 150, 200, 300)]
    assert values == [0.5, 0.5, 0.5, 1, 0.5, 0, 0]
    assert all(a >= b for a, b in itertools.pairwise(values[3:]))
