"""OneRoad, SampleEnv and Tiger: their rules and pictures."""

import numpy as np
import pytest

from srl.base.env.config import EnvConfig
from srl.base.exception import SRLError


def played(env_id, moves=(), seed=0, **kwargs):
    env = EnvConfig(env_id, kwargs).make()
    env.setup()
    env.reset(seed=seed)
    for move in moves:
        env.step(move)
    return env


def outcome(env):
    return env.state, env.reward, env.done


def test_the_one_road():
    assert outcome(played("OneRoad", [0] * 9)) == (9, 0, False)
    assert outcome(played("OneRoad", [0] * 10)) == (10, 1, True)
    assert outcome(played("OneRoad", [0, 0, 1])) == (0, 0, True)


def test_the_hard_road_leads_back():
    env = played("OneRoad-hard", [0, 0, 15])
    assert outcome(env) == (0, 0, False)
    assert (env.action_space.n, env.max_episode_steps) == (16, 22)
    assert outcome(played("OneRoad-hard", [0] * 20)) == (20, 1, True)


@pytest.mark.parametrize("wrong", [{"length": 0}, {"action_num": 1}])
def test_roads_that_cannot_be(wrong):
    with pytest.raises(SRLError, match="at least"):
        EnvConfig("OneRoad", wrong).make()


def test_sample_env():
    assert outcome(played("SampleEnv", [1, 0])) == (4, -0.04, False)
    assert outcome(played("SampleEnv", [1] * 4)) == (8, 1, True)
    assert outcome(played("SampleEnv", [0] * 4)) == (0, -1, True)
    assert played("SampleEnv", [1] * 4).episode_rewards == pytest.approx([0.88])
    assert played("SampleEnv").get_key_bind() == {"a": 0, "d": 1}
    assert played("SampleEnv").action_to_str(1) == "→"


@pytest.mark.parametrize(
    ("env_id", "text"),
    [("OneRoad", "1 / 10\n\n"), ("SampleEnv", "X..P....G\n\n"), ("Tiger", None)],
)
def test_drawing(env_id, text):
    env = played(env_id)
    before = env.render_rgb_array()
    env.step(0)
    if text is not None:
        assert env.render_terminal_text() == text
        assert not np.array_equal(env.render_rgb_array(), before)
    assert before.dtype == np.uint8


def test_tiger_doors():
    for seed in range(10):
        env = played("Tiger", seed=seed)
        tiger = env.env.tiger
        env.step(1 + tiger)
        assert (env.reward, env.done) == (-100, True)
        env = played("Tiger", [2 - tiger], seed=seed)
        assert (env.reward, env.done) == (10, True)


def test_tiger_is_heard_where_it_is_most_of_the_time():
    env = played("Tiger")
    heard, first = [], []
    for seed in range(100):
        env.reset(seed=seed)
        first.append(env.state == env.env.tiger)
        for _ in range(20):
            env.step(0)
            assert (env.reward, env.done) == (-1, False)
            heard.append(env.state == env.env.tiger)
    assert np.mean(heard) == pytest.approx(0.85, abs=0.03)
    assert np.mean(first) == pytest.approx(0.5, abs=0.15)


def test_the_best_policy_of_tiger_reaches_what_is_said():
    env = played("Tiger")
    rewards = []
    for seed in range(1000):
        env.reset(seed=seed)
        lead = 0
        while not env.done:
            env.step(0 if abs(lead) < 3 else 1 + (lead < 0))
            lead += 1 if env.state == 1 else -1
        rewards.append(env.episode_rewards[0])
    assert np.mean(rewards) == pytest.approx(5.2, abs=1)
    assert np.mean(rewards) >= env.reward_baseline["baseline"]


def test_tiger_for_people():
    env = played("Tiger")
    assert [env.action_to_str(a) for a in range(3)] == ["listen", "open left", "open right"]
    assert sorted(env.get_key_bind().values()) == [0, 1, 2]
    env.env.tiger, env.env.heard = 0, 1
    assert env.render_terminal_text() == "tiger: left, heard: right\n\n"


def test_grid_one_road_has_one_way():
    env = played("GridOneRoad", [2] * 4 + [1] * 2 + [0] * 4)
    assert (env.state, env.reward, env.done, env.step_num) == ([1, 3], 1, True, 10)
    env = played("GridOneRoad", [1, 0, 3])
    assert (env.state, env.episode_rewards) == ([1, 1], [0])


def test_igrid_is_shaped_like_an_i():
    starts = {tuple(played("IGrid", seed=seed).state) for seed in range(20)}
    assert starts == {(0, 1, 0, 0), (0, 0, 0, 1)}  # the upper end goes down only, the lower one up


def igrid_from_the_top(moves):
    seed = next(seed for seed in range(20) if played("IGrid", seed=seed).state == [0, 1, 0, 0])
    return played("IGrid", moves, seed, length=2)


DOWN, RIGHT, UP = 1, 2, 3


def test_igrid_rewards_the_side_of_the_start():
    corridor = [DOWN, RIGHT, RIGHT, RIGHT]
    assert outcome(igrid_from_the_top(corridor)) == ([1, 1, 0, 1], 0, False)
    assert outcome(igrid_from_the_top([*corridor, UP])) == ([0, 1, 0, 0], 1, True)
    assert outcome(igrid_from_the_top([*corridor, DOWN])) == ([0, 0, 0, 1], -1, True)
    assert outcome(igrid_from_the_top([UP, RIGHT])) == ([0, 1, 0, 0], 0, False)  # walls


def test_igrid_for_people():
    env = igrid_from_the_top([DOWN])
    assert env.render_terminal_text() == "......\n.S..G.\n.P   .\n. ..X.\n......\n\n"
    before = env.render_rgb_array()
    env.step(RIGHT)
    assert not np.array_equal(env.render_rgb_array(), before)
    assert [env.action_to_str(a) for a in range(4)] == list("←↓→↑")
    assert env.get_key_bind() == {"a": 0, "s": 1, "d": 2, "w": 3}
    with pytest.raises(SRLError, match="length is 0"):
        EnvConfig("IGrid", {"length": 0}).make()
