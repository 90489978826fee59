"""What is usual for Atari games, on an environment that counts lives as ALE does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from srl.base.define import DoneTypes, SpaceTypes
from srl.base.env.config import EnvConfig
from srl.rl.processors.atari import ClipReward, EpisodicLife
from srl.rl.processors.image_processor import ImageProcessor
from srl.utils.plain_data import from_plain, to_plain
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from srl.base.env.env_run import EnvRun
    from srl.base.env.processor import EnvProcessor


class Ale:
    """Three lives; every third step costs one."""

    def __init__(self) -> None:
        self.steps = 0

    def lives(self) -> int:
        return 3 - self.steps // 3


class Game(gymnasium.Env[Any, Any]):
    """Pictures as of Atari; the reward is 10 times the action less one."""

    observation_space = spaces.Box(0, 255, (210, 160, 3), np.uint8)
    action_space = spaces.Discrete(3)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        self.ale = Ale()
        return self._see(), {}

    def step(self, action: Any) -> Any:
        self.ale.steps += 1
        return self._see(), 10 * (action - 1), self.ale.lives() == 0, False, {}

    def _see(self) -> Any:
        return np.full((210, 160, 3), self.ale.steps, np.uint8)


def started(processors: list[EnvProcessor], **settings: Any) -> EnvRun:
    env = EnvConfig("game", gym_make_func=lambda _id: Game(), processors=processors, **settings).make()
    env.setup()
    env.reset()
    return env


@pytest.mark.parametrize(("action", "reward"), [(0, -1), (1, 0), (2, 1)])
def test_rewards_are_clipped_to_their_sign(action: int, reward: int) -> None:
    env = started([ClipReward()])
    env.step(action)
    assert env.rewards == [reward]


def test_the_sum_over_skipped_frames_is_clipped() -> None:
    env = started([ClipReward()], frameskip=3)
    env.step(2)
    assert env.rewards == [1]


def test_a_lost_life_ends_the_episode() -> None:
    env = started([EpisodicLife()])
    for _ in range(2):
        while not env.done:
            env.step(0)
        assert (env.step_num, env.done_type) == (3, DoneTypes.TERMINATED)
        env.reset()


def test_lives_go_back_with_a_backup() -> None:
    env = started([EpisodicLife()])
    env.step(0)
    env.step(0)
    data = env.backup()
    for _ in range(2):
        env.step(0)
        assert env.done
        env.restore(data)


def test_games_without_lives_are_refused() -> None:
    env = EnvConfig("Grid", processors=[EpisodicLife()]).make()
    env.setup()
    with pytest.raises(UsageError, match="'Grid' has not"):
        env.reset()


def test_with_pictures_as_of_the_paper() -> None:
    env = started([ClipReward(), EpisodicLife(), ImageProcessor(SpaceTypes.GRAY_HW, (84, 84))], frameskip=3)
    env.step(2)
    assert env.state.shape == (84, 84)
    assert (env.rewards, env.done) == ([1], True)


def test_they_are_kept_in_configuration_files() -> None:
    for processor in (ClipReward(), EpisodicLife()):
        assert from_plain(to_plain(processor)) == processor
