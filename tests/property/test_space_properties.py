"""For all spaces: what comes out of an encoder is in its space, and comes back as the same value."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srl.base.define import RLBaseTypes as T
from srl.base.spaces import (
    ArrayContinuousSpace,
    ArrayDiscreteSpace,
    BoxSpace,
    ContinuousSpace,
    DiscreteSpace,
    MultiSpace,
    NpArraySpace,
    SpaceEncodeOptions,
)
from srl.base.spaces.lattice import Lattice, draw_index

sizes = st.integers(1, 4)
lows = st.integers(-5, 5)
widths = st.integers(0, 6)

whole = st.one_of(
    st.builds(DiscreteSpace, st.integers(1, 20), lows),
    st.builds(lambda size, low, width: ArrayDiscreteSpace(size, low, low + width), sizes, lows, widths),
    st.builds(lambda size, low, width: NpArraySpace(size, low, low + width, np.int64), sizes, lows, widths),
    st.builds(lambda rows, low, width: BoxSpace((rows, 2), low, low + width, np.int32), sizes, lows, widths),
)
fractional = st.one_of(
    st.builds(lambda low, width: ContinuousSpace(low, low + width), lows, widths),
    st.builds(lambda size, low, width: ArrayContinuousSpace(size, low, low + width), sizes, lows, widths),
    st.builds(lambda size, low, width: NpArraySpace(size, low, low + width), sizes, lows, widths),
    st.builds(lambda rows, low, width: BoxSpace((rows, 2), low, low + width), sizes, lows, widths),
)
several = st.builds(lambda a, b: MultiSpace([a, b]), whole, whole)
options = st.builds(
    SpaceEncodeOptions,
    cast=st.booleans(),
    np_zero_start=st.booleans(),
    np_norm_type=st.sampled_from(["", "0to1", "-1to1"]),
)


@settings(max_examples=60, deadline=None)
@given(space=st.one_of(whole, several), how=options)
def test_whole_numbers_survive_every_conversion(space, how):
    value = space.sample()
    for base_type in space.get_encode_list():
        target = space.set_encode_space(base_type, how)
        code = space.encode_to_space(value)
        assert target.check_val(target.sanitize(code))
        back = space.decode_from_space(code)
        assert space.check_val(back)
        assert space.equal_val(back, value)


@settings(max_examples=60, deadline=None)
@given(space=fractional, division_num=st.integers(1, 200))
def test_fractions_come_back_within_one_step_of_the_grid(space, division_num):
    space.create_division_tbl(division_num)
    target = space.set_encode_space(T.DISCRETE)
    value = space.sample()
    code = space.encode_to_space(value)
    assert target.check_val(code)
    width = float(np.max(np.asarray(space.high, float) - np.asarray(space.low, float)))
    assert np.max(np.abs(np.asarray(space.decode_from_space(code)) - np.asarray(value))) <= width / 2 + 1e-5


@settings(max_examples=60, deadline=None)
@given(space=fractional, how=options)
def test_fractions_survive_arrays(space, how):
    value = space.sample()
    for base_type in (T.ARRAY_CONTINUOUS, T.NP_ARRAY, T.BOX):
        target = space.set_encode_space(base_type, how)
        code = space.encode_to_space(value)
        assert target.check_val(target.sanitize(code))
        assert np.allclose(space.decode_from_space(code), value, atol=1e-4)


@given(low=st.lists(lows, min_size=1, max_size=4), width=st.integers(0, 3))
def test_a_lattice_numbers_each_row_once(low, width):
    lattice = Lattice(low, [x + width for x in low])
    assert [lattice.index(lattice.row(i)) for i in range(lattice.size)] == list(range(lattice.size))


@given(size=st.integers(1, 30), excluded=st.sets(st.integers(-3, 33)))
def test_draws_are_in_range_and_not_excluded(size, excluded):
    if set(range(size)) <= excluded:
        with pytest.raises(ValueError):
            draw_index(size, excluded)
    else:
        assert draw_index(size, excluded) in set(range(size)) - excluded
