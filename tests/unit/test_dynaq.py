from __future__ import annotations

from typing import Any

import pytest

import srl
from srl.algorithms import dynaq
from srl.test import rl as kit


def test_it_learns_grid_in_a_tenth_of_the_steps_of_q_learning() -> None:
    runner = srl.Runner("Grid", dynaq.Config())
    runner.set_seed(1)
    runner.train(max_steps=2_000, enable_progress=False)
    rewards = runner.evaluate(max_episodes=200, enable_progress=False)
    assert sum(rewards) / len(rewards) > 0.6


def test_it_plays_two_players() -> None:
    runner = srl.Runner("OX", dynaq.Config(planning=3))
    runner.set_seed(1)
    runner.train(max_steps=10_000, enable_progress=False)
    rewards = runner.evaluate(max_episodes=200, enable_progress=False)
    assert sum(first for first, _ in rewards) / 200 > 0.4


@pytest.mark.parametrize("mode", ["", "rollout"])
def test_it_passes_the_kit(mode: Any) -> None:
    kit.test_rl(dynaq.Config(), test_mode=mode)


def made(**config: Any) -> srl.Runner:
    return srl.Runner("Grid", dynaq.Config(**config))


def test_one_real_update_is_the_equation() -> None:
    runner = made(planning=0)
    runner.parameter.q = {(1,): [0, 0, 1, 0], (2,): [3, 1, 0, 0]}
    runner.memory.add((((1,), 2), (0.5, (2,), False, [])))
    runner.trainer.train()
    assert runner.parameter.q[1,] == pytest.approx([0, 0, 1 + 0.1 * (0.5 + 0.9 * 3 - 1), 0])
    assert runner.trainer.train_count == 1


def test_planning_repeats_what_was_seen() -> None:
    runner = made(planning=3, lr=0.5)
    runner.memory.add((((1,), 2), (8.0, (2,), True, [])))
    runner.trainer.train()
    assert runner.parameter.q[1,] == [0, 0, 7.5, 0]  # 4, 6, 7, 7.5: one real update and three planned ones
    assert runner.trainer.train_count == 4


def test_planning_brings_a_value_back_that_real_steps_alone_would_not() -> None:
    runner = made(planning=50, lr=0.5, gamma=1.0)
    runner.memory.add((((1,), 0), (0.0, (2,), False, [])))
    runner.memory.add((((2,), 0), (1.0, (3,), True, [])))
    runner.set_seed(1)
    runner.trainer.train()
    assert runner.parameter.q[1,][0] > 0.9


def test_the_model_draws_outcomes_as_often_as_they_were_seen() -> None:
    parameter = made().parameter
    for reward in (0.0, 1.0, 1.0, 1.0):
        parameter.learn_outcome(((1,), 0), (reward, (2,), True, []))
    drawn = [parameter.imagine()[1][0] for _ in range(1_000)]
    assert 650 < sum(drawn) < 850


def test_the_model_keeps_the_newest_outcomes() -> None:
    parameter = made(outcomes=1).parameter
    for reward in (1.0, 2.0):
        parameter.learn_outcome(((1,), 0), (reward, (2,), True, []))
    assert parameter.imagine() == (((1,), 0), (2.0, (2,), True, []))


def test_the_end_has_no_future_and_invalid_actions_are_none() -> None:
    runner = made(planning=0, lr=1.0, gamma=0.5)
    runner.parameter.q = {(2,): [9.0, 4.0, 0, 0]}
    runner.memory.add((((1,), 0), (2.0, (2,), True, [])))
    runner.memory.add((((1,), 1), (0.0, (2,), False, [0])))
    runner.trainer.train()
    assert runner.parameter.q[1,] == [2.0, 2.0, 0, 0]


def test_an_empty_memory_trains_nothing() -> None:
    trainer = made().trainer
    trainer.train()
    assert trainer.train_count == 0


def test_a_backup_carries_the_model_but_for_workers() -> None:
    parameter = made().parameter
    parameter.get_action_values((1, 3))[0] = 1.0
    parameter.learn_outcome(((1, 3), 0), (0.5, (1, 2), False, []))
    backup, for_worker = parameter.backup(), parameter.backup(to_worker=True)
    parameter.get_action_values((1, 3))[0] = 2.0
    parameter.learn_outcome(((1, 3), 0), (9.0, (1, 2), False, []))
    assert backup == ({(1, 3): [1.0, 0, 0, 0]}, {((1, 3), 0): [(0.5, (1, 2), False, [])]})
    assert for_worker == ({(1, 3): [1.0, 0, 0, 0]}, {})
    parameter.restore(backup)
    assert parameter.get_action_values((1, 3))[0] == 1.0
    assert parameter.imagine() == (((1, 3), 0), (0.5, (1, 2), False, []))


@pytest.mark.parametrize("name", ["epsilon", "test_epsilon", "gamma", "lr"])
def test_hyperparameters_are_between_0_and_1(name: str) -> None:
    with pytest.raises(ValueError, match=f"dynaq.Config.{name} is 1.5; it must be between 0 and 1"):
        made(**{name: 1.5})


@pytest.mark.parametrize(("name", "value", "least"), [("planning", -1, 0), ("outcomes", 0, 1)])
def test_numbers_have_a_least_value(name: str, value: int, least: int) -> None:
    with pytest.raises(ValueError, match=f"dynaq.Config.{name} is {value}; it must be {least} or more"):
        made(**{name: value})


def test_it_shows_its_values(capsys: pytest.CaptureFixture[str]) -> None:
    runner = made()
    runner.parameter.q = {(1, 3): [0.0, 0.0, 0.0, 0.5]}
    runner.render_terminal(max_steps=1)
    assert "*3(↑):  0.50000\n" in capsys.readouterr().out
