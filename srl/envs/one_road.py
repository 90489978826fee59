"""OneRoad: a long road to the goal, where only one action leads on. It tests exploration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from srl.base.env.genre import SinglePlayEnv
from srl.base.spaces.discrete import DiscreteSpace
from srl.envs.grid_picture import draw_grid
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass
class OneRoad(SinglePlayEnv[DiscreteSpace, int, DiscreteSpace, int]):
    """Action 0 leads one place on; every other one ends the episode, or leads back to the beginning.

    The player sees its place, 0 to `length`. The goal at the end gives 1, everything else 0. Raises UsageError
    if the road has no length or there is no choice.
    """

    length: int = 10
    """How many steps lead to the goal."""
    action_num: int = 2
    is_end: bool = True
    """Whether a wrong action ends the episode; otherwise it leads back to the beginning."""

    def __post_init__(self) -> None:
        super().__init__()
        if self.length < 1 or self.action_num < 2:
            raise UsageError(f"OneRoad: length must be at least 1 and action_num at least 2: {self}")
        self.place = 0

    @property
    def action_space(self) -> DiscreteSpace:
        return DiscreteSpace(self.action_num)

    @property
    def observation_space(self) -> DiscreteSpace:
        return DiscreteSpace(self.length + 1)

    @property
    def max_episode_steps(self) -> int:
        """A tenth more than the road is long."""
        return self.length * 11 // 10

    @property
    def reward_range(self) -> tuple[float, float]:
        return (0.0, 1.0)

    @property
    def reward_baseline(self) -> dict[str, float]:
        return {"episode": 100, "baseline": 1.0}

    def reset(self, *, seed: int | None = None, **_kwargs: Any) -> int:
        self.place = 0
        return self.place

    def step(self, action: int) -> tuple[int, float, bool, bool]:
        if action != 0:
            self.place = 0
            return self.place, 0.0, self.is_end, False
        self.place += 1
        is_goal = self.place == self.length
        return self.place, float(is_goal), is_goal, False

    def backup(self) -> int:
        return self.place

    def restore(self, data: int) -> None:
        self.place = data

    # --- for people

    def render_terminal(self, **_kwargs: Any) -> None:
        print(f"{self.place} / {self.length}\n")

    def render_rgb_array(self, **_kwargs: Any) -> NDArray[np.uint8]:
        return draw_grid(["S" + " " * (self.length - 1) + "G"], (self.place, 0))
