"""The player "human": what it shows, what it takes, and how one stops."""

import subprocess
import sys

import pytest

import srl
from srl.base.define import DoneTypes
from srl.utils.usage import UsageError


@pytest.fixture
def typed(monkeypatch):
    """Type lines into standard input."""

    def type_lines(*lines):
        waiting = list(lines)

        def read(prompt):
            print(prompt)
            if not waiting:
                raise EOFError
            return waiting.pop(0)

        monkeypatch.setattr("builtins.input", read)
        return waiting

    return type_lines


def play(env, players, **settings):
    runner = srl.Runner(env)
    runner.set_seed(1)  # the environment's player may draw its actions
    return runner.evaluate(max_episodes=1, players=players, shuffle_player=False, enable_progress=False, **settings)


def test_actions_by_number_and_by_name(typed, capsys):
    typed("→", "2", " → ", "2")
    assert play("EasyGrid", ["human"], max_steps=4) == []
    text = capsys.readouterr().out
    assert text.startswith("......\n.   G.")
    assert "player 0: 0:←  1:↓  2:→  3:↑\n" in text
    assert "number or a name; q ends" in text


def test_it_plays_to_the_end(typed):
    waiting = typed("1", "1", "1", "1")
    assert play("SampleEnv", ["human"]) == [pytest.approx(0.88)]
    assert waiting == []


def test_what_is_not_valid_is_asked_again(typed, capsys):
    typed("0", "0", "9", "", "center", "1", "3", "2", "6")
    assert play("OX", ["human", "human"]) == [[1, -1]]
    text = capsys.readouterr().out
    for refused in ("0", "9", "", "center"):
        assert f"'{refused}' is not one of these actions" in text
    assert "player 1: 1  2  3  4  5  6  7  8" in text


def test_q_ends_the_episode(typed):
    typed("1", "q")
    runner = srl.Runner("SampleEnv")
    runner.evaluate(max_episodes=1, players=["human"], enable_progress=False)
    assert runner.env.done_type is DoneTypes.ABORT
    assert runner.env.step_num == 1


def test_the_end_of_the_input_says_what_to_do(typed):
    typed("1")
    with pytest.raises(UsageError, match="start the program in a terminal"):
        play("SampleEnv", ["human"])


def test_the_state_is_shown_where_nothing_is_drawn(typed, capsys):
    typed("0")
    play("CartPole-v1", ["human"], max_steps=1)
    assert capsys.readouterr().out.count(",") >= 3  # four numbers


def test_actions_with_fractions_are_divided(typed, capsys):
    typed("0", "2")
    runner = srl.Runner("Pendulum-v1")
    runner.evaluate(max_episodes=1, max_steps=1, players=["human"], enable_progress=False)
    assert runner.env.action.tolist() == [-2]
    assert "0:[-2.]  1:[-1.]  2:[0.]  3:[1.]  4:[2.]" in capsys.readouterr().out
    runner.evaluate(max_episodes=1, max_steps=1, players=[("human", {"action_division_num": 3})], enable_progress=False)
    assert runner.env.action.tolist() == [2]


def test_against_a_player_of_the_environment(typed):
    typed("0", "0", "0", "0", "0", "0", "0", "0", "0", "0")
    (rewards,) = play("StoneTaking", ["human", "cpu"])
    assert rewards == [-1, 1]


def test_in_a_process_of_its_own():
    program = (
        "import srl; print(srl.Runner('SampleEnv').evaluate(1, players=['human'], enable_progress=False), end='!')"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], input="x\n1\n→\n1\n1\n", capture_output=True, text=True, timeout=60, check=True
    )
    assert "'x' is not one of these actions" in result.stdout
    assert result.stdout.endswith("[0.88]!")
