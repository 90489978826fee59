"""OX: tic-tac-toe for two players. Three in a row win; an illegal move loses."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from srl.base.define import KeyBindType, SpaceTypes
from srl.base.env.base import EnvBase, TObs, TObsSpace
from srl.base.spaces.array_discrete import ArrayDiscreteSpace
from srl.base.spaces.box import BoxSpace
from srl.base.spaces.discrete import DiscreteSpace
from srl.envs.ox_picture import draw_board

if TYPE_CHECKING:
    from srl.base.rl.worker import RLWorker

EMPTY, O, X = 0, 1, -1  # noqa: E741  (the name of the piece)
PIECES = (O, X)
"""By player."""
LINES = (
    (0, 1, 2), (3, 4, 5), (6, 7, 8),
    (0, 3, 6), (1, 4, 7), (2, 5, 8),
    (0, 4, 8), (2, 4, 6),
)  # fmt: skip


def has_won(board: list[int], piece: int) -> bool:
    """Tell whether a piece fills one of the lines."""
    return any(all(board[place] == piece for place in line) for line in LINES)


class OXGame(EnvBase[DiscreteSpace, int, TObsSpace, TObs]):
    """The board and its rules; a subclass says what the players see of it.

    Actions are the 9 places, row by row. Player 0 sets O and begins. The winner gets 1 and
    the loser -1; an illegal move costs who made it 1; a tie gives 0.
    """

    def __init__(self) -> None:
        super().__init__()
        self.board = [EMPTY] * 9

    @property
    def action_space(self) -> DiscreteSpace:
        return DiscreteSpace(9)

    @property
    def max_episode_steps(self) -> int:
        return 10

    @property
    def player_num(self) -> int:
        return 2

    @property
    def reward_range(self) -> tuple[float, float]:
        return (-1.0, 1.0)

    @property
    def reward_baseline(self) -> list[dict[str, Any]]:
        return [
            {"episode": 200, "players": [None, "random"], "baseline": [0.8, None]},
            {"episode": 200, "players": ["random", None], "baseline": [None, 0.65]},
        ]

    def reset(self, *, seed: int | None = None, **_kwargs: Any) -> TObs:
        self.board = [EMPTY] * 9
        self.next_player = 0
        return self._observe()

    def step(self, action: int) -> tuple[TObs, list[float], bool, bool]:
        player = self.next_player
        if self.board[action] != EMPTY:
            self.done_reason = "illegal move"
            return self._observe(), _for_player(player, -1.0, 0.0), True, False
        self.board[action] = PIECES[player]
        if has_won(self.board, PIECES[player]):
            return self._observe(), _for_player(player, 1.0, -1.0), True, False
        if EMPTY not in self.board:
            return self._observe(), [0.0, 0.0], True, False
        self.next_player = 1 - player
        return self._observe(), [0.0, 0.0], False, False

    @abstractmethod
    def _observe(self) -> TObs:
        """Return what the players see."""

    def backup(self) -> tuple[list[int], int]:
        return self.board[:], self.next_player

    def restore(self, data: tuple[list[int], int]) -> None:
        board, self.next_player = data
        self.board = board[:]

    def get_invalid_actions(self, player_index: int = -1) -> list[int]:
        return [place for place, piece in enumerate(self.board) if piece != EMPTY]

    def make_worker(self, name: str, **kwargs: Any) -> RLWorker[Any, Any, Any] | None:
        """Return the player "cpu", which never loses."""
        if name != "cpu":
            return None
        from srl.envs.ox_player import Cpu

        return Cpu(**kwargs)

    # --- for people

    def action_to_str(self, action: str | int) -> str:
        return str(action)

    def get_key_bind(self) -> KeyBindType:
        """Return the numeric keypad: 7 is the top left."""
        return {key: place for place, key in enumerate("789456123")}

    @property
    def render_interval(self) -> float:
        return 1000 / 1

    def render_terminal(self, **_kwargs: Any) -> None:
        rule = "-" * 10
        print(rule)
        for row in range(3):
            print("|" + "".join(f"{self._mark(3 * row + column):>2}|" for column in range(3)))
            print(rule)
        print(f"next player: {'OX'[self.next_player]}")
        print()

    def _mark(self, place: int) -> str:
        return {O: "o", X: "x"}.get(self.board[place], str(place))

    def render_rgb_array(self, **_kwargs: Any) -> NDArray[np.uint8]:
        return draw_board(self.board)


def _for_player(player: int, mine: float, other: float) -> list[float]:
    return [mine, other] if player == 0 else [other, mine]


class OX(OXGame[ArrayDiscreteSpace, list[int]]):
    """The players see the 9 places, row by row: 1 is O, -1 is X, 0 is free."""

    @property
    def observation_space(self) -> ArrayDiscreteSpace:
        return ArrayDiscreteSpace(9, -1, 1)

    def _observe(self) -> list[int]:
        return self.board[:]


class OXLayer(OXGame[BoxSpace, NDArray[np.float32]]):
    """The players see float32 (3, 3, 2): where the next player's pieces are, and where the other's are."""

    @property
    def observation_space(self) -> BoxSpace:
        return BoxSpace((3, 3, 2), 0, 1, np.float32, SpaceTypes.FEATURE_MAP)

    def _observe(self) -> NDArray[np.float32]:
        board = np.array(self.board).reshape(3, 3)
        mine = PIECES[self.next_player]
        return np.stack([board == mine, board == -mine], axis=-1).astype(np.float32)
