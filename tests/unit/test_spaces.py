"""What each space says of its values, and that it refuses what it cannot be."""

import copy
import math
import pickle
import random

import numpy as np
import pytest

from srl.base.define import RLBaseTypes, SpaceTypes
from srl.base.exception import NotSupportedError, SRLError
from srl.base.spaces import (
    AnySpace,
    ArrayContinuousSpace,
    ArrayDiscreteSpace,
    BoxSpace,
    ContinuousSpace,
    DiscreteSpace,
    MultiSpace,
    NpArraySpace,
    TextSpace,
)

SPACES = [
    DiscreteSpace(5, start=1),
    ArrayDiscreteSpace(2, [0, 1], [4, 3]),
    ContinuousSpace(-2, 2),
    ContinuousSpace(),
    ArrayContinuousSpace(2, [-1, 0], [1, math.inf]),
    NpArraySpace(2, -1, 1),
    NpArraySpace(3, 0, 4, np.int64),
    BoxSpace((2, 3), -1, 1),
    BoxSpace((2,)),
    BoxSpace((4, 4), 0, 255, np.uint8, SpaceTypes.GRAY_HW),
    TextSpace(5, 2),
    MultiSpace([DiscreteSpace(3), BoxSpace((2,), 0, 1)]),
    AnySpace(),
]
by_name = pytest.mark.parametrize("space", SPACES, ids=str)


@by_name
def test_what_it_draws_and_its_default_are_in_it(space):
    for value in (*(space.sample() for _ in range(20)), space.get_default(), space.sanitize(space.sample())):
        assert space.check_val(value)


@by_name
def test_a_copy_is_equal_and_travels(space):
    assert space.copy() == space
    assert pickle.loads(pickle.dumps(space)) == space
    assert copy.deepcopy(space) == space
    assert space != DiscreteSpace(99)


@by_name
def test_a_stack_of_values_is_in_the_stack_space(space):
    stack = space.create_stack_space(3)
    assert stack.check_val(space.encode_stack([space.sample() for _ in range(3)]))


@by_name
def test_a_copied_value_is_equal(space):
    value = space.sample()
    assert space.equal_val(space.copy_value(value), value)


@pytest.mark.parametrize(
    ("space", "name", "stype", "dtype", "true"),
    [
        (DiscreteSpace(2), "Discrete", SpaceTypes.DISCRETE, "int64", "value discrete"),
        (ArrayDiscreteSpace(2, 0, 1), "ArrayDiscrete", SpaceTypes.DISCRETE, "int64", "value discrete"),
        (ContinuousSpace(), "Continuous", SpaceTypes.CONTINUOUS, "float32", "value continuous"),
        (ArrayContinuousSpace(2), "ArrayContinuous", SpaceTypes.CONTINUOUS, "float32", "value continuous"),
        (NpArraySpace(2), "NpArray", SpaceTypes.CONTINUOUS, "float32", "value continuous"),
        (BoxSpace((2,), 0, 1, np.int8), "Box", SpaceTypes.DISCRETE, "int8", "value discrete"),
        (BoxSpace((2,), 0, 1, np.bool_), "Box", SpaceTypes.DISCRETE, "bool", "value discrete"),
        (BoxSpace((4, 4, 3), 0, 1, stype=SpaceTypes.RGB), "Box", SpaceTypes.RGB, "float32", "image_visual image_like"),
        (BoxSpace((4, 4), 0, 1, stype=SpaceTypes.FEATURE_MAP), "Box", SpaceTypes.FEATURE_MAP, "float32", "image_like"),
        (TextSpace(), "Text", SpaceTypes.TEXT, "<U0", ""),
        (AnySpace(), "Any", SpaceTypes.UNKNOWN, "object", "value"),
    ],
)
def test_what_a_space_says_of_itself(space, name, stype, dtype, true):
    assert (space.name, space.stype, space.dtype) == (name, stype, dtype)
    kinds = ("value", "discrete", "continuous", "image_visual", "image_like", "multi")
    assert " ".join(kind for kind in kinds if getattr(space, f"is_{kind}")()) == true
    assert MultiSpace([space]).is_multi()


@pytest.mark.parametrize(
    ("space", "value", "text"),
    [
        (DiscreteSpace(5), 2, "2"),
        (ArrayDiscreteSpace(2, 0, 5), [1, 3], "1,3"),
        (ContinuousSpace(), 2.0, "2"),
        (ContinuousSpace(), 1.5, "1.5"),
        (ContinuousSpace(), math.inf, "inf"),
        (ArrayContinuousSpace(2), [1.0, 2.5], "1,2.5"),
        (ArrayContinuousSpace(2), [1, 0], "1,0"),
        (NpArraySpace(2), np.array([0.0, 0.5]), "0,0.5"),
        (NpArraySpace(2, 0, 3, np.int64), np.array([0, 3]), "0,3"),
        (BoxSpace((2, 2)), np.array([[1.0, 2.0], [3.0, 4.5]]), "1.0,2.0,3.0,4.5"),
        (BoxSpace((2,), 0, 9, np.int64), np.array([1, 2]), "1,2"),
        (MultiSpace([DiscreteSpace(3), ArrayDiscreteSpace(2, 0, 5)]), [1, [2, 3]], "1_2,3"),
        (TextSpace(5), "ab", "ab"),
    ],
)
def test_text_of_a_value(space, value, text):
    assert space.to_str(value) == text


@pytest.mark.parametrize(
    ("space", "value", "repaired"),
    [
        (DiscreteSpace(5), 7.6, 4),
        (DiscreteSpace(5, start=2), [-1], 2),
        (ArrayDiscreteSpace(2, 0, 3), np.array([9, 1.7]), [3, 2]),
        (ContinuousSpace(0, 1), 3, 1.0),
        (ArrayContinuousSpace(2, 0, 1), (3, 0.5), [1.0, 0.5]),
        (TextSpace(3), 123456, "123"),
        (TextSpace(5, 3), "a", "a  "),
        (MultiSpace([DiscreteSpace(3), ContinuousSpace(0, 1)]), [9, 9], [2, 1.0]),
    ],
)
def test_sanitize_finds_the_closest_value(space, value, repaired):
    assert space.sanitize(value) == repaired


def test_sanitize_of_arrays():
    assert BoxSpace((2,), 0, 1).sanitize([3, 0.5]).tolist() == [1.0, 0.5]
    assert NpArraySpace(2, 0, 3, np.int64).sanitize([2.6, -1]).tolist() == [3, 0]


@pytest.mark.parametrize(
    ("space", "value"),
    [
        (DiscreteSpace(5), "a"),
        (DiscreteSpace(5), [1, 2]),
        (DiscreteSpace(5), math.inf),
        (ContinuousSpace(), math.nan),
        (ArrayDiscreteSpace(2, 0, 3), [1, 2, 3]),
        (BoxSpace((2,)), [1, 2, 3]),
        (BoxSpace((2,)), [1, math.nan]),
        (MultiSpace([DiscreteSpace(3)]), [1, 2]),
    ],
)
def test_sanitize_refuses_what_has_no_closest_value(space, value):
    with pytest.raises(ValueError):
        space.sanitize(value)


@pytest.mark.parametrize(
    ("space", "value"),
    [
        (DiscreteSpace(5), 5),
        (DiscreteSpace(5), 1.0),
        (ArrayDiscreteSpace(2, 0, 3), [0, 4]),
        (ArrayDiscreteSpace(2, 0, 3), (0, 1)),
        (ContinuousSpace(0, 1), 1.5),
        (ArrayContinuousSpace(2, 0, 1), [0.5, 2.0]),
        (BoxSpace((2,), 0, 1), np.array([0.5, 2.0])),
        (BoxSpace((2,), 0, 1), np.array([[0.5, 0.5]])),
        (BoxSpace((2,), 0, 1, np.int64), np.array([0.5, 0.5])),
        (TextSpace(3), "abcd"),
        (TextSpace(3, charset="ab"), "abc"),
        (TextSpace(3, 2), "a"),
        (MultiSpace([DiscreteSpace(3)]), [3]),
    ],
)
def test_check_val_says_no(space, value):
    assert not space.check_val(value)


@pytest.mark.parametrize("size", [3, 100], ids=["few", "many"])
@pytest.mark.parametrize(
    ("low", "high", "dtype", "inside", "outside"),
    [
        (0, 1, np.float32, [0, 0.5, 1], [-0.001, 1.001, math.nan, math.inf]),
        (-math.inf, math.inf, np.float32, [-1e30, 1e30, math.inf], [math.nan]),
        (0, math.inf, np.float64, [0, 1e300, math.inf], [-1, math.nan]),
        (0, 200, np.uint8, [0, 200], [201, 255]),
        (0, 255, np.uint8, [0, 255], []),
        (-3, 3, np.int64, [-3, 3], [-4, 4]),
    ],
)
def test_one_number_outside_of_its_bounds_is_found(size, low, high, dtype, inside, outside):
    space = BoxSpace((size,), low, high, dtype)
    for number in inside:
        assert space.check_val(np.array([inside[0]] * (size - 1) + [number], dtype))
    for number in outside:
        assert not space.check_val(np.array([inside[0]] * (size - 1) + [number], dtype))


def test_another_dtype_is_in_the_space_only_if_its_numbers_fit():
    bytes_space = BoxSpace((100,), 0, 255, np.uint8)
    assert bytes_space.check_val(np.full(100, 255, np.uint16))
    assert not bytes_space.check_val(np.full(100, 256, np.uint16))
    assert not bytes_space.check_val(np.full(100, 1.0))


@pytest.mark.parametrize(
    "make",
    [
        lambda: DiscreteSpace(0),
        lambda: ArrayDiscreteSpace(2, 3, 0),
        lambda: ArrayDiscreteSpace(2, [0, 0, 0], 3),
        lambda: ContinuousSpace(1, 0),
        lambda: ArrayContinuousSpace(2, 1, 0),
        lambda: BoxSpace((2,), 1, 0),
        lambda: BoxSpace((2,), [0, 0, 0], 1),
        lambda: BoxSpace((2, 2), 0, 255, np.uint8, SpaceTypes.RGB),
        lambda: TextSpace(2, 3),
        lambda: TextSpace(padding=""),
        lambda: MultiSpace([]),
    ],
)
def test_a_space_that_cannot_be(make):
    with pytest.raises(ValueError):
        make()


def test_a_mask_is_never_drawn():
    assert {DiscreteSpace(4, start=1).sample([1, 3, 9]) for _ in range(100)} == {2, 4}
    assert {tuple(ArrayDiscreteSpace(2, 0, 1).sample([[0, 0], [1, 1]])) for _ in range(100)} == {
        (0, 1),
        (1, 0),
    }
    multi = MultiSpace([DiscreteSpace(2), DiscreteSpace(2)])
    assert {tuple(multi.sample([[0, 0], [1, 1]])) for _ in range(100)} == {(0, 1), (1, 0)}


@pytest.mark.parametrize(
    ("space", "mask"),
    [
        (DiscreteSpace(2), [0, 1]),
        (ArrayDiscreteSpace(1, 0, 1), [[0], [1]]),
        (MultiSpace([DiscreteSpace(1)]), [[0]]),
    ],
)
def test_a_mask_of_everything_is_refused(space, mask):
    with pytest.raises(ValueError, match="nothing is left"):
        space.sample(mask)


def test_a_box_of_whole_numbers_draws_its_highest_too():
    values = BoxSpace((100,), 0, 1, np.int64).sample()
    assert set(values.tolist()) == {0, 1}


def test_samples_follow_the_seed_of_the_module_random():
    space = BoxSpace((3,), 0, 1)
    random.seed(1)
    first = space.sample()
    random.seed(1)
    assert np.array_equal(space.sample(), first)


def test_defaults_are_zero_where_zero_fits():
    assert DiscreteSpace(5, start=1).get_default() == 1
    assert ArrayDiscreteSpace(2, [0, 1], [4, 3]).get_default() == [0, 1]
    assert BoxSpace((2,), [1, -1], [2, 1]).get_default().tolist() == [1, 0]


def test_valid_actions_and_one_hot():
    assert DiscreteSpace(4, start=1).get_valid_actions([2, 3]) == [1, 4]
    assert ArrayDiscreteSpace(2, 0, 1).get_valid_actions([[0, 0]]) == [[0, 1], [1, 0], [1, 1]]
    assert DiscreteSpace(3, start=1).get_onehot(2) == [0, 1, 0]
    assert ArrayDiscreteSpace(2, 0, [1, 2]).get_onehot([1, 0]) == [[0, 1], [1, 0, 0]]
    assert MultiSpace([DiscreteSpace(2), DiscreteSpace(2)]).get_onehot([0, 1]) == [[1, 0], [0, 1]]


def test_what_cannot_be_counted_says_so():
    for call in (ContinuousSpace().get_valid_actions, lambda: BoxSpace((2,)).get_onehot(np.zeros(2))):
        with pytest.raises(NotSupportedError):
            call()
    with pytest.raises(NotSupportedError, match="parts"):
        _ = SPACES[-2].dtype


def test_gray_pictures_stack_into_channels():
    gray = BoxSpace((4, 5), 0, 255, np.uint8, SpaceTypes.GRAY_HW)
    stack = gray.create_stack_space(3)
    assert (stack.shape, stack.stype) == ((4, 5, 3), SpaceTypes.IMAGE_MAP)
    rgb = BoxSpace((4, 5, 3), 0, 255, np.uint8, SpaceTypes.RGB)
    assert rgb.create_stack_space(2).shape == (2, 4, 5, 3)
    assert gray.is_image_visual()
    assert stack.is_image_like()
    assert not stack.is_image_visual()


def test_encoding_needs_a_choice_first():
    with pytest.raises(SRLError, match="set_encode_space"):
        DiscreteSpace(2).encode_to_space(0)


def test_an_encoder_travels_with_its_space():
    space = ArrayDiscreteSpace(2, 0, 5)
    space.set_encode_space(RLBaseTypes.DISCRETE)
    for other in (pickle.loads(pickle.dumps(space)), copy.deepcopy(space)):
        assert other.encode_to_space([1, 3]) == 9
        assert other.decode_from_space(9) == [1, 3]
