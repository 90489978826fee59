"""Othello, connectx and StoneTaking: their rules, their pictures and their players."""

import random

import numpy as np
import pytest

from srl.base.env.config import EnvConfig
from srl.base.env.registration import make
from srl.base.exception import SRLError
from srl.envs import connectx, othello
from srl.test.env import player_test


def played(env_id, moves=(), **kwargs):
    env = EnvConfig(env_id, kwargs).make()
    env.setup()
    env.reset()
    for move in moves:
        env.step(move)
    return env


def perft(board, size, piece, depth):
    """Count the lines of play of that many moves."""
    if depth == 0:
        return 1
    moves = othello.legal_moves(board, size, piece)
    return sum(perft(othello.set_piece(board, size, move, piece), size, -piece, depth - 1) for move in moves)


@pytest.mark.parametrize(("depth", "count"), list(enumerate([4, 12, 56, 244, 1396, 8200], start=1)))
def test_othello_has_the_known_numbers_of_lines(depth, count):
    assert perft(played("Othello").env.board, 8, othello.O, depth) == count


def test_othello_flips_and_turns():
    env = played("Othello4x4", [2])
    assert env.state == [0, 0, 1, 0, 0, 1, 1, 0, 0, -1, 1, 0, 0, 0, 0, 0]
    assert (env.next_player, env.get_valid_actions(), env.get_valid_actions(0)) == (1, [1, 3, 11], [8, 12, 13])


def arranged(rows, player):
    """An Othello4x4 with the board as drawn, where it is that player's turn."""
    env = played("Othello4x4")
    env.env.restore(([".ox".index(c) if c != "x" else -1 for c in "".join(rows)], player, -1))
    return env


def test_othello_passes_over_who_cannot_move():
    env = arranged(["ox..", "oo..", "oo..", "oox."], 0)
    env.step(2)
    assert (env.next_player, env.done, env.get_valid_actions()) == (0, False, [15])


@pytest.mark.parametrize(
    ("rows", "rewards"),
    [
        (["ox..", "....", "....", "...."], [1, -1]),
        (["ox.x", "x.xx", "xxxx", "xxxx"], [-1, 1]),
        (["ox.x", "ooxx", "ooxx", "ooxx"], [1, -1]),
    ],
)
def test_othello_ends_when_nobody_can_move(rows, rewards):
    env = arranged(rows, 0)
    env.step(2)
    assert (env.done, env.rewards) == (True, rewards)


def test_othello_can_be_a_tie():
    env = arranged(["ox.x", "ooox", "ooxx", "xxxx"], 0)
    env.step(2)
    assert (sum(env.state), env.done, env.rewards) == (0, True, [0, 0])


@pytest.mark.parametrize(("env_id", "moves"), [("Othello", [0]), ("connectx", [0] * 7)])
def test_an_illegal_move_loses(env_id, moves):
    env = played(env_id, moves)
    assert (env.done, env.reward, env.done_reason) == (True, -1, "illegal move")


@pytest.mark.parametrize("size", [2, 5])
def test_othello_boards_that_cannot_be(size):
    with pytest.raises(SRLError, match=f"size is {size}"):
        EnvConfig("Othello", {"size": size}).make()


def test_othello_terminal_picture():
    assert played("Othello4x4", [2]).render_terminal_text() == (
        "-------------\n"
        "|  | 1|*o| 3|\n"
        "|  | o| o|  |\n"
        "|  | x| o|11|\n"
        "|  |  |  |  |\n"
        "-------------\n"
        "O: 4, X: 1\n"
        "next player: X\n\n"
    )


@pytest.mark.parametrize(
    ("env_id", "shape", "move"),
    [("Othello6x6", (240, 240, 3), 3), ("connectx", (240, 280, 3), 3), ("StoneTaking", (40, 400, 3), 1)],
)
def test_pictures_change_with_the_game(env_id, shape, move):
    env = played(env_id)
    before = env.render_rgb_array()
    move = env.get_valid_actions()[0]
    env.step(move)
    assert (before.shape, before.dtype) == (shape, np.uint8)
    assert not np.array_equal(env.render_rgb_array(), before)
    assert env.action_to_str(move) == str(move + (env_id == "StoneTaking"))


@pytest.mark.parametrize(("env_id", "move", "place"), [("Othello4x4-layer", 2, (0, 2)), ("connectx-layer", 3, (5, 3))])
def test_layers_are_seen_by_the_next_player(env_id, move, place):
    env = played(env_id, [move])
    assert env.observation_space.check_val(env.state)
    assert (env.state[(*place, 0)], env.state[(*place, 1)]) == (0, 1)


# --- connectx


@pytest.mark.parametrize(
    ("moves", "rewards"),
    [
        ([0, 1, 0, 1, 0, 1, 0], [1, -1]),
        ([6, 0, 0, 1, 1, 2, 2, 3], [-1, 1]),
        ([0, 1, 1, 2, 2, 3, 2, 3, 3, 6, 3], [1, -1]),
        ([6, 5, 5, 4, 4, 3, 4, 3, 3, 0, 3], [1, -1]),
    ],
    ids=["column", "row", "diagonal", "other diagonal"],
)
def test_connectx_four_win(moves, rewards):
    assert not played("connectx", moves[:-1]).done
    env = played("connectx", moves)
    assert (env.done, env.rewards) == (True, rewards)


def test_connectx_does_not_join_rows_over_the_edge():
    board = [0] * 42
    board[32:36] = [1] * 4  # the right end of a row, and the left end of the next
    assert not any(connectx.completes_row(board, place) for place in range(32, 36))


def test_connectx_full_board_is_a_tie():
    columns = [0, 1, 2, 3, 4, 5]
    moves = [c for pair in (columns[0:2], columns[2:4], columns[4:6]) for c in (pair * 3 + pair[::-1] * 3)] + [6] * 6
    env = played("connectx", moves)
    assert (env.step_num, env.done, env.rewards, env.env.board.count(0)) == (42, True, [0, 0], 0)


def test_connectx_full_columns_are_invalid():
    assert played("connectx", [2] * 6).invalid_actions == [2]


def test_connectx_terminal_picture():
    text = played("connectx", [3, 3]).render_terminal_text()
    assert text.splitlines()[0] == "0 1 2 3 4 5 6"
    assert text.splitlines()[5:8] == [". . . x . . .", ". . . o . . .", "next player: o"]
    assert played("connectx").get_key_bind()["1"] == 0


@pytest.mark.parametrize(
    ("moves", "choice"),
    [([0, 1, 0, 1, 0, 1], 0), ([0, 1, 0, 1, 0], 0), ([], 3)],
    ids=["wins", "prevents", "middle"],
)
def test_connectx_cpu(moves, choice):
    env = played("connectx", moves)
    assert connectx_cpu().choose(env.env.board, connectx.PIECES[env.next_player]) == choice


def test_connectx_cpu_gives_no_win_away():
    board = [0] * 28 + [2, 2, 2, 0, 0, 0, 0] + [1, 2, 1, 0, 0, 0, 0]  # on top of the middle the other one would win
    assert {connectx_cpu().choose(board, 1) for _ in range(20)} == {2, 4}


def connectx_cpu():
    return make("connectx").make_worker("cpu")


# --- StoneTaking


def test_who_takes_the_last_stone_loses():
    env = played("StoneTaking", [2, 2, 2])
    assert (env.state, env.invalid_actions, env.next_player) == (1, [1, 2], 1)
    env.step(0)
    assert (env.state, env.done, env.rewards) == (0, True, [1, -1])


def test_more_stones_than_there_are():
    assert played("StoneTaking", [2], stones=2).rewards == [-1, 1]
    with pytest.raises(SRLError, match="stones is 0"):
        EnvConfig("StoneTaking", {"stones": 0}).make()


def test_stones_terminal_picture():
    assert played("StoneTaking", [1]).render_terminal_text() == "  8: oooooooo\nnext player: 1\n\n"


# --- players


@pytest.mark.parametrize("env_id", ["Othello4x4", "Othello", "connectx", "StoneTaking"])
def test_the_cpu_conforms(env_id):
    assert player_test(env_id, "cpu").done
    assert make(env_id).make_worker("nobody", enable_raise=False) is None
    with pytest.raises(SRLError, match="cannot play 'Grid'"):
        make(env_id).make_worker("cpu").call_policy(make("Grid"))


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(
    ("env_id", "games", "mean"), [("Othello6x6", 20, 0.2), ("connectx", 20, 0.6), ("StoneTaking", 60, 0.5)]
)
def test_the_cpu_beats_chance(env_id, games, mean, side):
    random.seed(side)
    env = played(env_id)
    cpu = env.make_worker("cpu")
    rewards = []
    for _ in range(games):
        env.reset()
        while not env.done:
            env.step(cpu.call_policy(env) if env.next_player == side else env.sample_action())
        rewards.append(env.episode_rewards[side])
    assert np.mean(rewards) > mean


def test_the_cpu_wins_whenever_it_can():
    env = played("StoneTaking")
    cpu = env.make_worker("cpu")
    for _ in range(30):
        env.reset()
        while not env.done:
            env.step(cpu.call_policy(env) if env.next_player == 0 else env.sample_action())
        assert env.rewards == [1, -1]
