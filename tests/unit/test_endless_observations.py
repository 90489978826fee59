"""Tabular Q-learning where numbers have no bounds, as in CartPole (semantics 1.12-6: impossible before)."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import srl
from srl.algorithms import ql
from srl.base.env.base import EnvBase
from srl.base.env.registration import register
from srl.base.spaces import ArrayDiscreteSpace, BoxSpace, DiscreteSpace


class Drift(EnvBase[DiscreteSpace, int, BoxSpace, Any]):
    """A ball at x drifts away from 0 and is pushed to the left or right; +1 for each step within 4 of 0."""

    def __init__(self) -> None:
        super().__init__()
        self.x = self.v = 0.0

    @property
    def action_space(self) -> DiscreteSpace:
        return DiscreteSpace(2)

    @property
    def observation_space(self) -> BoxSpace:
        return BoxSpace((4,), [-4.8, -np.inf, -0.42, -np.inf], [4.8, np.inf, 0.42, np.inf])

    @property
    def max_episode_steps(self) -> int:
        return 60

    @property
    def player_num(self) -> int:
        return 1

    def reset(self, **_kwargs: Any) -> Any:
        self.x, self.v = random.choice((-0.5, 0.5)), 0.0
        return self._state()

    def step(self, action: int) -> tuple[Any, float, bool, bool]:
        self.v += 0.1 * self.x + (0.3 if action == 1 else -0.3)
        self.x += self.v
        return self._state(), 1.0, abs(self.x) > 4, False

    def _state(self) -> Any:
        return np.array([self.x, self.v, 0.0, 1e6 * self.v], np.float32)

    def backup(self) -> Any:
        return self.x, self.v

    def restore(self, data: Any) -> None:
        self.x, self.v = data


register("Drift", "test_endless_observations:Drift", check_duplicate=False)


def test_q_learning_learns_where_numbers_have_no_bounds() -> None:
    runner = srl.Runner("Drift", ql.Config(gamma=0.95, lr=0.2, observation_division_num=4096))
    assert runner.rl_config.observation_space == ArrayDiscreteSpace(1, 0, 8**4 - 1)
    runner.set_seed(1)
    random.seed(1)
    before = np.mean(runner.evaluate(20, enable_progress=False))
    runner.train(max_steps=15_000, enable_progress=False)
    after = np.mean(runner.evaluate(20, enable_progress=False))
    assert after > 2 * before
    assert after > 50


@pytest.mark.parametrize("override", ["DISCRETE", "ARRAY_DISCRETE"])
def test_either_discrete_type_works(override: str) -> None:
    config, env = ql.Config(override_observation_type=override), srl.make_env("Drift")
    config.setup(env)
    state = np.array([1, -np.inf, 0, np.inf], np.float32)
    space: Any = config.observation_space
    assert space.check_val(config.state_encode_one_step(state, env))


def test_bounds_can_be_given() -> None:
    bounds = BoxSpace((4,), -1, 1)
    runner = srl.Runner(
        srl.EnvConfig("Drift", override_observation_space=bounds), ql.Config(observation_division_num=16)
    )
    assert runner.rl_config.observation_space == ArrayDiscreteSpace(1, 0, 15)
    encode = runner.rl_config.state_encode_one_step
    assert encode(np.array([0.9, -7, 0.9, -9]), runner.env) == [0b1010]
