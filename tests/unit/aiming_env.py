"""An environment with one continuous action, for tests: how close to the target is it?"""

from __future__ import annotations

from typing import Any

from srl.base.env.base import EnvBase
from srl.base.env.registration import register
from srl.base.spaces.continuous import ContinuousSpace
from srl.base.spaces.discrete import DiscreteSpace


class Aiming(EnvBase[ContinuousSpace, float, DiscreteSpace, int]):
    """One step an episode. In state s (0 or 1) the best action is targets[s]; the reward is the distance, negated."""

    def __init__(self, targets: tuple[float, float] = (2.0, -1.0), low: float = -4.0, high: float = 4.0) -> None:
        super().__init__()
        self._targets = targets
        self._range = (low, high)
        self.episode = 0

    @property
    def action_space(self) -> ContinuousSpace:
        return ContinuousSpace(*self._range)

    @property
    def observation_space(self) -> DiscreteSpace:
        return DiscreteSpace(2)

    @property
    def max_episode_steps(self) -> int:
        return 1

    @property
    def player_num(self) -> int:
        return 1

    def reset(self, *, seed: int | None = None, **_kwargs: Any) -> int:
        self.episode += 1
        return self.episode % 2

    def step(self, action: float) -> tuple[int, float, bool, bool]:
        state = self.episode % 2
        return state, -abs(action - self._targets[state]), True, False


register("Aiming", "aiming_env:Aiming", check_duplicate=False)
