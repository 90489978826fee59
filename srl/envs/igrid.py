"""IGrid: a field in the shape of an I, where one must remember on which side one began.

A test of memory like the T-maze of Bakker, "Reinforcement Learning with Long Short-Term Memory", NeurIPS 2001:
what tells where the goal is can be seen at the beginning only.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from srl.base.env.genre import SinglePlayEnv
from srl.base.spaces.array_discrete import ArrayDiscreteSpace
from srl.base.spaces.discrete import DiscreteSpace
from srl.envs.grid_picture import draw_grid
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from srl.base.define import KeyBindType

_STEPS = ((-1, 0), (0, 1), (1, 0), (0, -1))
_TOP, _MIDDLE, _BOTTOM = 1, 2, 3
_LEFT = 1


@dataclass
class IGrid(SinglePlayEnv[DiscreteSpace, int, ArrayDiscreteSpace, list[int]]):
    """Actions: 0 left, 1 down, 2 right, 3 up; into a wall is no move.

    The player begins at the upper or lower end of the left bar, as likely the one as the other. The end of the
    right bar on the same side gives 1, the other one -1, everything else 0. What it sees is which of the four
    directions are free: [left, down, right, up], 1 for free. Raises UsageError for no corridor.
    """

    length: int = 5
    """How many cells are between the two bars."""

    def __post_init__(self) -> None:
        super().__init__()
        if self.length < 1:
            raise UsageError(f"IGrid: length is {self.length}: it must be 1 or more")
        self._random = random.Random()
        self._right = _LEFT + self.length + 1
        corridor = {(x, _MIDDLE) for x in range(_LEFT, self._right + 1)}
        self._cells = corridor | {(x, y) for x in (_LEFT, self._right) for y in (_TOP, _BOTTOM)}
        self.start = self.player = (_LEFT, _TOP)

    @property
    def action_space(self) -> DiscreteSpace:
        return DiscreteSpace(4)

    @property
    def observation_space(self) -> ArrayDiscreteSpace:
        return ArrayDiscreteSpace(4, 0, 1)

    @property
    def max_episode_steps(self) -> int:
        return 10 * (self.length + 1)

    @property
    def reward_range(self) -> tuple[float, float]:
        return (-1.0, 1.0)

    @property
    def reward_baseline(self) -> dict[str, float]:
        return {"episode": 100, "baseline": 0.9}

    def reset(self, *, seed: int | None = None, **_kwargs: Any) -> list[int]:
        if seed is not None:
            self._random.seed(seed)
        self.start = self.player = (_LEFT, self._random.choice((_TOP, _BOTTOM)))
        return self._observe()

    def step(self, action: int) -> tuple[list[int], float, bool, bool]:
        target = self._beside(action)
        if target in self._cells:
            self.player = target
        x, y = self.player
        if x != self._right or y == _MIDDLE:
            return self._observe(), 0.0, False, False
        return self._observe(), 1.0 if y == self.start[1] else -1.0, True, False

    def _beside(self, action: int) -> tuple[int, int]:
        (x, y), (dx, dy) = self.player, _STEPS[action]
        return (x + dx, y + dy)

    def _observe(self) -> list[int]:
        return [int(self._beside(action) in self._cells) for action in range(4)]

    def backup(self) -> Any:
        return self.start, self.player

    def restore(self, data: Any) -> None:
        self.start, self.player = data

    # --- for people

    def action_to_str(self, action: str | int) -> str:
        return "←↓→↑"[int(action)]

    def get_key_bind(self) -> KeyBindType:
        return {"a": 0, "s": 1, "d": 2, "w": 3}

    @property
    def render_interval(self) -> float:
        return 1000 / 2

    def render_terminal(self, **_kwargs: Any) -> None:
        for y, row in enumerate(self._rows()):
            print("".join("P" if (x, y) == self.player else content for x, content in enumerate(row)))
        print()

    def render_rgb_array(self, **_kwargs: Any) -> NDArray[np.uint8]:
        return draw_grid(self._rows(), self.player)

    def _rows(self) -> list[str]:
        return ["".join(self._content((x, y)) for x in range(self._right + 2)) for y in range(_BOTTOM + 2)]

    def _content(self, cell: tuple[int, int]) -> str:
        if cell not in self._cells:
            return "."
        if cell == self.start:
            return "S"
        x, y = cell
        if x != self._right or y == _MIDDLE:
            return " "
        return "G" if y == self.start[1] else "X"
