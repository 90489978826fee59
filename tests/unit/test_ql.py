from __future__ import annotations

import math
from typing import Any

import pytest

import srl
from srl.algorithms import ql


def test_it_learns_grid() -> None:
    runner = srl.Runner("Grid", ql.Config(lr=0.02))
    runner.set_seed(1)
    runner.train(max_steps=20_000, enable_progress=False)
    rewards = runner.evaluate(max_episodes=200, enable_progress=False)
    assert sum(rewards) / len(rewards) > 0.6


def test_it_plays_two_players() -> None:
    runner = srl.Runner("OX", ql.Config())
    runner.set_seed(1)
    runner.train(max_steps=20_000, enable_progress=False)
    rewards = runner.evaluate(max_episodes=200, enable_progress=False)
    assert sum(first for first, _ in rewards) / 200 > 0.4


def trained(transition: tuple[Any, ...], q: dict[Any, list[float]], **config: Any) -> dict[Any, list[float]]:
    runner = srl.Runner("Grid", ql.Config(**config))
    runner.parameter.q = q
    runner.memory.add(transition)
    runner.trainer.train()
    assert runner.trainer.train_count == 1
    return runner.parameter.q  # type: ignore[no-any-return]


def test_one_update_is_the_equation() -> None:
    q = trained(((1,), 2, 0.5, (2,), False, []), {(1,): [0, 0, 1, 0], (2,): [3, 1, 0, 0]}, lr=0.1, gamma=0.9)
    assert q[1,] == pytest.approx([0, 0, 1 + 0.1 * (0.5 + 0.9 * 3 - 1), 0])


def test_the_end_has_no_future() -> None:
    q = trained(((1,), 0, 2.0, (2,), True, []), {(2,): [9.0] * 4}, lr=0.5)
    assert q[1,] == [1.0, 0, 0, 0]


def test_invalid_actions_are_no_future() -> None:
    q = trained(((1,), 0, 0.0, (2,), False, [0]), {(2,): [9.0, 4.0, 0, 0]}, lr=1.0, gamma=0.5)
    assert q[1,][0] == 2.0


def test_an_empty_memory_trains_nothing() -> None:
    trainer = srl.Runner("Grid", ql.Config()).trainer
    trainer.train()
    assert trainer.train_count == 0


def test_greedy_takes_one_of_the_best() -> None:
    assert ql.greedy([0.0, 2.0, 1.0]) == 1
    assert {ql.greedy([1.0, 0.0, 1.0]) for _ in range(100)} == {0, 2}


def test_masked() -> None:
    assert ql.masked([1.0, 2.0], [1]) == [1.0, -math.inf]
    assert ql.masked([1.0, 2.0], []) == [1.0, 2.0]
    assert ql.masked([1.0, 2.0], [0, 1]) == [1.0, 2.0]


def test_a_backup_does_not_change() -> None:
    parameter = srl.Runner("Grid", ql.Config()).parameter
    parameter.get_action_values((1, 3))[0] = 1.0
    backup = parameter.backup()
    parameter.get_action_values((1, 3))[0] = 2.0
    parameter.restore(backup)
    parameter.get_action_values((1, 3))[0] += 5
    assert backup == {(1, 3): [1.0, 0.0, 0.0, 0.0]}


@pytest.mark.parametrize("name", ["epsilon", "test_epsilon", "gamma", "lr"])
def test_hyperparameters_are_between_0_and_1(name: str) -> None:
    with pytest.raises(ValueError, match=f"ql.Config.{name} is 1.5; it must be between 0 and 1"):
        srl.Runner("Grid", ql.Config(**{name: 1.5}))


def test_it_shows_its_values(capsys: pytest.CaptureFixture[str]) -> None:
    runner = srl.Runner("Grid", ql.Config())
    runner.parameter.q = {(1, 3): [0.0, 0.0, 0.0, 0.5]}
    runner.render_terminal(max_steps=1)
    assert "*3(↑):  0.50000\n" in capsys.readouterr().out
