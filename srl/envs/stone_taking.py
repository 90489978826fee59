"""StoneTaking: two players take 1 to 3 stones in turn, and who takes the last one loses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from srl.base.spaces.discrete import DiscreteSpace
from srl.envs.disc_picture import draw_discs
from srl.envs.two_player_game import TIE, TwoPlayerGame, win_of
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from srl.base.rl.worker import RLWorker

MAX_TAKEN = 3

_STONE_COLOR = (120, 124, 130)
_TABLE_COLOR = (238, 226, 204)


@dataclass
class StoneTaking(TwoPlayerGame[DiscreteSpace, int]):
    """Action a takes a + 1 stones; the players see how many are left.

    More than are left is an invalid action: it takes all of them. Raises UsageError without stones.
    """

    stones: int = 10
    """How many there are at the beginning."""

    def __post_init__(self) -> None:
        super().__init__()
        if self.stones < 1:
            raise UsageError(f"StoneTaking: stones is {self.stones}: it must be 1 or more")
        self.left = self.stones

    @property
    def action_space(self) -> DiscreteSpace:
        return DiscreteSpace(MAX_TAKEN)

    @property
    def observation_space(self) -> DiscreteSpace:
        return DiscreteSpace(self.stones + 1)

    @property
    def max_episode_steps(self) -> int:
        return self.stones

    @property
    def reward_baseline(self) -> list[dict[str, Any]]:
        return [
            {"episode": 200, "players": [None, "random"], "baseline": [0.9, None]},
            {"episode": 200, "players": ["random", None], "baseline": [None, 0.7]},
        ]

    def reset(self, *, seed: int | None = None, **_kwargs: Any) -> int:
        self.left = self.stones
        self.next_player = 0
        return self.left

    def step(self, action: int) -> tuple[int, list[float], bool, bool]:
        player = self.next_player
        self.next_player = 1 - player
        self.left = max(0, self.left - (action + 1))
        if self.left == 0:
            return self.left, win_of(1 - player), True, False
        return self.left, TIE[:], False, False

    def backup(self) -> int:
        return self.left

    def restore(self, data: int) -> None:
        self.left = data

    def get_invalid_actions(self, player_index: int = -1) -> list[int]:
        return [action for action in range(1, MAX_TAKEN) if action + 1 > self.left]

    def make_worker(self, name: str, **kwargs: Any) -> RLWorker[Any, Any, Any] | None:
        """Return the player "cpu", which wins whenever that can be forced."""
        if name != "cpu":
            return None
        from srl.envs.stone_taking_player import Cpu

        return Cpu(**kwargs)

    # --- for people

    def action_to_str(self, action: str | int) -> str:
        return str(int(action) + 1)

    @property
    def render_interval(self) -> float:
        return 1000 / 1

    def render_terminal(self, **_kwargs: Any) -> None:
        print(f"{self.left:3d}: {'o' * self.left}")
        print(f"next player: {self.next_player}\n")

    def render_rgb_array(self, **_kwargs: Any) -> NDArray[np.uint8]:
        row = [_STONE_COLOR if place < self.left else None for place in range(self.stones)]
        return draw_discs([row], _TABLE_COLOR)
