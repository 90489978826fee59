"""Environments of PettingZoo: players who take turns, leave, are rewarded out of turn, and may not choose all."""

import random
import sys

import numpy as np
import pettingzoo
import pytest

import srl
from srl.base.define import DoneTypes
from srl.base.env.config import EnvConfig
from srl.base.env.registration import register
from srl.base.exception import NotSupportedError, UndefinedError
from srl.base.spaces import BoxSpace, DiscreteSpace
from srl.test.env import env_test
from srl.utils.usage import UsageError

CANDLES = "pettingzoo:zoo_envs:Candles"
TICTACTOE = "pettingzoo:classic/tictactoe_v3"


def started(env_id=CANDLES, render_mode="", **kwargs):
    env = EnvConfig(env_id, kwargs, enable_assertion=True).make()
    env.setup(render_mode=render_mode)
    env.reset(seed=0)
    return env


@pytest.mark.filterwarnings("ignore:The old environment creation API:DeprecationWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")  # on what is recommended, not required
def test_the_game_of_these_tests_keeps_pettingzoos_api():
    from pettingzoo.test import api_test
    from zoo_envs import Candles

    api_test(Candles(), num_cycles=100)
    api_test(Candles(mask_in="observation"), num_cycles=100)


@pytest.mark.parametrize(
    "env_id",
    [
        CANDLES,
        "pettingzoo:zoo_envs:Matching",
        TICTACTOE,
        "pettingzoo:classic/connect_four-v3",
        "pettingzoo:classic/rps",
    ],
)
def test_games_conform(env_id):
    env_test(env_id, test_render_window=False)


def test_agents_are_players():
    env = started()
    assert (env.player_num, env.next_player, env.max_episode_steps) == (3, 0, 99_999)
    assert (env.action_space, env.observation_space) == (DiscreteSpace(3), BoxSpace((2,), 0, 9, np.int64))
    assert (env.state.tolist(), env.info["left"]) == ([0, 2], 2)


def test_rewards_come_to_each_player_whoever_acts():
    env = started()
    env.step(2)  # a's candle is out
    assert (env.rewards, env.next_player, env.state.tolist()) == ([9.5, 1, 0], 1, [1, 3])
    env.step(0)
    assert (env.rewards, env.next_player) == ([0, -0.5, 1], 2)
    env.step(0)  # a has left: b comes next, and is given to
    assert (env.rewards, env.next_player) == ([0, 1, -0.5], 1)
    env.step(1)
    assert (env.rewards, env.next_player) == ([0, 9.5, 1], 2)
    env.step(2)
    assert (env.rewards, env.done_type) == ([0, 0, 10.5], DoneTypes.TERMINATED)
    assert env.episode_rewards == [9.5, 11, 12]


def played(env, seed):
    """Play an episode at random; return the sums of rewards."""
    random.seed(seed)
    env.reset(seed=seed)
    while not env.done:
        env.step(env.sample_action())
    return env.episode_rewards


def played_by_pettingzoo(env, seed):
    """The same episode by PettingZoo's own loop: what `last` tells each agent."""
    random.seed(seed)
    env.reset(seed=seed)
    sums = dict.fromkeys(env.possible_agents, 0)
    for agent in env.agent_iter():
        observation, reward, terminated, truncated, info = env.last()
        sums[agent] += reward
        mask = observation["action_mask"] if isinstance(observation, dict) else info.get("action_mask")
        n = env.action_space(agent).n
        invalid = [] if mask is None else [i for i in range(n) if not mask[i]]
        env.step(None if terminated or truncated else DiscreteSpace(int(n)).sample(invalid))
    return list(sums.values())


@pytest.mark.parametrize("game", ["classic/tictactoe_v3", "classic/connect_four_v3", "classic/rps_v2"])
def test_sums_of_rewards_are_what_pettingzoos_loop_tells(game):
    env, theirs = started(f"pettingzoo:{game}"), pettingzoo.make("aec", game)
    for seed in range(10):
        assert played(env, seed) == played_by_pettingzoo(theirs, seed)


@pytest.mark.parametrize("mask_in", ["observation", "info"])
@pytest.mark.parametrize("limit", [100, 2])
def test_so_they_are_when_agents_leave_one_by_one(mask_in, limit):
    from zoo_envs import Candles

    for seed in range(20):
        ours = played(started(limit=limit, mask_in=mask_in), seed)
        assert ours == played_by_pettingzoo(Candles(limit, mask_in), seed)


@pytest.mark.parametrize("mask_in", ["observation", "info"])
def test_a_mask_becomes_invalid_actions(mask_in):
    env = started(mask_in=mask_in)
    assert env.observation_space == BoxSpace((2,), 0, 9, np.int64)
    assert (env.invalid_actions, env.get_invalid_actions(2)) == ([0], [2])
    env.step(2)
    assert (env.invalid_actions, env.get_invalid_actions(0)) == ([1], [])  # player 0 is out


def test_without_a_mask_all_is_allowed():
    assert started(mask_in="nowhere").invalid_actions == []


def test_who_is_not_to_move_is_not_told_that_nothing_is_allowed():
    env = started(TICTACTOE)
    env.step(4)
    assert (env.invalid_actions, env.get_invalid_actions(0)) == ([4], [])


def test_an_illegal_move_is_judged_by_the_game():
    env = started(TICTACTOE)
    env.step(0)
    env.step(0)
    assert (env.rewards, env.done_type) == ([0, -1], DoneTypes.TERMINATED)


def test_an_episode_that_is_cut_off():
    env = started(limit=2)
    env.step(1)
    env.step(0)
    assert (env.done_type, env.step_num) == (DoneTypes.TRUNCATED, 2)
    env.reset()
    assert not env.done


def test_agents_of_a_parallel_environment_are_asked_in_turn():
    env = started("pettingzoo:zoo_envs:Matching")
    rewards = []
    for action in (1, 1, 0, 1) + (0,) * 6:
        assert env.next_player == len(rewards) % 2
        env.step(action)
        rewards.append(env.rewards)
    assert rewards[:4] == [[0, 0], [1, -1], [0, 0], [-1, 1]]
    assert (env.done_type, env.episode_rewards) == (DoneTypes.TRUNCATED, [3, -3])


@pytest.mark.parametrize("env_id", [CANDLES, TICTACTOE, "pettingzoo:zoo_envs:Matching"])
def test_a_backup_goes_back_and_a_copy_goes_on(env_id):
    env = started(env_id)
    env.step(1)
    data, before = env.backup(), (env.next_player, env.invalid_actions, env.observation_space.to_str(env.state))
    for _ in range(2):
        ends = [played_on(env, seed) for seed in (1, 1)]
        assert ends[0] == ends[1]
        env.restore(data)
        assert (env.next_player, env.invalid_actions, env.observation_space.to_str(env.state)) == before
    other = env.copy()
    other.step(other.sample_action())
    assert (env.step_num, other.step_num) == (1, 2)


def played_on(env, seed):
    """Play on at random from here in a copy; return the sums of rewards."""
    other = env.copy()
    random.seed(seed)
    while not other.done:
        other.step(other.sample_action())
    assert env.step_num == 1
    return other.episode_rewards


def test_drawing(capsys):
    started(render_mode="terminal").render_terminal()
    assert capsys.readouterr().out == "candles: {'a': 2, 'b': 3, 'c': 4}\n"
    env = started(TICTACTOE, render_mode="rgb_array", screen_height=60)
    env.step(0)
    env.restore(env.backup())
    assert env.render_rgb_array().shape == (60, 60, 3)
    assert started(TICTACTOE).render_rgb_array() is None


def test_it_may_have_a_name_of_its_own():
    wrapper = "srl.base.env.pettingzoo_wrapper:PettingZooWrapper"
    register("test-candles", wrapper, {"env": "zoo_envs:Candles", "limit": 1}, check_duplicate=False)
    env = EnvConfig("test-candles").make()
    assert (env.name, env.unwrapped.limit) == ("test-candles", 1)


@pytest.mark.parametrize(
    ("env_id", "error", "complaint"),
    [
        ("pettingzoo:classic/tictacto_v3", UndefinedError, "Did you mean classic/tictactoe-v3"),
        ("pettingzoo:classic/leduc_holdem_v4", UsageError, "additional"),
        ("pettingzoo:zoo_envs:nowhere", UsageError, "has no 'nowhere'"),
        ("pettingzoo:zoo_envs:nothing", UsageError, "int, which is neither an AECEnv nor a ParallelEnv"),
        ("pettingzoo:zoo_envs:Uneven", NotSupportedError, "differ in their action_space"),
        ("pettingzoo:zoo_envs:Unknown", NotSupportedError, "possible_agents"),
    ],
)
def test_what_cannot_be_played_says_why(env_id, error, complaint):
    with pytest.raises(error, match=complaint):
        EnvConfig(env_id).make()


def test_without_pettingzoo_the_error_names_the_extra(monkeypatch):
    monkeypatch.delitem(sys.modules, "srl.base.env.pettingzoo_wrapper", raising=False)
    monkeypatch.setitem(sys.modules, "pettingzoo", None)
    with pytest.raises(UsageError, match=r"srl-cluster\[pettingzoo\]"):
        EnvConfig(CANDLES).make()


def test_players_of_all_kinds_play():
    runner = srl.Runner(CANDLES)
    rewards = runner.evaluate(5, players=["random", None, "random"], enable_progress=False)
    assert [len(each) for each in rewards] == [3] * 5
