"""OX: its rules, its pictures, and the player that never loses."""

import random

import numpy as np
import pytest

from srl.base.env.registration import make
from srl.base.exception import SRLError
from srl.envs.ox_player import Cpu


def started(env_id="OX"):
    env = make(env_id)
    env.setup()
    env.reset()
    return env


def played(moves, env_id="OX"):
    env = started(env_id)
    for move in moves:
        env.step(move)
    return env


@pytest.mark.parametrize(
    ("moves", "rewards"),
    [
        ([0, 3, 1, 4, 2], [1, -1]),
        ([0, 3, 1, 4, 8, 5], [-1, 1]),
        ([2, 0, 4, 1, 6], [1, -1]),
        ([0, 1, 2, 4, 3, 5, 7, 6, 8], [0, 0]),
        ([0, 0], [0, -1]),
    ],
)
def test_ends(moves, rewards):
    env = played(moves)
    assert (env.done, env.rewards) == (True, rewards)


def test_turns_and_invalid_actions():
    env = played([4])
    assert (env.state, env.next_player, env.done) == ([0, 0, 0, 0, 1, 0, 0, 0, 0], 1, False)
    assert env.invalid_actions == [4]
    env.step(0)
    assert (env.state[0], env.next_player, env.invalid_actions) == (-1, 0, [0, 4])


def test_an_illegal_move_says_so():
    assert played([0, 0]).done_reason == "illegal move"


def test_terminal_picture():
    rows = ["| x| 1| 2|", "| 3| o| 5|", "| 6| 7| 8|"]
    rule = "\n----------\n"
    assert played([4, 0]).render_terminal_text() == (rule + rule.join(rows) + rule)[1:] + "next player: O\n\n"


def test_picture():
    empty, set_o, set_x = (played(moves).render_rgb_array() for moves in ([], [4], [4, 0]))
    assert (empty.shape, empty.dtype) == ((192, 192, 3), np.uint8)
    assert not np.array_equal(empty, set_o)
    assert not np.array_equal(set_o, set_x)


def test_layers_are_seen_by_the_next_player():
    env = played([4], "OX-layer")
    assert env.state[..., 0].sum() == 0
    assert env.state[1, 1, 1] == 1


def test_keys_reach_every_place():
    assert sorted(started().get_key_bind().values()) == list(range(9))
    assert started().action_to_str(3) == "3"


def test_the_cpu_takes_a_win_and_blocks_one():
    cpu = Cpu()
    assert cpu.choose((1, 1, 0, -1, -1, 0, 0, 0, 0), 1) == 2
    assert cpu.choose((1, 1, 0, 0, -1, 0, 0, 0, 0), -1) == 2


@pytest.mark.parametrize("side", [0, 1])
def test_the_cpu_never_loses(side):
    random.seed(side)
    env = started()
    cpu = env.make_worker("cpu")
    wins = 0
    for _ in range(50):
        env.reset()
        while not env.done:
            env.step(cpu.call_policy(env) if env.next_player == side else env.sample_action())
        assert env.episode_rewards[side] >= 0
        wins += env.episode_rewards[side] == 1
    assert wins > 25


def test_the_cpu_of_ox_plays_only_ox():
    grid = make("Grid")
    with pytest.raises(SRLError, match="Grid"):
        Cpu().call_policy(grid)
