"""Actions between -1 and 1 in the units of a space."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from srl.base.spaces.np_array import NpArraySpace
from srl.rl.action_scaling import ActionScaling, is_bounded

floats = st.floats(-1e3, 1e3, width=32)


def scaled(space: NpArraySpace, *action: float) -> list[float]:
    result = ActionScaling(space).to_space(np.array(action, np.float32))
    assert result.dtype == space.dtype
    return result.tolist()  # type: ignore[no-any-return]


def test_minus_1_and_1_are_the_bounds() -> None:
    space = NpArraySpace(3, [-1, 0, 2], [3, 10, 4])
    assert scaled(space, -1, -1, -1) == [-1, 0, 2]
    assert scaled(space, 0, 0, 0) == [1, 5, 3]
    assert scaled(space, 1, 1, 1) == [3, 10, 4]


def test_what_is_outside_comes_to_the_border() -> None:
    assert scaled(NpArraySpace(2, -2, 2), -7, 1.5) == [-2, 2]


def test_without_bounds_an_element_keeps_its_unit() -> None:
    space = NpArraySpace(3, [-np.inf, 5, -4], [np.inf, np.inf, 4])
    assert scaled(space, 7, 7, 0.5) == [7, 7, 2]
    assert scaled(space, 7, 3, 0.5) == [7, 5, 2]
    assert is_bounded(space).tolist() == [False, False, True]


def test_whole_numbers_are_rounded() -> None:
    space = NpArraySpace(2, 0, 3, np.int64)
    assert scaled(space, 0.1, 0.9) == [2, 3]


@given(floats, floats, floats)
def test_every_action_is_in_its_space(a: float, b: float, action: float) -> None:
    space = NpArraySpace(1, min(a, b), max(a, b))
    assert space.check_val(ActionScaling(space).to_space(np.array([action], np.float32)))
