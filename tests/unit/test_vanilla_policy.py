from __future__ import annotations

import math
from typing import Any

import aiming_env  # noqa: F401  registers the environment
import pytest

import srl
from srl.algorithms import vanilla_policy
from srl.base.spaces.continuous import ContinuousSpace
from srl.test import rl as kit


def made(env: str | srl.EnvConfig = "Grid", **config: Any) -> srl.Runner:
    runner = srl.Runner(env, vanilla_policy.Config(**config))
    runner.trainer.setup(runner.context)
    return runner


def test_it_learns_grid() -> None:
    runner = made()
    runner.set_seed(1)
    runner.train(max_steps=15_000, enable_progress=False)
    rewards = runner.evaluate(max_episodes=200, enable_progress=False)
    assert sum(rewards) / len(rewards) > 0.6


def test_it_plays_two_players() -> None:
    runner = made("OX")
    runner.set_seed(1)
    runner.train(max_steps=20_000, enable_progress=False)
    rewards = runner.evaluate(max_episodes=200, enable_progress=False)
    assert sum(first for first, _ in rewards) / 200 > 0.4


def test_it_learns_continuous_actions_by_state() -> None:
    runner = made("Aiming", lr=0.05)
    assert isinstance(runner.rl_config.action_space, ContinuousSpace)
    runner.set_seed(1)
    runner.train(max_episodes=3_000, enable_progress=False)
    rewards = runner.evaluate(max_episodes=10, enable_progress=False)
    assert sum(rewards) / len(rewards) > -0.3  # the middle of the range has -1.5


@pytest.mark.parametrize("mode", ["", "rollout"])
def test_it_passes_the_kit(mode: Any) -> None:
    kit.test_rl(vanilla_policy.Config(), ["Grid", "OX", "Aiming"], test_mode=mode)


def test_a_discrete_step_follows_the_equation() -> None:
    runner = made(lr=0.5, baseline_lr=0.25)
    runner.parameter.theta = {(1,): [math.log(3), 0.0, 0.0, 0.0]}
    runner.parameter.baseline = {(1,): 1.0}
    runner.memory.add(((1,), 0, 3.0, [2]))
    runner.trainer.train()
    probs = [3 / 5, 1 / 5, 0, 1 / 5]  # without the invalid action 2
    step = 0.5 * (3.0 - 1.0)
    assert runner.parameter.theta[1,] == pytest.approx(
        [math.log(3) + step * (1 - probs[0]), -step * probs[1], 0.0, -step * probs[3]]
    )
    assert runner.parameter.baseline == {(1,): 1.0 + 0.25 * (3.0 - 1.0)}
    assert runner.trainer.train_count == 1


def test_a_continuous_step_follows_the_equation() -> None:
    runner = made("Aiming", lr=0.1)
    runner.parameter.theta = {(1,): [0.2, 0.4]}
    runner.memory.add(((1,), 0.5, 2.0, []))
    runner.trainer.train()
    step = 0.1 * 2.0
    assert runner.parameter.theta[1,] == pytest.approx([0.2 + step * 0.3, 0.4 + step * (0.3**2 - 0.4**2) / 0.4])


@pytest.mark.parametrize(("total", "theta"), [(1e6, [1.0, 0.5]), (-1e6, [-1.0, 0.05])])
def test_mean_and_deviation_stay_in_bounds(total: float, theta: list[float]) -> None:
    runner = made("Aiming", baseline_lr=0.0)
    runner.memory.add(((1,), 0.9, total, []))
    runner.trainer.train()
    assert runner.parameter.theta[1,] == theta


def test_returns_are_discounted_sums_of_what_follows() -> None:
    runner = made(gamma=0.5)
    worker = runner.worker.worker
    worker.episode = [((1,), 0, 1.0, []), ((2,), 1, 0.0, [3]), ((3,), 2, 4.0, [])]
    worker._add_returns()
    assert runner.memory.sample() == [((1,), 0, 2.0, []), ((2,), 1, 2.0, [3]), ((3,), 2, 4.0, [])]


def test_an_unfinished_episode_trains_nothing() -> None:
    runner = made()
    state = runner.train(max_steps=1, enable_progress=False)
    assert state.train_count == 0


def test_invalid_actions_are_never_chosen() -> None:
    worker = made("OX").worker.worker
    worker.training = True
    assert {worker._act_discretely([9.0, 0, 0, 0], [0, 2]) for _ in range(50)} == {1, 3}
    worker.training = False
    assert worker._act_discretely([9.0, 1.0, 2.0, 0], [0, 2]) == 1


@pytest.mark.parametrize(
    ("action", "low", "high", "expected"),
    [(-1, 2, 6, 2), (0.5, 2, 6, 5), (3, 2, 6, 6), (3, -math.inf, math.inf, 3), (-3, 0, math.inf, 0)],
)
def test_in_range(action: float, low: float, high: float, expected: float) -> None:
    assert vanilla_policy.in_range(action, ContinuousSpace(low, high)) == expected


def test_a_backup_does_not_change() -> None:
    parameter = made().parameter
    parameter.get_theta((1, 3))[0] = 1.0
    parameter.baseline[1, 3] = 0.5
    backup = parameter.backup()
    parameter.get_theta((1, 3))[0] = 2.0
    parameter.baseline[1, 3] = 1.5
    parameter.restore(backup)
    parameter.get_theta((1, 3))[0] += 5
    assert backup == ({(1, 3): [1.0, 0, 0, 0]}, {(1, 3): 0.5})
    assert parameter.baseline == {(1, 3): 0.5}


@pytest.mark.parametrize("name", ["gamma", "lr", "baseline_lr"])
def test_hyperparameters_are_between_0_and_1(name: str) -> None:
    with pytest.raises(ValueError, match=f"vanilla_policy.Config.{name} is 1.5; it must be between 0 and 1"):
        made(**{name: 1.5})


@pytest.mark.parametrize("min_std", [0.0, 0.6])
def test_the_least_deviation_is_above_0_and_not_above_the_most(min_std: float) -> None:
    with pytest.raises(ValueError, match=f"min_std is {min_std}; it must be above 0 and at most max_std"):
        made(min_std=min_std)


def test_it_shows_its_policy(capsys: pytest.CaptureFixture[str]) -> None:
    runner = made()
    runner.parameter.theta = {(1, 3): [0.0, 0.0, 0.0, math.log(3)]}
    runner.render_terminal(max_steps=1)
    out = capsys.readouterr().out
    assert "*3(↑):  50.0%\n" in out
    assert " 0(←):  16.7%\n" in out


def test_it_shows_its_continuous_policy(capsys: pytest.CaptureFixture[str]) -> None:
    runner = made("Aiming")
    runner.parameter.theta = {(0,): [0.25, 0.1], (1,): [0.25, 0.1]}
    runner.render_terminal(max_steps=1)
    assert "action 1.00000, deviation 0.10000 of half the range\n" in capsys.readouterr().out
