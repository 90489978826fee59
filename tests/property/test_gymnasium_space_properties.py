"""Any nesting of gymnasium's spaces: values go there and back, and every value of ours is one of theirs."""

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from srl.base.env.gymnasium_spaces import convert_action_space, convert_observation_space
from srl.base.spaces import MultiSpace

small = st.integers(1, 4)
shapes = st.lists(small, min_size=1, max_size=3).map(tuple)
leaves = st.one_of(
    st.builds(lambda n, start: spaces.Discrete(n, start=start), small, st.integers(-3, 3)),
    shapes.flatmap(lambda shape: st.just(spaces.MultiDiscrete(np.full(shape, 3), start=np.full(shape, -1)))),
    st.builds(spaces.MultiBinary, shapes),
    st.builds(
        lambda shape, dtype: spaces.Box(0, 1, shape, dtype),
        shapes,
        st.sampled_from([np.float32, np.float64, np.uint8, np.int16, np.bool_]),
    ),
    st.builds(lambda n: spaces.Text(n + 1, min_length=1, charset="xyz"), small),
)
nested = st.recursive(
    leaves,
    lambda children: st.one_of(
        st.lists(children, min_size=1, max_size=3).map(spaces.Tuple),
        st.dictionaries(st.sampled_from("dcba"), children, min_size=1, max_size=3).map(spaces.Dict),
    ),
    max_leaves=6,
)
deadline = settings(deadline=None, max_examples=60)


def leaves_of(space):
    """Return how many spaces that are no containers are in a space."""
    if isinstance(space, spaces.Tuple):
        return sum(map(leaves_of, space.spaces))
    if isinstance(space, spaces.Dict):
        return sum(map(leaves_of, space.spaces.values()))
    return 1


@deadline
@given(nested, st.integers(0, 2**32 - 1))
def test_values_go_there_and_back(space, seed):
    conversion = convert_action_space(space)
    space.seed(seed)
    value = space.sample()
    ours = conversion.from_gym(value)
    assert conversion.space.check_val(ours)
    back = conversion.to_gym(ours)
    assert space.contains(back)
    assert space.to_jsonable([back]) == space.to_jsonable([value])


@deadline
@given(nested)
def test_every_value_of_ours_is_one_of_theirs(space):
    conversion = convert_action_space(space)
    for _ in range(5):
        assert space.contains(conversion.to_gym(conversion.space.sample()))


@deadline
@given(nested)
def test_containers_become_one_space_of_all_their_parts(space):
    ours = convert_observation_space(space).space
    assert isinstance(ours, MultiSpace) == isinstance(space, spaces.Tuple | spaces.Dict)
    if isinstance(ours, MultiSpace):
        assert len(ours.spaces) == leaves_of(space)
        assert not any(isinstance(part, MultiSpace) for part in ours.spaces)


@pytest.mark.parametrize("depth", [1, 30])
def test_deep_nesting(depth):
    space = spaces.Discrete(3)
    for _ in range(depth):
        space = spaces.Dict({"inner": space})
    assert convert_action_space(space).from_gym(space.sample()) in ([0], [1], [2])
