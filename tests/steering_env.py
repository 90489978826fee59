"""An environment with continuous actions that is learned in seconds, for tests of algorithms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from srl.base.env.base import EnvBase
from srl.base.env.registration import register
from srl.base.spaces.box import BoxSpace
from srl.base.spaces.np_array import NpArraySpace

Array = NDArray[np.float32]


class Steering(EnvBase[NpArraySpace, Array, BoxSpace, Array]):
    """A place x between -1 and 1 is to be brought to 0: x <- x + (action - 1) / 2, the reward is -|x|.

    An action is between -1 and 3, or, with `bounded` False, any number. Only a limit ends an episode.
    """

    def __init__(self, bounded: bool = True) -> None:
        super().__init__()
        self._bounds = (-1.0, 3.0) if bounded else (-np.inf, np.inf)
        self._rng = np.random.default_rng()
        self.x = 0.0

    @property
    def action_space(self) -> NpArraySpace:
        return NpArraySpace(1, *self._bounds)

    @property
    def observation_space(self) -> BoxSpace:
        return BoxSpace((1, 1), -1, 1)

    @property
    def max_episode_steps(self) -> int:
        return 8

    @property
    def player_num(self) -> int:
        return 1

    def reset(self, *, seed: int | None = None, **_kwargs: Any) -> Array:
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self.x = float(self._rng.uniform(-1, 1))
        return self._state()

    def step(self, action: Array) -> tuple[Array, float, bool, bool]:
        self.x = float(np.clip(self.x + (float(action[0]) - 1) / 2, -1, 1))
        return self._state(), -abs(self.x), False, False

    def _state(self) -> Array:
        return np.array([[self.x]], np.float32)

    def backup(self) -> float:
        return self.x

    def restore(self, data: float) -> None:
        self.x = data

    def render_terminal(self, **_kwargs: Any) -> None:
        print(f"x={self.x:.2f}")

    def render_rgb_array(self, **_kwargs: Any) -> Any:
        return np.full((8, 12, 3), 100 + int(100 * self.x), np.uint8)


register("Steering", "steering_env:Steering", check_duplicate=False)
register("SteeringUnbounded", "steering_env:Steering", {"bounded": False}, check_duplicate=False)
