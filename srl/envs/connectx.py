"""ConnectX: pieces fall into columns, and four in a row win (Connect Four)."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from srl.base.define import KeyBindType, SpaceTypes
from srl.base.env.base import TObs, TObsSpace
from srl.base.spaces.array_discrete import ArrayDiscreteSpace
from srl.base.spaces.box import BoxSpace
from srl.base.spaces.discrete import DiscreteSpace
from srl.envs.disc_picture import draw_discs
from srl.envs.two_player_game import TIE, TwoPlayerGame, win_of

if TYPE_CHECKING:
    from srl.base.rl.worker import RLWorker

COLUMNS, ROWS, IN_A_ROW = 7, 6, 4
EMPTY = 0
PIECES = (1, 2)
"""By player."""

_MARKS = ".ox"
_COLORS = (None, (214, 64, 56), (240, 200, 60))
_BOARD_COLOR = (44, 92, 176)
_DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))

Board = list[int]
"""The piece at each place, row by row from the top."""


def open_columns(board: Board) -> list[int]:
    """Return the columns that are not full."""
    return [column for column in range(COLUMNS) if board[column] == EMPTY]


def landing_place(board: Board, column: int) -> int:
    """Return where a piece comes to lie that is dropped into a column that is not full."""
    free = sum(board[row * COLUMNS + column] == EMPTY for row in range(ROWS))
    return (free - 1) * COLUMNS + column


def drop(board: Board, column: int, piece: int) -> Board:
    """Return the board after a piece was dropped into a column that is not full."""
    after = board[:]
    after[landing_place(board, column)] = piece
    return after


def completes_row(board: Board, place: int) -> bool:
    """Tell whether the piece at `place` is part of four in a row."""
    return any(1 + _run(board, place, dy, dx) + _run(board, place, -dy, -dx) >= IN_A_ROW for dy, dx in _DIRECTIONS)


def _run(board: Board, place: int, dy: int, dx: int) -> int:
    """Return how many equal pieces follow in a direction."""
    y, x = divmod(place, COLUMNS)
    count = 0
    while 0 <= (y := y + dy) < ROWS and 0 <= (x := x + dx) < COLUMNS and board[y * COLUMNS + x] == board[place]:
        count += 1
    return count


class ConnectXGame(TwoPlayerGame[TObsSpace, TObs]):
    """The board of 7 columns and 6 rows and its rules; a subclass says what the players see of it.

    Actions are the columns. Four in a row, column or diagonal win; a full board is a tie; a
    piece for a full column loses.
    """

    def __init__(self) -> None:
        super().__init__()
        self.board = [EMPTY] * (ROWS * COLUMNS)

    @property
    def action_space(self) -> DiscreteSpace:
        return DiscreteSpace(COLUMNS)

    @property
    def max_episode_steps(self) -> int:
        return ROWS * COLUMNS

    def reset(self, *, seed: int | None = None, **_kwargs: Any) -> TObs:
        self.board = [EMPTY] * (ROWS * COLUMNS)
        self.next_player = 0
        return self._observe()

    def step(self, action: int) -> tuple[TObs, list[float], bool, bool]:
        player = self.next_player
        if action not in open_columns(self.board):
            self.done_reason = "illegal move"
            return self._observe(), win_of(1 - player), True, False
        place = landing_place(self.board, action)
        self.board[place] = PIECES[player]
        self.next_player = 1 - player
        if completes_row(self.board, place):
            return self._observe(), win_of(player), True, False
        return self._observe(), TIE[:], EMPTY not in self.board, False

    @abstractmethod
    def _observe(self) -> TObs:
        """Return what the players see."""

    def backup(self) -> tuple[Board, int]:
        return self.board[:], self.next_player

    def restore(self, data: tuple[Board, int]) -> None:
        board, self.next_player = data
        self.board = board[:]

    def get_invalid_actions(self, player_index: int = -1) -> list[int]:
        return [column for column in range(COLUMNS) if self.board[column] != EMPTY]

    def make_worker(self, name: str, **kwargs: Any) -> RLWorker[Any, Any, Any] | None:
        """Return the player "cpu": it completes its row, hinders the other's, and likes the middle."""
        if name != "cpu":
            return None
        from srl.envs.connectx_player import Cpu

        return Cpu(**kwargs)

    # --- for people

    def action_to_str(self, action: str | int) -> str:
        return str(action)

    def get_key_bind(self) -> KeyBindType:
        """Return the keys 1 to 7, from the left."""
        return {str(column + 1): column for column in range(COLUMNS)}

    @property
    def render_interval(self) -> float:
        return 1000 / 1

    def render_terminal(self, **_kwargs: Any) -> None:
        print(" ".join(map(str, range(COLUMNS))))
        for row in self._rows():
            print(" ".join(_MARKS[piece] for piece in row))
        print(f"next player: {_MARKS[PIECES[self.next_player]]}\n")

    def _rows(self) -> list[Board]:
        return [self.board[start : start + COLUMNS] for start in range(0, ROWS * COLUMNS, COLUMNS)]

    def render_rgb_array(self, **_kwargs: Any) -> NDArray[np.uint8]:
        return draw_discs([[_COLORS[piece] for piece in row] for row in self._rows()], _BOARD_COLOR)


class ConnectX(ConnectXGame[ArrayDiscreteSpace, list[int]]):
    """The players see the places, row by row from the top: 0 is free, 1 is of player 0, 2 of player 1."""

    @property
    def observation_space(self) -> ArrayDiscreteSpace:
        return ArrayDiscreteSpace(ROWS * COLUMNS, 0, 2)

    def _observe(self) -> list[int]:
        return self.board[:]


class ConnectXLayer(ConnectXGame[BoxSpace, NDArray[np.float32]]):
    """The players see float32 (6, 7, 2): where the next player's pieces are, and where the other's are."""

    @property
    def observation_space(self) -> BoxSpace:
        return BoxSpace((ROWS, COLUMNS, 2), 0, 1, np.float32, SpaceTypes.FEATURE_MAP)

    def _observe(self) -> NDArray[np.float32]:
        board = np.array(self.board).reshape(ROWS, COLUMNS)
        mine, other = PIECES[self.next_player], PIECES[1 - self.next_player]
        return np.stack([board == mine, board == other], axis=-1).astype(np.float32)
