"""SampleEnv: a corridor with a reward at its right end. An environment of one's own can begin as a copy of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srl.base.env.genre import SinglePlayEnv
from srl.base.spaces.discrete import DiscreteSpace
from srl.envs.grid_picture import draw_grid

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from srl.base.define import KeyBindType

LEFT, RIGHT = range(2)
_FIELD = "X...S...G"
_START = _FIELD.index("S")


class SampleEnv(SinglePlayEnv[DiscreteSpace, int, DiscreteSpace, int]):
    """Actions: 0 left, 1 right. The player sees its place, 0 to 8, and begins in the middle.

    The right end gives 1, the left end -1, and every other step -0.04.
    """

    def __init__(self) -> None:
        super().__init__()
        self.place = _START

    @property
    def action_space(self) -> DiscreteSpace:
        return DiscreteSpace(2)

    @property
    def observation_space(self) -> DiscreteSpace:
        return DiscreteSpace(len(_FIELD))

    @property
    def max_episode_steps(self) -> int:
        return 50

    @property
    def reward_range(self) -> tuple[float, float]:
        return (-2.96, 0.88)  # 49 steps and the left end; the straight way to the right

    @property
    def reward_baseline(self) -> dict[str, float]:
        return {"episode": 100, "baseline": 0.85}

    def reset(self, *, seed: int | None = None, **_kwargs: Any) -> int:
        self.place = _START
        return self.place

    def step(self, action: int) -> tuple[int, float, bool, bool]:
        self.place += 1 if action == RIGHT else -1
        reward = {"X": -1.0, "G": 1.0}.get(_FIELD[self.place])
        if reward is None:
            return self.place, -0.04, False, False
        return self.place, reward, True, False

    def backup(self) -> int:
        return self.place

    def restore(self, data: int) -> None:
        self.place = data

    # --- for people

    def action_to_str(self, action: str | int) -> str:
        return "←→"[int(action)]

    def get_key_bind(self) -> KeyBindType:
        return {"a": LEFT, "d": RIGHT}

    @property
    def render_interval(self) -> float:
        return 1000 / 4

    def render_terminal(self, **_kwargs: Any) -> None:
        print(_FIELD[: self.place].replace("S", ".") + "P" + _FIELD[self.place + 1 :].replace("S", "."))
        print()

    def render_rgb_array(self, **_kwargs: Any) -> NDArray[np.uint8]:
        return draw_grid([_FIELD.replace(".", " ")], (self.place, 0))
