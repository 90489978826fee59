"""EnvConfig, registration, Info and the conformance kit."""

from dataclasses import dataclass

import numpy as np
import pytest
from gym_envs import make_echo

from srl.base.define import SpaceTypes
from srl.base.env import EnvBase, registration
from srl.base.env.config import EnvConfig
from srl.base.env.gym_user_wrapper import GymUserWrapper
from srl.base.env.registration import describe, make, make_known, register
from srl.base.exception import SRLError, UndefinedError
from srl.base.info import Info
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
from srl.envs import BUILT_IN
from srl.test.env import env_test, player_test


class Coin(EnvBase):
    """One step: heads or tails."""

    def __init__(self, broken=""):
        super().__init__()
        self.broken = broken
        self.resets = 0
        self.steps = 0

    action_space = property(lambda _: DiscreteSpace(2))
    observation_space = property(
        lambda self: BoxSpace((1,), 0, 100, np.int64) if self.broken == "alias" else DiscreteSpace(100)
    )
    max_episode_steps = property(lambda _: 9)
    player_num = property(lambda self: 0 if self.broken == "players" else 1)

    def reset(self, *, seed=None, **_):
        self.resets += 1
        self.steps = 0
        if self.broken == "alias":
            self.array = np.zeros(1, np.int64)
            return self.array
        return self.resets if self.broken == "seed" else 0

    def step(self, _action):
        self.steps += 1
        self.next_player = int(self.broken == "turn")
        if self.broken == "alias":
            self.array[0] += 1
            return self.array, 0.0, self.steps == 3, False
        return (999 if self.broken == "state" else self.steps), 0.0, self.steps == 3, False

    def get_key_bind(self):
        return {"a": 7} if self.broken == "key" else None

    def action_to_str(self, action):
        return 0 if self.broken == "name" else str(action)

    @property
    def reward_range(self):
        return (1, 2) if self.broken == "sum" else (0, 0)

    def get_invalid_actions(self, player_index=-1):
        return [0, 1] if self.broken == "actions" else []

    def backup(self):
        return self.steps

    def restore(self, data):
        self.steps = data

    def render_terminal(self, **_):
        print(self.resets if self.broken != "restore" else self.steps + id(object()))
        if self.broken == "restore":
            self.resets += 1
            print(self.resets)

    def render_rgb_array(self, **_):
        return np.zeros((2, 2), np.uint8) if self.broken == "picture" else None

    def make_worker(self, name, **_):
        return object()


class NotAnEnv:
    pass


register("test-Coin", f"{__name__}:Coin", check_duplicate=False)
register("test-NotAnEnv", f"{__name__}:NotAnEnv", check_duplicate=False)


@pytest.mark.parametrize("env_id", sorted(BUILT_IN))
def test_built_in_environments_conform(env_id):
    assert env_test(env_id).done


def test_the_player_of_ox_conforms():
    assert player_test("OX", "cpu").episode_rewards == [0, 0]


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        ("players", "player_num is 0"),
        ("seed", "seed"),
        ("turn", "next_player"),
        ("state", "state 999"),
        ("actions", "every action is invalid"),
        ("key", "key 'a' plays 7"),
        ("name", "action_to_str.* returned 0"),
        ("alias", "return a copy"),
        ("sum", "player 0 has 0.0 in the episode, outside of reward_range 1..2"),
        ("picture", "shape"),
        ("restore", "restore"),
    ],
)
def test_the_kit_finds_what_is_broken(broken, complaint):
    with pytest.raises(SRLError, match=complaint):
        env_test(EnvConfig("test-Coin", {"broken": broken}))


def test_the_kit_wants_players_that_are_env_workers():
    with pytest.raises(SRLError, match="EnvWorker"):
        player_test("test-Coin", "cpu")


def test_the_kit_passes_a_sound_environment_and_can_stop_early():
    assert env_test("test-Coin").done
    assert not env_test("test-Coin", max_step=1).done


def test_an_unknown_id_lists_near_ones():
    with pytest.raises(UndefinedError, match="Did you mean Grid"):
        make("Gird")
    with pytest.raises(UndefinedError, match=r"Known: .*EasyGrid"):
        make("zzz")


def test_an_id_is_registered_once():
    with pytest.raises(SRLError, match="already"):
        register("test-Coin", f"{__name__}:Coin")
    register("test-Coin", f"{__name__}:Coin", check_duplicate=False)


def test_registered_arguments_are_overridden_by_the_settings():
    register("test-Coin2", f"{__name__}:Coin", {"broken": "picture"}, check_duplicate=False)
    assert make("test-Coin2").env.broken == "picture"
    assert EnvConfig("test-Coin2", {"broken": "seed"}).make().env.broken == "seed"


def test_a_registration_can_be_carried_elsewhere():
    assert describe("Grid") == {}
    description = describe("test-Coin")
    assert description == {"id": "test-Coin", "entry_point": f"{__name__}:Coin", "kwargs": {}}
    make_known(description)
    del registration._registry["test-Coin"]
    make_known(description)
    assert describe("test-Coin") == description


def test_only_environments_are_made():
    with pytest.raises(SRLError, match="EnvBase"):
        make("test-NotAnEnv")


def test_settings_survive_a_file(tmp_path):
    config = EnvConfig("Grid", {"move_reward": -0.1}, max_episode_steps=7, display_name="my grid")
    config.save(tmp_path / "env.json")
    assert EnvConfig.load(tmp_path / "env.json") == config
    assert config.copy() == config
    assert config.name == "my grid"
    with pytest.raises(SRLError, match="speed"):
        config.apply_dict({"speed": 1})


def local_function():
    def make_it(_id):
        return None

    return make_it


SPACES = [
    DiscreteSpace(3, 1),
    ArrayDiscreteSpace(2, [0, 1], 5),
    ContinuousSpace(-1, 1),
    ArrayContinuousSpace(2, -1, [0.5, 2]),
    NpArraySpace(3, 0, 1),
    BoxSpace((2, 1), -np.inf, [[1], [2]], np.float64, SpaceTypes.FEATURE_MAP),
    TextSpace(4, 2, "ab"),
    AnySpace(),
    MultiSpace([DiscreteSpace(2), BoxSpace((2,), 0, 9, np.int64)]),
]


@pytest.mark.parametrize("suffix", ["json", "yaml"])
@pytest.mark.parametrize("space", SPACES, ids=str)
def test_spaces_survive_a_file(tmp_path, space, suffix):
    config = EnvConfig("Grid", override_observation_space=space)
    config.save(tmp_path / f"env.{suffix}")
    assert EnvConfig.load(tmp_path / f"env.{suffix}") == config


@dataclass
class Halved(GymUserWrapper):
    """Rewards are multiplied."""

    factor: float = 0.5

    def remap_reward(self, reward, env):
        return reward * self.factor


def test_what_belongs_to_gymnasium_survives_a_file(tmp_path):
    config = EnvConfig("x", gym_make_func=make_echo, gym_wrapper=Halved(0.25))
    config.save(tmp_path / "env.yaml")
    loaded = EnvConfig.load(tmp_path / "env.yaml")
    assert loaded == config
    env = loaded.make()
    env.setup()
    env.reset()
    env.step(0)
    assert env.rewards == [0.25]


@pytest.mark.parametrize(
    ("made_by", "complaint"),
    [(lambda _id: None, "gym_make_func is <function"), (local_function(), "inside a function")],
)
def test_functions_without_a_name_that_others_can_import(made_by, complaint):
    with pytest.raises(SRLError, match=complaint):
        EnvConfig("x", gym_make_func=made_by).to_dict()


@pytest.mark.parametrize("field", ["frameskip", "random_noop_max"])
def test_settings_out_of_range(field):
    with pytest.raises(SRLError, match=field):
        EnvConfig("Grid", **{field: -1})


def test_summary(capsys):
    EnvConfig("Grid").summary()
    assert "Discrete(4, start=0)" in capsys.readouterr().out


def test_info():
    info = Info.of({"a": 1.23456, "b": 123.456})
    assert Info.of(info) is info
    info.set_dict({"c": "x"})
    info.set_scalar("d", 3)
    assert info.to_str() == "|a 1.235|b 123.5|c x|d  3"
    assert str(info) == "{'a': 1.23456, 'b': 123.456, 'c': 'x', 'd': 3}"
    assert type(info.to_dict()) is dict
    assert info.copy() == info
    assert info.copy() is not info
