"""The scripts in examples/, with small limits: they run, and say what their docstrings promise."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image

from examples import cartpole_dqn, grid_q_learning, own_environment, pendulum_sac, tic_tac_toe_mcts
from srl.utils.seed import set_seed

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(autouse=True)
def seeded() -> None:
    set_seed(1)


def number_after(text: str, out: str) -> float:
    found = re.search(re.escape(text) + r" (-?[\d.]+)", out)
    assert found is not None, out
    return float(found[1])


def test_grid_q_learning(capsys: pytest.CaptureFixture[str]) -> None:
    grid_q_learning.main(["--steps", "10000", "--episodes", "100"])
    out = capsys.readouterr().out
    assert "\n.→→→G.\n" in out
    assert number_after("mean reward of 100 episodes:", out) > 0.5


def test_own_environment(capsys: pytest.CaptureFixture[str]) -> None:
    own_environment.main(["--steps", "2000"])
    out = capsys.readouterr().out
    assert "(open): " in out
    assert number_after("mean reward of 100 rides:", out) > 0.7


def test_tic_tac_toe(capsys: pytest.CaptureFixture[str]) -> None:
    tic_tac_toe_mcts.main(["--steps", "100", "--games", "5"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["as player 0", "as player 1"]
    assert all(line.endswith(" 0 lost") for line in lines)


def test_tic_tac_toe_against_a_human(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    # a typing error, then the first free place each time: what is taken is refused, and the next is asked for
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(["nine", *map(str, [*range(9)] * 5)])))
    tic_tac_toe_mcts.main(["--steps", "10", "--games", "1", "--human"])
    out = capsys.readouterr().out
    assert "player 1: " in out
    assert "'nine' is not one of these actions" in out


def test_cartpole(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    cartpole_dqn.main(["--steps", "600", "--episodes", "2", "--gif", str(tmp_path / "cartpole.gif")])
    out = capsys.readouterr().out
    assert 1 <= number_after("mean reward of 2 episodes:", out) <= 500
    with Image.open(tmp_path / "cartpole.gif") as image:
        assert image.n_frames > 1  # type: ignore[attr-defined]


def test_pendulum(capsys: pytest.CaptureFixture[str]) -> None:
    pendulum_sac.main(["--steps", "1100", "--episodes", "1"])
    assert -2000 < number_after("mean reward of 1 episodes:", capsys.readouterr().out) < 0


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_each_is_short_and_begins_with_what_one_sees(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert text.startswith('"""')
    assert '\nif __name__ == "__main__":\n    main()\n' in text


@pytest.mark.parametrize("example", [grid_q_learning, own_environment, tic_tac_toe_mcts, cartpole_dqn, pendulum_sac])
def test_the_docstring_says_how_to_run_it(example: object) -> None:
    name = example.__name__  # type: ignore[attr-defined]
    assert f"`python -m {name}" in str(example.__doc__)
    lines = (EXAMPLES / f"{name.rpartition('.')[2]}.py").read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line]) <= 60
