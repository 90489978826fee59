"""Episode: where an episode stands."""

from __future__ import annotations

import operator
import time
from dataclasses import dataclass, field
from typing import Any

from srl.base.define import DoneTypes


@dataclass(slots=True)
class Episode:
    """The values of an episode that an EnvRun shows. Until the first reset, the done type is RESET."""

    state: Any = None
    action: Any = None
    rewards: list[float] = field(default_factory=list)
    """Of the last step, by player."""
    episode_rewards: list[float] = field(default_factory=list)
    """Sums since the reset, by player."""
    step_num: int = 0
    prev_player: int = 0
    done: bool = True
    done_type: DoneTypes = DoneTypes.RESET
    done_reason: str = ""
    invalid_actions: dict[int, list[Any]] = field(default_factory=dict)
    """By player, of the current state; those not asked for yet are absent."""
    began_s: float = field(default_factory=time.monotonic)

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self.began_s

    def add_rewards(self, rewards: list[float]) -> None:
        self.rewards = rewards
        self.episode_rewards = list(map(operator.add, self.episode_rewards, rewards))

    def end(self, done_type: DoneTypes, reason: str) -> None:
        self.done = True
        self.done_type = done_type
        self.done_reason = reason
