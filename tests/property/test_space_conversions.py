"""Every conversion of every kind of space: what comes out is in its space, and what comes back is right.

For each (space, base type): an encoded value is in the algorithm's space, a value drawn from the algorithm's space
decodes into the environment's, and a value that went there and back is

- the same, where the values are whole numbers, text, or both spaces hold the same fractions,
- within float32's rounding, where fractions were scaled or cast,
- the nearest point, where fractions were divided: half a step away at most, and the same point when encoded again,
- the nearest whole number within the bounds, where fractions were rounded.
"""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srl.base.define import RLBaseTypes as T
from srl.base.define import SpaceTypes
from srl.base.spaces import (
    ArrayContinuousSpace,
    ArrayDiscreteSpace,
    BoxSpace,
    ContinuousSpace,
    DiscreteSpace,
    MultiSpace,
    NpArraySpace,
    SpaceEncodeOptions,
    TextSpace,
)

sizes = st.integers(1, 3)
lows = st.integers(-5, 5)
widths = st.integers(0, 6)
few = settings(max_examples=5, deadline=None)

WHOLE = {
    "Discrete": st.builds(DiscreteSpace, st.integers(1, 20), lows),
    "ArrayDiscrete": st.builds(lambda n, low, width: ArrayDiscreteSpace(n, low, low + width), sizes, lows, widths),
    "NpArray int64": st.builds(lambda n, low, w: NpArraySpace(n, low, low + w, np.int64), sizes, lows, widths),
    "Box int32": st.builds(lambda n, low, width: BoxSpace((n, 2), low, low + width, np.int32), sizes, lows, widths),
    "Box uint8": st.builds(lambda n: BoxSpace((n, 2), 0, 255, np.uint8, SpaceTypes.GRAY_HW), sizes),
    "Box bool": st.builds(lambda n: BoxSpace((n,), 0, 1, np.bool_), sizes),
    "Text": st.builds(lambda n: TextSpace(n, charset="abc"), st.integers(0, 5)),
    "Multi": st.builds(lambda n, low: MultiSpace([DiscreteSpace(n, low), ArrayDiscreteSpace(2, 0, n)]), sizes, lows),
    "Multi of equal boxes": st.builds(lambda n: MultiSpace([BoxSpace((n,), 0, 9, np.int64)] * 2), sizes),
    "Multi with text": st.builds(lambda n: MultiSpace([DiscreteSpace(n), TextSpace(4, charset="xy")]), sizes),
}
FRACTIONAL = {
    "Continuous": st.builds(lambda low, width: ContinuousSpace(low / 3, low / 3 + width), lows, widths),
    "ArrayContinuous": st.builds(lambda n, low, w: ArrayContinuousSpace(n, low / 3, low / 3 + w), sizes, lows, widths),
    "NpArray": st.builds(lambda n, low, width: NpArraySpace(n, low / 3, low / 3 + width), sizes, lows, widths),
    "Box": st.builds(lambda n, low, width: BoxSpace((n, 2), low / 3, low / 3 + width), sizes, lows, widths),
    "Box float64": st.builds(lambda n, low: BoxSpace((n,), low / 3, low / 3 + 1, np.float64), sizes, lows),
    "Multi of fractions": st.builds(lambda n: MultiSpace([BoxSpace((n,), -1, 1), ContinuousSpace(0, 0.1)]), sizes),
}
ENDLESS = {
    "Continuous": st.builds(ContinuousSpace, st.sampled_from([-math.inf, -1.5]), st.just(math.inf)),
    "ArrayContinuous": st.builds(lambda n: ArrayContinuousSpace(n, -math.inf, 1), sizes),
    "NpArray": st.builds(lambda n: NpArraySpace(n, 0, 3.4028235e38), sizes),
    "Box": st.builds(lambda n: BoxSpace((n,)), sizes),
}
options = st.builds(
    SpaceEncodeOptions,
    cast=st.booleans(),
    np_zero_start=st.booleans(),
    np_norm_type=st.sampled_from(["", "0to1", "-1to1"]),
)


def pairs(kinds):
    """Every (kind, base type) that the table of conversions has; AnySpace has none."""
    return [
        pytest.param(kind, base_type, id=f"{kind} to {base_type.name}")
        for kind, spaces in kinds.items()
        for base_type in example(spaces).get_encode_list()
    ]


def example(spaces):
    """One space of a kind; which base types it has may depend on its size, so a small one."""
    return SMALL[spaces] if spaces in SMALL else SMALL.setdefault(spaces, find_small(spaces))


SMALL: dict = {}


def find_small(spaces):
    import hypothesis

    with_seed = hypothesis.settings(database=None, derandomize=True, max_examples=20, deadline=None)
    return hypothesis.find(spaces, lambda _space: True, settings=with_seed)


def has(space, base_type):
    return base_type in space.get_encode_list()


def round_trip(space, base_type, how=None):
    """Return (value, code, value that came back); the code and what a drawn code means are in their spaces."""
    target = space.set_encode_space(base_type, how)
    value = space.sample()
    code = space.encode_to_space(value)
    assert target.check_val(code), (target, code)
    back = space.decode_from_space(code)
    assert space.check_val(back), (space, back)
    if base_type not in {T.TEXT} and "Text" not in str(space):  # not every text is a number
        assert space.check_val(space.decode_from_space(target.sample()))
    return value, code, back


@few
@given(data=st.data(), seed=st.integers(0, 2**32), how=options)
@pytest.mark.parametrize(("kind", "base_type"), pairs(WHOLE))
def test_whole_numbers_and_text_come_back(kind, base_type, data, seed, how):
    space = data.draw(WHOLE[kind])
    if not has(space, base_type):
        return
    random.seed(seed)
    value, _, back = round_trip(space, base_type, how if "Text" not in str(space) else None)
    assert space.equal_val(back, value)


@few
@given(data=st.data(), seed=st.integers(0, 2**32), how=options, division_num=st.integers(-1, 60))
@pytest.mark.parametrize(("kind", "base_type"), pairs(FRACTIONAL))
def test_fractions_come_back_as_near_as_the_type_allows(kind, base_type, data, seed, how, division_num):
    space = data.draw(FRACTIONAL[kind])
    if not has(space, base_type) or (base_type == T.DISCRETE and division_num < 1):
        return
    if division_num < 1 and base_type == T.ARRAY_DISCRETE and not has_whole_numbers(space):
        return
    random.seed(seed)
    space.create_division_tbl(division_num)
    value, code, back = round_trip(space, base_type, how)
    away = np.max(np.abs(numbers(back) - numbers(value)))
    if base_type not in {T.DISCRETE, T.ARRAY_DISCRETE}:
        assert away <= 1e-5
    elif division_num < 1:
        assert away < 1 + 1e-5
    else:
        assert away <= half_a_step(space, division_num) + 1e-5
        if width_of(space) > 0:
            assert space.encode_to_space(back) == code


@few
@given(data=st.data(), seed=st.integers(0, 2**32), division_num=st.integers(1, 60))
@pytest.mark.parametrize("base_type", [T.DISCRETE, T.ARRAY_DISCRETE], ids=lambda t: t.name)
@pytest.mark.parametrize("kind", ENDLESS)
def test_a_point_of_endless_fractions_is_its_own_nearest(kind, base_type, data, seed, division_num):
    space = data.draw(ENDLESS[kind])
    random.seed(seed)
    space.create_division_tbl(division_num)
    _, code, back = round_trip(space, base_type)
    assert space.encode_to_space(back) == code


@few
@given(data=st.data(), seed=st.integers(0, 2**32))
@pytest.mark.parametrize("base_type", [T.ARRAY_CONTINUOUS, T.NP_ARRAY, T.BOX, T.TEXT, T.MULTI, T.NONE], ids=str)
@pytest.mark.parametrize("kind", ENDLESS)
def test_endless_fractions_come_back(kind, base_type, data, seed):
    space = data.draw(ENDLESS[kind])
    random.seed(seed)
    value, _, back = round_trip(space, base_type, SpaceEncodeOptions(cast=True))
    assert numbers(back) == pytest.approx(numbers(value), rel=1e-6)


@few
@given(data=st.data(), seed=st.integers(0, 2**32), junk=st.lists(st.floats(allow_nan=False), min_size=6, max_size=6))
@pytest.mark.parametrize("kind", [*WHOLE, *FRACTIONAL])
def test_sanitize_repairs_into_the_space(kind, data, seed, junk):
    space = data.draw({**WHOLE, **FRACTIONAL}[kind])
    random.seed(seed)
    try:
        repaired = space.sanitize(disturbed(space, junk))
    except ValueError:  # infinity is no whole number
        assert any(map(math.isinf, junk))
        return
    assert space.check_val(repaired)


@few
@given(data=st.data(), seed=st.integers(0, 2**32), length=st.integers(1, 4))
@pytest.mark.parametrize("kind", [*WHOLE, *FRACTIONAL])
def test_values_texts_copies_and_stacks(kind, data, seed, length):
    space = data.draw({**WHOLE, **FRACTIONAL}[kind])
    random.seed(seed)
    one, other = space.sample(), space.sample()
    assert space.check_val(one)
    assert space.check_val(space.get_default())
    assert space.equal_val(one, other) == (space.to_str(one) == space.to_str(other)) == same(one, other)
    assert space.equal_val(space.copy_value(one), one)
    assert space.copy() == space
    assert str(space.copy()) == str(space)
    stack = space.create_stack_space(length)
    assert stack.check_val(space.encode_stack([space.sample() for _ in range(length)]))
    assert stack.check_val(space.encode_stack([space.get_default()] * length))


@few
@given(data=st.data(), seed=st.integers(0, 2**32), masked=st.integers(0, 3))
@pytest.mark.parametrize("kind", ["Discrete", "ArrayDiscrete", "Multi"])
def test_masked_values_are_neither_valid_nor_drawn(kind, data, seed, masked):
    space = data.draw(WHOLE[kind])
    random.seed(seed)
    everything = space.get_valid_actions()
    assert all(map(space.check_val, everything))
    assert len({space.to_str(v) for v in everything}) == len(everything)
    masks = [space.sample() for _ in range(masked)]
    valid = space.get_valid_actions(masks)
    assert valid == [v for v in everything if v not in masks]
    if valid:
        assert space.sample(masks) in valid


def numbers(value):
    """All numbers of a value in a row."""
    if isinstance(value, list):
        return np.concatenate([numbers(x) for x in value])
    return np.asarray(value, np.float64).reshape(-1)


def same(one, other):
    if isinstance(one, str):
        return one == other
    if isinstance(one, list):
        return all(map(same, one, other))
    return np.array_equal(one, other)


def parts_of(space):
    return space.spaces if isinstance(space, MultiSpace) else [space]


def width_of(space):
    """The largest range of an axis; 0 if there is an axis without any: all its points are the same."""
    spans = [np.ravel(np.asarray(p.high, float) - np.asarray(p.low, float)) for p in parts_of(space)]
    every = np.concatenate(spans)
    return float(every.max()) if every.min() > 0 else 0.0


def half_a_step(space, division_num):
    def of(part):
        low, high = np.ravel(np.asarray(part.low, float)), np.ravel(np.asarray(part.high, float))
        count = max(2, round(division_num ** (1 / len(low))))
        return float(np.max(high - low)) / (count - 1) / 2

    return max(map(of, parts_of(space)))


def has_whole_numbers(space):
    return all(
        np.all(np.ceil(np.asarray(part.low, float)) <= np.floor(np.asarray(part.high, float)))
        for part in parts_of(space)
    )


def disturbed(space, junk):
    """A value of the right number of numbers, and nothing else right."""
    if isinstance(space, MultiSpace):
        return [disturbed(part, junk) for part in space.spaces]
    if isinstance(space, TextSpace):
        return repr(junk)
    size = len(numbers(space.sample()))
    return junk[0] if size == 1 else junk[:size]
