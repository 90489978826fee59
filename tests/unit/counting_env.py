"""Environments whose every value can be told in advance, for tests: the state is the number of steps made."""

from __future__ import annotations

from typing import Any

import numpy as np

from srl.base.env.base import EnvBase
from srl.base.env.registration import register
from srl.base.rl.algorithms.env_worker import EnvWorker
from srl.base.spaces.discrete import DiscreteSpace

LENGTH = 4


class Counting(EnvBase[DiscreteSpace, int, DiscreteSpace, int]):
    """Step t brings player p the reward 10 ** p * t; action t % 3 is invalid in state t."""

    def __init__(self, players: int = 1, length: int = LENGTH, limit: int = 100) -> None:
        super().__init__()
        self._players = players
        self._length = length
        self._limit = limit
        self.t = 0
        self.seeds: list[int | None] = []

    @property
    def action_space(self) -> DiscreteSpace:
        return DiscreteSpace(5)

    @property
    def observation_space(self) -> DiscreteSpace:
        return DiscreteSpace(100)

    @property
    def max_episode_steps(self) -> int:
        return self._limit

    @property
    def player_num(self) -> int:
        return self._players

    def reset(self, *, seed: int | None = None, **_kwargs: Any) -> int:
        self.t = 0
        self.seeds.append(seed)
        return 0

    def step(self, action: int) -> tuple[int, list[float], bool, bool]:
        self.t += 1
        self.next_player = self.t % self._players
        return self.t, [float(10**p * self.t) for p in range(self._players)], self.t >= self._length, False

    def get_invalid_actions(self, player_index: int = -1) -> list[int]:
        return [self.t % 3]

    def action_to_str(self, action: str | int) -> str:
        return f"act{action}"

    def backup(self) -> int:
        return self.t

    def restore(self, data: int) -> None:
        self.t = data

    def render_terminal(self, **_kwargs: Any) -> None:
        print(f"t={self.t}")

    def render_rgb_array(self, **_kwargs: Any) -> Any:
        return np.full((8, 12, 3), self.t, dtype=np.uint8)

    def make_worker(self, name: str, **kwargs: Any) -> Any:
        return Fours(**kwargs) if name == "fours" else None


class Fours(EnvWorker):
    """Always plays 4."""

    def __init__(self, action: int = 4) -> None:
        super().__init__()
        self.played = action
        self.calls: list[str] = []

    def call_on_reset(self, env: Any) -> None:
        self.calls.append("reset")

    def call_policy(self, env: Any) -> int:
        return self.played

    def call_on_step(self, env: Any) -> None:
        self.calls.append("step")


register("Counting", "counting_env:Counting", check_duplicate=False)
register("Counting2", "counting_env:Counting", {"players": 2}, check_duplicate=False)
register("Counting3", "counting_env:Counting", {"players": 3}, check_duplicate=False)
