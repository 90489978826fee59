"""Grid: find the goal on a slippery field, and keep away from the hole.

The 4x3 world of Russell and Norvig, "Artificial Intelligence: A Modern Approach", section "Sequential
Decision Problems": the player goes where it wants with probability 0.8, and slips to either
side with 0.1 each.
"""

from __future__ import annotations

import random
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srl.base.define import KeyBindType, SpaceTypes
from srl.base.env.base import TObs, TObsSpace
from srl.base.env.genre import SinglePlayEnv
from srl.base.spaces.array_discrete import ArrayDiscreteSpace
from srl.base.spaces.box import BoxSpace
from srl.base.spaces.discrete import DiscreteSpace
from srl.envs.grid_picture import draw_grid
from srl.utils.usage import UsageError

LEFT, DOWN, RIGHT, UP = range(4)
ARROWS = "←↓→↑"
_STEPS = ((-1, 0), (0, 1), (1, 0), (0, -1))

WALL, FREE, GOAL, HOLE, START, PLAYER = ". GXSP"
FIELD = (
    "......",
    ".   G.",
    ". . X.",
    ".S   .",
    "......",
)

Cell = tuple[int, int]
"""(x, y): column from the left, row from the top."""


@dataclass
class GridWorld(SinglePlayEnv[DiscreteSpace, int, TObsSpace, TObs]):
    """The field and its rules; a subclass says what the player sees of it.

    Actions: 0 left, 1 down, 2 right, 3 up. Into a wall is no move. Every step that reaches neither goal nor
    hole gives `move_reward`. Raises UsageError if the field is not a rectangle with one start inside a wall.
    """

    move_prob: float = 0.8
    """Probability of going where one wants; the rest is shared by the two sides."""
    move_reward: float = -0.04
    goal_reward: float = 1.0
    hole_reward: float = -1.0
    baseline: float = 0.65
    """Mean reward of 100 episodes that a good algorithm reaches. The best policy of Grid has about 0.73."""
    field: tuple[str, ...] = FIELD
    """Rows of `.` wall, ` ` free, `G` goal, `X` hole, `S` start."""

    def __post_init__(self) -> None:
        super().__init__()
        self._check_field()
        self._random = random.Random()
        self._cells = {(x, y): c for y, row in enumerate(self.field) for x, c in enumerate(row) if c != WALL}
        self._start = next(cell for cell, content in self._cells.items() if content == START)
        self._neighbours = {cell: [self._move(cell, step) for step in _STEPS] for cell in self._cells}
        self._ends = {c: r for c in self._cells if (r := self._end_reward(c)) is not None}
        self._slip_left = (1 - self.move_prob) / 2
        self._slip = 1 - self.move_prob
        self.player = self._start

    def _check_field(self) -> None:
        rows = self.field
        border = {*rows[0], *rows[-1], *(row[0] for row in rows), *(row[-1] for row in rows)}
        if len({len(row) for row in rows}) != 1 or border != {WALL} or "".join(rows).count(START) != 1:
            raise UsageError(f"Grid: field must be a rectangle inside a wall of '.', with one 'S': {rows}")

    def _move(self, cell: Cell, step: Cell) -> Cell:
        target = (cell[0] + step[0], cell[1] + step[1])
        return target if target in self._cells else cell

    def _end_reward(self, cell: Cell) -> float | None:
        return {GOAL: self.goal_reward, HOLE: self.hole_reward}.get(self._cells[cell])

    # --- the rules

    @property
    def width(self) -> int:
        return len(self.field[0])

    @property
    def height(self) -> int:
        return len(self.field)

    @property
    def action_space(self) -> DiscreteSpace:
        return DiscreteSpace(4)

    @property
    def max_episode_steps(self) -> int:
        return 50

    @property
    def reward_range(self) -> tuple[float, float]:
        worst = self.move_reward * (self.max_episode_steps - 1) + self.hole_reward
        return (min(worst, self.hole_reward), self.goal_reward)

    @property
    def reward_baseline(self) -> dict[str, float]:
        return {"episode": 100, "baseline": self.baseline}

    def reset(self, *, seed: int | None = None, **_kwargs: Any) -> TObs:
        if seed is not None:
            self._random.seed(seed)
        self.player = self._start
        return self._observe()

    def step(self, action: int) -> tuple[TObs, float, bool, bool]:
        luck = self._random.random()
        if luck < self._slip:
            action = action - 1 if luck < self._slip_left else action - 3  # one side, or the other
        self.player = self._neighbours[self.player][action]
        reward = self._ends.get(self.player)
        if reward is None:
            return self._observe(), self.move_reward, False, False
        return self._observe(), reward, True, False

    @abstractmethod
    def _observe(self) -> TObs:
        """Return what the player sees."""

    def backup(self) -> Cell:
        return self.player

    def restore(self, data: Cell) -> None:
        self.player = data

    # --- for people

    def action_to_str(self, action: str | int) -> str:
        return ARROWS[int(action)]

    def get_key_bind(self) -> KeyBindType:
        return {"a": LEFT, "s": DOWN, "d": RIGHT, "w": UP}

    @property
    def render_interval(self) -> float:
        return 1000 / 2

    def render_terminal(self, **_kwargs: Any) -> None:
        for y, row in enumerate(self.field):
            print("".join(PLAYER if (x, y) == self.player else c for x, c in enumerate(row)))
        print()

    def render_rgb_array(self, **_kwargs: Any) -> NDArray[np.uint8]:
        return draw_grid(self.field, self.player)


class Grid(GridWorld[ArrayDiscreteSpace, list[int]]):
    """The player sees where it is: [x, y]."""

    @property
    def observation_space(self) -> ArrayDiscreteSpace:
        return ArrayDiscreteSpace(2, 0, max(self.width, self.height) - 1)

    def _observe(self) -> list[int]:
        return [*self.player]


class GridLayer(GridWorld[BoxSpace, NDArray[np.uint8]]):
    """The player sees the field from above: uint8 (height, width, 1), 1 where it stands."""

    @property
    def observation_space(self) -> BoxSpace:
        return BoxSpace((self.height, self.width, 1), 0, 1, np.uint8, SpaceTypes.FEATURE_MAP)

    def _observe(self) -> NDArray[np.uint8]:
        plane = np.zeros((self.height, self.width, 1), np.uint8)
        x, y = self.player
        plane[y, x, 0] = 1
        return plane
