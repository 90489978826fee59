"""What is usual for Atari games, as processors of the environment: `EnvConfig("ALE/Pong-v5", processors=[...])`.

After Mnih et al., "Human-level control through deep reinforcement learning", Nature 518 (2015). Skipping
frames and waiting at the start are `EnvConfig.frameskip` and `EnvConfig.random_noop_max`; smaller grey pictures are
ImageProcessor's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from srl.base.env.processor import EnvProcessor
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from srl.base.env.env_run import EnvRun


@dataclass
class ClipReward(EnvProcessor):
    """Brings the reward of each step to -1, 0 or 1, by its sign."""

    def remap_step(
        self, rewards: list[float], terminated: bool, truncated: bool, env_run: EnvRun
    ) -> tuple[list[float], bool, bool]:
        return [float((reward > 0) - (reward < 0)) for reward in rewards], terminated, truncated


@dataclass
class EpisodicLife(EnvProcessor):
    """Ends the episode when a life is lost. For training: an evaluation should see the whole game.

    Raises UsageError where gymnasium's environment has no `ale` that counts lives.
    """

    _lives: int = field(default=0, init=False)

    def remap_reset(self, env_run: EnvRun) -> None:
        """Take note of the lives of a new game."""
        self._lives = _lives(env_run)

    def remap_step(
        self, rewards: list[float], terminated: bool, truncated: bool, env_run: EnvRun
    ) -> tuple[list[float], bool, bool]:
        lives = _lives(env_run)
        is_lost = lives < self._lives
        self._lives = lives
        return rewards, terminated or is_lost, truncated

    def backup(self) -> int:
        return self._lives

    def restore(self, data: int) -> None:
        self._lives = data


def _lives(env_run: EnvRun) -> int:
    ale: Any = getattr(env_run.unwrapped, "ale", None)
    if ale is None:
        raise UsageError(f"EpisodicLife counts the lives of Atari games (ale.lives()), which '{env_run.name}' has not")
    return int(ale.lives())
