"""Environments of gymnasium: found by id, their spaces and values, their life, what they may have beyond it."""

import logging
import os
import sys
from collections import OrderedDict

import gymnasium
import numpy as np
import pytest
from gym_envs import make_echo
from gymnasium import spaces

import srl
from services.jobs.job import Job
from srl.algorithms import ql
from srl.base.define import DoneTypes, SpaceTypes
from srl.base.env.config import EnvConfig
from srl.base.env.gym_user_wrapper import GymUserWrapper
from srl.base.env.gymnasium_spaces import convert_action_space, convert_observation_space
from srl.base.env.registration import describe, make_known
from srl.base.exception import NotSupportedError, UndefinedError
from srl.base.spaces import ArrayDiscreteSpace, BoxSpace, DiscreteSpace, MultiSpace, TextSpace
from srl.test.env import env_test
from srl.utils.usage import UsageError

ECHO = "test/Echo-v0"
EXTRA = "test/Extra-v0"


def started(env_id=ECHO, render_mode="", **settings):
    env = EnvConfig(env_id, **settings).make()
    env.setup(render_mode=render_mode)
    env.reset(seed=1)
    return env


# --- found by id


def test_an_id_of_gymnasium_is_enough():
    env = started("CartPole-v1")
    assert (env.name, env.player_num, env.max_episode_steps) == ("CartPole-v1", 1, 500)
    assert env.action_space == DiscreteSpace(2)
    assert isinstance(env.observation_space, BoxSpace)
    assert env.reward_baseline == {"episode": 100, "baseline": 475.0}
    assert env.unwrapped is env.env.env.unwrapped
    assert isinstance(env.unwrapped, gymnasium.Env)


def test_registered_and_built_in_ones_come_first():
    assert type(EnvConfig("Grid").make().env).__name__ == "Grid"


def test_a_module_before_the_id_is_imported(monkeypatch, tmp_path):
    (tmp_path / "gym_other.py").write_text(
        "import gymnasium\ngymnasium.register('Other-v0', 'gym_envs:Echo', max_episode_steps=3)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UndefinedError):
        EnvConfig("Other-v0").make()
    assert EnvConfig("gym_other:Other-v0").make().max_episode_steps == 3


@pytest.mark.parametrize(
    ("env_id", "hint"),
    [
        ("CartPole-v9", "Did you mean CartPole-v1"),
        ("nowhere:CartPole-v1", "CartPole-v1"),
        ("Gird", "Did you mean Grid"),
    ],
)
def test_an_unknown_id_lists_near_ones_of_both(env_id, hint):
    with pytest.raises(UndefinedError, match=hint) as error:
        EnvConfig(env_id).make()
    assert f"and {len(gymnasium.registry)} of gymnasium" in str(error.value)


def test_without_gymnasium_the_error_names_the_extra(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UndefinedError, match=r"srl-cluster\[gymnasium\]"):
        EnvConfig("CartPole-v1").make()


def test_what_gymnasium_cannot_make_says_why():
    with pytest.raises(UsageError, match=r"Humanoid-v2.*cannot make it"):
        EnvConfig("Humanoid-v2").make()


def test_a_wrong_argument_is_gymnasiums_error():
    with pytest.raises(TypeError, match="speed"):
        EnvConfig("CartPole-v1", {"speed": 1}).make()


def test_the_old_gym_is_refused():
    with pytest.raises(UsageError, match="gymnasium"):
        EnvConfig("CartPole-v1", use_gym=True)


# --- spaces and values

BOX = spaces.Box(-1, 1, (2, 3), np.float32)
NESTED = spaces.Dict(
    {
        "z": spaces.Discrete(3, start=1),
        "a": spaces.Tuple([spaces.MultiBinary(2), spaces.Dict({"t": spaces.Text(4, min_length=2, charset="ab")})]),
    }
)


def box(shape, dtype, low=0, high=255):
    return spaces.Box(low, high, shape, dtype)


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        (spaces.Discrete(5, start=-2), DiscreteSpace(5, -2)),
        (spaces.MultiDiscrete([3, 2]), BoxSpace((2,), 0, [2, 1], np.int64)),
        (spaces.MultiDiscrete([[3], [4]], start=[[1], [0]]), BoxSpace((2, 1), [[1], [0]], [[3], [3]], np.int64)),
        (spaces.MultiBinary((2, 2)), BoxSpace((2, 2), 0, 1, np.int8)),
        (BOX, BoxSpace((2, 3), -1, 1, np.float32)),
        (spaces.Box(-np.inf, np.inf, (1,), np.float64), BoxSpace((1,), dtype=np.float64)),
        (spaces.Box(0, 1, (2,), np.bool_), BoxSpace((2,), 0, 1, np.int8)),
        (spaces.Text(4, min_length=2, charset="ba"), TextSpace(4, 2, "ab")),
        (NESTED, MultiSpace([BoxSpace((2,), 0, 1, np.int8), TextSpace(4, 2, "ab"), DiscreteSpace(3, 1)])),
        (spaces.Tuple([spaces.Discrete(2)]), MultiSpace([DiscreteSpace(2)])),
        (spaces.OneOf([spaces.Discrete(2), spaces.Discrete(3)]), None),
    ],
    ids=str,
)  # fmt: skip
def test_spaces_and_their_values_there_and_back(space, expected):
    if expected is not None:
        assert convert_observation_space(space).space == expected
        assert convert_action_space(space).space == expected
    conversion = convert_action_space(space)
    space.seed(0)
    for _ in range(20):
        value = space.sample()
        ours = conversion.from_gym(value)
        assert conversion.space.check_val(ours), (ours, conversion.space)
        back = conversion.to_gym(ours)
        assert space.contains(back)
        assert space.to_jsonable([back]) == space.to_jsonable([value])


@pytest.mark.parametrize(
    "space", [spaces.MultiDiscrete([3, 2], start=[1, 5]), spaces.Discrete(3), NESTED, BOX], ids=str
)
def test_every_value_of_ours_is_one_of_gymnasiums(space):
    conversion = convert_action_space(space)
    for _ in range(20):
        assert space.contains(conversion.to_gym(conversion.space.sample()))


@pytest.mark.parametrize(
    ("shape", "dtype", "stype"),
    [
        ((4, 5), np.uint8, SpaceTypes.GRAY_HW),
        ((4, 5, 1), np.uint8, SpaceTypes.GRAY_HW1),
        ((4, 5, 3), np.uint16, SpaceTypes.RGB),
        ((4, 5, 2), np.uint8, SpaceTypes.FEATURE_MAP),
        ((128,), np.uint8, SpaceTypes.DISCRETE),
        ((2, 4, 5, 3), np.uint8, SpaceTypes.DISCRETE),
        ((4, 5), np.int64, SpaceTypes.DISCRETE),
        ((4, 5), np.float32, SpaceTypes.CONTINUOUS),
    ],
)
def test_unsigned_integers_with_height_and_width_are_pictures(shape, dtype, stype):
    assert convert_observation_space(box(shape, dtype)).space.stype == stype


def test_a_float_box_goes_through_unchanged():
    value = np.zeros((2, 3), np.float32)
    assert convert_observation_space(BOX).from_gym(value) is value


def test_keys_of_a_dict_are_sorted_whatever_their_order():
    space = spaces.Dict(OrderedDict([("b", spaces.Discrete(2)), ("a", spaces.Discrete(9))]))
    conversion = convert_action_space(space)
    assert conversion.space == MultiSpace([DiscreteSpace(9), DiscreteSpace(2)])
    assert conversion.from_gym({"b": 1, "a": 8}) == [8, 1]
    assert conversion.to_gym([8, 1]) == {"b": 1, "a": 8}


SEQUENCE = spaces.Sequence(spaces.Discrete(2))


def test_parts_without_a_fixed_size_are_left_out_of_observations(caplog):
    space = spaces.Dict({"a": SEQUENCE, "b": spaces.Discrete(2)})
    with caplog.at_level(logging.WARNING, "srl"):
        conversion = convert_observation_space(space)
    assert conversion.space == MultiSpace([DiscreteSpace(2)])
    assert conversion.from_gym({"a": (0, 1), "b": 1}) == [1]
    assert "left out" in caplog.text


class Custom(spaces.Space):
    def __init__(self):
        super().__init__((), np.int64)


@pytest.mark.parametrize(
    "space", [SEQUENCE, Custom(), spaces.OneOf([SEQUENCE, SEQUENCE])], ids=["sequence", "custom", "oneof"]
)
@pytest.mark.parametrize("convert", [convert_observation_space, convert_action_space])
def test_what_has_no_counterpart_names_the_way_out(space, convert):
    with pytest.raises(NotSupportedError, match="GymUserWrapper"):
        convert(space)


# --- life


def test_an_episode_and_what_it_shows():
    env = started()
    assert env.info == {"level": 1}
    env.step(1)
    assert (env.state, env.rewards, type(env.rewards[0])) == (env.unwrapped.observed[-1], [1], float)
    assert env.info == {"level": 1, "action": "1", "luck": 0.5}  # the mask is no value to show
    while not env.done:
        env.step(0)
    assert (env.step_num, env.done_type) == (5, DoneTypes.TERMINATED)
    assert env.unwrapped.actions == [1, 0, 0, 0, 0]
    env.reset()
    assert env.info == {"level": 1}  # nothing of the last episode


@pytest.mark.parametrize(("limit", "steps"), [(-1, 500), (3, 3), (600, 600)])
def test_the_limit_of_steps_is_gymnasiums_or_the_settings(limit, steps):
    env = started("CartPole-v1", max_episode_steps=limit)
    env.unwrapped.theta_threshold_radians = env.unwrapped.x_threshold = np.inf  # never falls
    while not env.done:
        env.step(env.step_num % 2)
    assert (env.step_num, env.done_type) == (steps, DoneTypes.TRUNCATED)


def test_a_seed_repeats_the_episode_and_options_are_passed_on():
    states = []
    for _ in range(2):
        env = started("CartPole-v1")
        env.step(0)
        states.append(env.state.tolist())
    assert states[0] == states[1]
    env = started()
    env.reset(level=3)
    assert env.unwrapped.options == {"level": 3}
    env.reset()
    assert env.unwrapped.options is None


def test_containers_are_played():
    env = started(kwargs={"observation_space": NESTED, "action_space": NESTED}, enable_assertion=True)
    env.step(env.sample_action())
    assert set(env.unwrapped.actions[0]) == {"a", "z"}


def test_an_environment_made_by_a_function():
    env = started("any name", kwargs={"reward": 2}, gym_make_func=make_echo)
    assert (env.max_episode_steps, env.name) == (3, "any name")
    env.step(0)
    assert env.rewards == [2]
    plain = EnvConfig("Grid", gym_make_func=lambda _id: gymnasium.make(ECHO).unwrapped).make()
    assert plain.max_episode_steps == 99_999


def test_other_processes_import_the_module_of_the_function():
    context = srl.RunContext(EnvConfig("x", gym_make_func=make_echo, gym_wrapper=None), ql.Config())
    assert "gym_envs" in Job.of(context).modules


def test_what_a_user_registered_in_gymnasium_can_be_carried_elsewhere():
    assert describe("CartPole-v1") == describe("ALE/Nowhere-v5") == {}
    description = describe(ECHO)
    assert description["entry_point"] == "gym_envs:Echo"
    spec = gymnasium.registry.pop(ECHO)
    make_known(description)
    again = gymnasium.registry[ECHO]
    make_known(description)  # without the warning that it is registered twice
    assert (again.max_episode_steps, again.reward_threshold) == (7, 4)
    assert again.entry_point == "gym_envs:Echo"
    gymnasium.registry[ECHO] = spec


def test_what_nobody_can_import_says_so():
    class Local(gymnasium.Env):
        pass

    gymnasium.register("test/Local-v0", Local)
    with pytest.raises(UsageError, match="inside a function"):
        describe("test/Local-v0")


def test_a_users_wrapper_for_another_environment_is_refused():
    with pytest.raises(UsageError, match="gym_wrapper is for environments of gymnasium, and 'Grid' is none"):
        EnvConfig("Grid", gym_wrapper=GymUserWrapper()).make()


def test_a_function_that_makes_something_else():
    with pytest.raises(UsageError, match=r"gym_make_func returned int"):
        EnvConfig("x", gym_make_func=lambda _id: 1).make()


# --- backup


def test_a_backup_is_the_state_of_the_objects_and_can_be_restored_twice():
    env = started("CartPole-v1", render_mode="rgb_array")
    env.render_rgb_array()
    env.step(0)
    data, before = env.backup(), env.state.copy()
    unwrapped = env.unwrapped
    paths = []
    for _ in range(2):
        for action in (0, 1, 1):
            env.step(action)
        paths.append(env.state.tolist())
        env.restore(data)
        assert np.array_equal(env.state, before)
        assert env.render_rgb_array() is not None
    assert paths[0] == paths[1]
    assert env.unwrapped is unwrapped


def test_pickling_by_arguments_does_not_mislead_a_backup():
    env = started("test/Stateful-v0")
    env.step(1)
    data = env.backup()
    env.step(0)
    env.restore(data)
    assert env.unwrapped.actions == [1]
    assert env.unwrapped.mapping["self"] is env.unwrapped


def test_a_copy_goes_on_by_itself():
    env = started("test/Stateful-v0")
    env.step(1)
    other = env.copy()
    other.step(0)
    assert (env.unwrapped.actions, other.unwrapped.actions) == ([1], [1, 0])
    assert other.unwrapped.mapping["self"] is other.unwrapped
    third = env.env.copy()
    third.step(1)
    assert (env.unwrapped.actions, third.unwrapped.actions) == ([1], [1, 1])


def test_what_cannot_be_copied_says_so():
    with pytest.raises(NotSupportedError, match=r"generator.*backup\(\) and restore"):
        started("test/Uncopyable-v0").backup()


# --- drawing


def test_a_render_mode_makes_the_environment_anew():
    env = EnvConfig("CartPole-v1").make()
    env.setup()
    first = env.unwrapped
    env.reset()
    assert (env.unwrapped, env.render_rgb_array()) == (first, None)
    env.setup(render_mode="rgb_array")
    drawn = env.unwrapped
    env.reset()
    assert drawn is not first
    assert env.render_rgb_array().shape == (400, 600, 3)
    env.setup()
    assert env.unwrapped is drawn
    assert env.get_render_interval() == 1000 / 50


def test_text(capsys):
    env = started(render_mode="terminal")
    env.render_terminal()
    assert capsys.readouterr().out == "0 steps\n"
    assert started(render_mode="rgb_array").render_rgb_array().ndim == 3  # the text as a picture
    started("CartPole-v1", render_mode="terminal").render_terminal()
    assert capsys.readouterr().out == ""


def test_pictures_need_no_screen(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    EnvConfig(ECHO).make()
    assert os.environ["SDL_VIDEODRIVER"] == "offscreen"


def test_a_screen_is_used(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    EnvConfig(ECHO).make()
    assert "SDL_VIDEODRIVER" not in os.environ


# --- beyond gymnasium's API


def test_methods_beyond_gymnasiums_are_used():
    env = started(EXTRA, render_mode="terminal")
    assert env.name == "with extras"
    assert env.unwrapped.mode == "terminal"
    assert env.invalid_actions == [3]
    assert env.action_to_str(1) == "b"
    assert env.get_key_bind() == {"a": 0}
    env.step(1)
    data = env.backup()
    assert data[-1] == 1
    env.step(1)
    env.restore(data)
    assert env.unwrapped.actions == [0]
    assert env.make_worker("first").call_policy(env) == 0
    with pytest.raises(UndefinedError, match="second"):
        env.make_worker("second")


def test_without_them_there_is_a_default():
    env = started()
    assert (env.invalid_actions, env.action_to_str(1), env.get_key_bind()) == ([], "1", None)
    assert env.make_worker("first", enable_raise=False) is None


# --- the user's wrapper


class Turned(GymUserWrapper):
    """Everything is otherwise: actions -1 and 1, states as [s], rewards halved, never truncated."""

    def remap_action_space(self, env):
        return DiscreteSpace(2, start=-1)

    def remap_action(self, action, env):
        return (action + 1) % 2

    def remap_observation_space(self, env):
        return ArrayDiscreteSpace(1, 0, env.observation_space.n)

    def remap_observation(self, observation, env):
        return [int(observation)]

    def remap_reward(self, reward, env):
        return reward / 2

    def remap_done(self, terminated, truncated, env):
        return len(env.unwrapped.actions) >= 2, truncated


def test_a_users_wrapper_changes_everything():
    env = started(gym_wrapper=Turned())
    assert (env.action_space, env.observation_space) == (DiscreteSpace(2, -1), ArrayDiscreteSpace(1, 0, 3))
    env.step(-1)
    assert (env.unwrapped.actions, env.state, env.rewards) == ([0], [env.unwrapped.observed[-1]], [0.5])
    env.step(0)
    assert (env.unwrapped.actions, env.done_type) == ([0, 1], DoneTypes.TERMINATED)


class Clipped(GymUserWrapper):
    """Values only: the spaces are gymnasium's."""

    def remap_action(self, action, env):
        return {key: action[key] for key in reversed(action)}

    def remap_observation(self, observation, env):
        return {**observation, "z": 1}


def test_a_users_wrapper_may_change_gymnasiums_values_only():
    env = started(kwargs={"observation_space": NESTED, "action_space": NESTED}, gym_wrapper=Clipped())
    assert env.observation_space == convert_observation_space(NESTED).space
    env.step(env.sample_action())
    assert list(env.unwrapped.actions[0]) == ["z", "a"]
    assert env.state[-1] == 1


class Counted(GymUserWrapper):
    def remap_observation_space(self, env):
        return DiscreteSpace(9)

    def remap_observation(self, observation, env):
        return len(observation)


def test_a_users_wrapper_is_the_way_out_for_other_spaces():
    assert started(kwargs={"observation_space": SEQUENCE}, gym_wrapper=Counted()).state in range(9)


def test_a_wrapper_that_does_nothing_changes_nothing():
    env = started(gym_wrapper=GymUserWrapper())
    env.step(1)
    assert (env.action_space, env.state, env.rewards) == (DiscreteSpace(2), env.unwrapped.observed[-1], [1])


# --- all of it


@pytest.mark.parametrize(
    "env_id",
    ["CartPole-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Pendulum-v1", "Acrobot-v1", "FrozenLake-v1",
     "Taxi-v4", "CliffWalking-v1", "Blackjack-v1"],
)  # fmt: skip
def test_gymnasiums_own_environments_conform(env_id):
    env_test(env_id, max_step=5, test_render_window=env_id == "CartPole-v1")


def test_an_algorithm_trains_on_one():
    runner = srl.Runner(EnvConfig("FrozenLake-v1", {"is_slippery": False}), ql.Config())
    state = runner.train(max_steps=200, enable_progress=False)
    assert state.train_count > 0
    assert len(runner.evaluate(2, enable_progress=False)) == 2
