"""Conversions between spaces: the table of the specification, and what cannot be converted."""

import math

import numpy as np
import pytest

from srl.base.define import RLBaseTypes as T
from srl.base.define import SpaceTypes
from srl.base.exception import NotSupportedError
from srl.base.spaces import (
    AnySpace,
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

CAST = SpaceEncodeOptions(cast=True)


def encoded(space, base_type, division_num=0, options=None):
    space.create_division_tbl(division_num)
    return space.set_encode_space(base_type, options)


@pytest.mark.parametrize(
    ("space", "base_type", "division_num", "target", "value", "code", "back"),
    [
        (ContinuousSpace(-2, 2), T.DISCRETE, 5, DiscreteSpace(5), 0.3, 2, 0.0),
        (ContinuousSpace(-2, 2), T.ARRAY_DISCRETE, 5, ArrayDiscreteSpace(1, 0, 4), 2.0, [4], 2.0),
        (ContinuousSpace(-2, 2), T.ARRAY_DISCRETE, 0, ArrayDiscreteSpace(1, -2, 2), 1.6, [2], 2.0),
        (ArrayDiscreteSpace(2, 0, [4, 3]), T.DISCRETE, 0, DiscreteSpace(20), [1, 3], 7, [1, 3]),
        (ArrayDiscreteSpace(2, 0, 5), T.NONE, 0, ArrayDiscreteSpace(2, 0, 5), [1, 3], [1, 3], [1, 3]),
        (DiscreteSpace(5, start=1), T.DISCRETE, 0, DiscreteSpace(5), 1, 0, 1),
        (DiscreteSpace(5, start=1), T.ARRAY_DISCRETE, 0, ArrayDiscreteSpace(1, 0, 4), 1, [0], 1),
        (DiscreteSpace(5, start=1), T.CONTINUOUS, 0, ContinuousSpace(0, 4), 2, 1.0, 2),
        (DiscreteSpace(5, start=1), T.TEXT, 0, TextSpace(min_length=1), 2, "1", 2),
        (DiscreteSpace(5), T.MULTI, 0, MultiSpace([DiscreteSpace(5)]), 2, [2], 2),
        (ArrayContinuousSpace(2, -1, 1), T.DISCRETE, 10, DiscreteSpace(9), [0.1, 0.9], 5, [0.0, 1.0]),
        (TextSpace(3), T.ARRAY_DISCRETE, 0, ArrayDiscreteSpace(3, 0, 0x10FFFF), "ab", [97, 98, 32], "ab"),
        (
            MultiSpace([DiscreteSpace(3), ArrayDiscreteSpace(2, 0, 1)]),
            T.DISCRETE, 0, DiscreteSpace(12), [2, [0, 1]], 9, [2, [0, 1]],
        ),
        (
            MultiSpace([DiscreteSpace(3), ArrayDiscreteSpace(2, 0, 1)]),
            T.ARRAY_DISCRETE, 0, ArrayDiscreteSpace(3, 0, [2, 1, 1]), [2, [0, 1]], [2, 0, 1], [2, [0, 1]],
        ),
    ],
)  # fmt: skip
def test_conversion(space, base_type, division_num, target, value, code, back):
    assert encoded(space, base_type, division_num) == target
    assert space.encode_to_space(value) == code
    assert space.decode_from_space(code) == back


def test_a_box_becomes_one_index_of_a_grid_of_points():
    box = BoxSpace((2,), -1, 1)
    assert encoded(box, T.DISCRETE, 10) == DiscreteSpace(9)
    assert box.encode_to_space(np.array([0.1, 0.9])) == 5
    assert box.decode_from_space(5).tolist() == [0, 1]
    assert encoded(box, T.ARRAY_DISCRETE, 1000) == ArrayDiscreteSpace(1, 0, 32 * 32 - 1)
    assert box.encode_to_space(np.array([9.0, math.inf])) == [32 * 32 - 1]


def test_a_box_of_whole_numbers_is_counted_exactly():
    box = BoxSpace((2, 2), 0, 1, np.int64)
    assert encoded(box, T.DISCRETE) == DiscreteSpace(16)
    assert box.decode_from_space(6).tolist() == [[0, 1], [1, 0]]
    assert encoded(box, T.ARRAY_DISCRETE) == ArrayDiscreteSpace(4, 0, 1)


def test_large_tables_have_no_end_beyond_which_values_fail():
    space = ArrayDiscreteSpace(4, 0, 99)
    assert encoded(space, T.DISCRETE).n == 100**4
    assert space.decode_from_space(space.encode_to_space([99, 98, 97, 96])) == [99, 98, 97, 96]


def test_values_outside_of_the_space_are_named_not_miscounted():
    space = ArrayDiscreteSpace(2, 0, 5)
    encoded(space, T.DISCRETE)
    with pytest.raises(ValueError, match=r"0\.\.5"):
        space.encode_to_space([1, 6])
    with pytest.raises(ValueError, match=r"0\.\.35"):
        space.decode_from_space(36)


def test_arrays_are_cast_when_asked():
    space = ArrayDiscreteSpace(2, 0, 5)
    assert encoded(space, T.BOX, options=CAST) == BoxSpace((2,), 0, 5, np.float32, SpaceTypes.DISCRETE)
    assert space.encode_to_space([1, 3]).dtype == np.float32
    assert space.decode_from_space(np.array([1.2, 2.8], np.float32)) == [1, 3]
    assert encoded(space, T.NP_ARRAY) == NpArraySpace(2, 0, 5, np.int64)
    assert encoded(space, T.NP_ARRAY, options=SpaceEncodeOptions(cast=True, cast_dtype="float64")).dtype == "float64"


def test_arrays_of_the_own_dtype_are_not_copied():
    box = BoxSpace((2, 3), -1, 1)
    encoded(box, T.BOX)
    value = box.sample()
    assert np.shares_memory(box.encode_to_space(value), value)


@pytest.mark.parametrize(("norm", "lowest"), [("0to1", 0), ("-1to1", -1)])
def test_normalized_arrays(norm, lowest):
    space = BoxSpace((2,), [0, 10], [4, 30], np.int64)
    target = encoded(space, T.BOX, options=SpaceEncodeOptions(cast=True, np_norm_type=norm))
    assert (target.low.tolist(), target.high.tolist()) == ([lowest] * 2, [1, 1])
    assert target.is_continuous()
    assert space.encode_to_space(np.array([0, 30])).tolist() == [lowest, 1]
    assert space.decode_from_space(np.array([1.0, 1.0])).tolist() == [4, 30]


def test_a_constant_axis_can_be_normalized():
    space = BoxSpace((2,), [3, 0], [3, 1])
    encoded(space, T.BOX, options=SpaceEncodeOptions(np_norm_type="0to1"))
    assert space.encode_to_space(np.array([3, 1])).tolist() == [0, 1]


def test_whole_numbers_can_start_at_zero():
    space = ArrayDiscreteSpace(2, [1, -1], 3)
    target = encoded(space, T.NP_ARRAY, options=SpaceEncodeOptions(cast=True, np_zero_start=True))
    assert (target.low.tolist(), target.high.tolist()) == ([0, 0], [2, 4])
    assert space.encode_to_space([1, 0]).tolist() == [0, 1]
    assert space.decode_from_space(np.array([0, 1])) == [1, 0]


def test_parts_of_equal_shape_are_stacked_others_laid_end_to_end():
    equal = MultiSpace([BoxSpace((2,), 0, 1), BoxSpace((2,), 0, 1)])
    assert encoded(equal, T.BOX).shape == (2, 2)
    unequal = MultiSpace([BoxSpace((2, 2), 0, 1), DiscreteSpace(3)])
    assert encoded(unequal, T.BOX, options=CAST).shape == (5,)
    code = unequal.encode_to_space([np.ones((2, 2)), 2])
    assert code.tolist() == [1, 1, 1, 1, 2]
    assert unequal.decode_from_space(code)[1] == 2


@pytest.mark.parametrize(
    ("space", "count", "points"),
    [
        (ContinuousSpace(), 4, [-3, -1 / 3, 1 / 3, 3]),
        (ContinuousSpace(), 6, [-5, -1, -1 / 5, 1 / 5, 1, 5]),
        (ContinuousSpace(), 5, [-4, -2 / 3, 0, 2 / 3, 4]),
        (ContinuousSpace(10), 2, [10 + 1 / 3, 13]),
        (ContinuousSpace(-math.inf, 10), 2, [7, 10 - 1 / 3]),
        (ContinuousSpace(0, 3.4028234663852886e38), 2, [1 / 3, 3]),
        (ContinuousSpace(0, 3), 4, [0, 1, 2, 3]),
    ],
)
def test_points_of_an_axis_with_and_without_bounds(space, count, points):
    assert encoded(space, T.DISCRETE, count) == DiscreteSpace(count)
    assert [space.decode_from_space(i) for i in range(count)] == pytest.approx(points)
    assert [space.encode_to_space(x) for x in points] == list(range(count))


@pytest.mark.parametrize(
    ("value", "cell"),
    [(-math.inf, 0), (-2.1, 0), (-1.9, 1), (-0.51, 1), (-0.49, 2), (0, 3), (0.49, 3), (0.51, 4), (1e300, 5)],
)
def test_cells_without_bounds_are_narrow_near_zero(value, cell):
    space = ContinuousSpace()
    encoded(space, T.DISCRETE, 6)
    assert space.encode_to_space(value) == cell


def test_a_box_without_bounds_becomes_discrete():
    """semantics 1.12-6: the existing implementation raises AssertionError and OverflowError."""
    cart_pole = BoxSpace((4,), [-4.8, -np.inf, -0.42, -np.inf], [4.8, np.inf, 0.42, np.inf])
    assert encoded(cart_pole, T.DISCRETE, 1000) == DiscreteSpace(6**4)
    assert encoded(cart_pole, T.ARRAY_DISCRETE, 1000) == ArrayDiscreteSpace(1, 0, 6**4 - 1)
    assert cart_pole.decode_from_space([0]).tolist() == pytest.approx([-4.8, -5, -0.42, -5])
    assert cart_pole.encode_to_space(np.array([4.8, 9, 0.42, np.inf], np.float32)) == [6**4 - 1]


@pytest.mark.parametrize(
    "space",
    [
        BoxSpace((84, 84), 0, 255, np.uint8, SpaceTypes.GRAY_HW),
        BoxSpace((84, 84)),
        MultiSpace([ArrayDiscreteSpace(20, 0, 9), DiscreteSpace(10)]),
    ],
    ids=["integers", "floats", "multi"],
)
def test_more_values_than_can_be_numbered_are_refused(space):
    with pytest.raises(NotSupportedError, match=r"more than 2\*\*63 values(.|\n)*override_observation_type"):
        encoded(space, T.DISCRETE, 1000)


def test_rounding_stays_within_the_bounds():
    space = ArrayContinuousSpace(2, [-1.5, 0.2], [1.5, 3.9])
    assert encoded(space, T.ARRAY_DISCRETE, 0) == ArrayDiscreteSpace(2, [-1, 1], [1, 3])
    assert space.encode_to_space([1.5, 0.2]) == [1, 1]
    assert space.check_val(space.decode_from_space([-1, 3]))
    with pytest.raises(NotSupportedError, match="without a whole number"):
        encoded(ContinuousSpace(0.2, 0.8), T.ARRAY_DISCRETE, 0)


def test_infinite_bounds_cannot_be_rounded_or_scaled():
    with pytest.raises(NotSupportedError, match=r"infinite(.|\n)*observation_division_num(.|\n)*override_observation"):
        encoded(BoxSpace((2,)), T.ARRAY_DISCRETE, 0)
    with pytest.raises(NotSupportedError, match="infinite"):
        encoded(BoxSpace((2,), -np.inf, np.inf, np.int64), T.DISCRETE)
    with pytest.raises(NotSupportedError, match="np_norm_type"):
        encoded(BoxSpace((2,)), T.BOX, options=SpaceEncodeOptions(np_norm_type="0to1"))


def test_fractions_need_a_number_of_points():
    with pytest.raises(NotSupportedError, match="action_division_num"):
        encoded(ContinuousSpace(0, 1), T.DISCRETE, 0)


@pytest.mark.parametrize(
    ("space", "base_type"),
    [
        (ArrayDiscreteSpace(2, 0, 1), T.CONTINUOUS),
        (BoxSpace((1,), 0, 1), T.CONTINUOUS),
        (TextSpace(5), T.DISCRETE),
        (TextSpace(), T.ARRAY_DISCRETE),
        (AnySpace(), T.DISCRETE),
    ],
)
def test_no_such_conversion(space, base_type):
    assert base_type not in space.get_encode_list()
    with pytest.raises(NotSupportedError, match="cannot become"):
        space.set_encode_space(base_type)


def test_of_several_types_the_cheapest_is_taken():
    assert ArrayDiscreteSpace(2, 0, 5).set_encode_space(T.DISCRETE | T.BOX) == DiscreteSpace(36)
    assert BoxSpace((2,), 0, 1, np.int64).set_encode_space(T.DISCRETE | T.BOX).name == "Box"


@pytest.mark.parametrize(
    ("space", "names"),
    [
        (DiscreteSpace(2), "DISCRETE ARRAY_DISCRETE NP_ARRAY CONTINUOUS"),
        (ArrayDiscreteSpace(2, 0, 1), "ARRAY_DISCRETE DISCRETE NP_ARRAY ARRAY_CONTINUOUS BOX"),
        (ContinuousSpace(), "CONTINUOUS ARRAY_CONTINUOUS NP_ARRAY BOX DISCRETE"),
        (ArrayContinuousSpace(2), "ARRAY_CONTINUOUS NP_ARRAY BOX ARRAY_DISCRETE DISCRETE"),
        (NpArraySpace(2), "NP_ARRAY ARRAY_CONTINUOUS BOX ARRAY_DISCRETE DISCRETE"),
        (BoxSpace((2,)), "BOX NP_ARRAY ARRAY_CONTINUOUS ARRAY_DISCRETE TEXT DISCRETE"),
        (BoxSpace((2,), 0, 1, np.int8), "BOX NP_ARRAY ARRAY_DISCRETE ARRAY_CONTINUOUS"),
        (MultiSpace([DiscreteSpace(2)]), "MULTI BOX NP_ARRAY ARRAY_CONTINUOUS ARRAY_DISCRETE DISCRETE TEXT"),
    ],
)
def test_order_of_preference(space, names):
    assert [t.name for t in space.get_encode_list()][: len(names.split())] == names.split()
