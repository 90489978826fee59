"""Othello for two players: enclosed pieces change sides, and who has more of them at the end wins."""

from __future__ import annotations

import functools
import itertools
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from srl.base.define import SpaceTypes
from srl.base.env.base import TObs, TObsSpace
from srl.base.spaces.array_discrete import ArrayDiscreteSpace
from srl.base.spaces.box import BoxSpace
from srl.base.spaces.discrete import DiscreteSpace
from srl.envs.disc_picture import draw_discs
from srl.envs.two_player_game import TIE, TwoPlayerGame, win_of
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from srl.base.rl.worker import RLWorker

EMPTY, O, X = 0, 1, -1  # noqa: E741  (the name of the piece)
PIECES = (O, X)
"""By player."""

_COLORS = {O: (24, 24, 26), X: (246, 246, 244), EMPTY: None}
_BOARD_COLOR = (38, 122, 74)
_DIRECTIONS = [(dy, dx) for dy, dx in itertools.product((-1, 0, 1), repeat=2) if (dy, dx) != (0, 0)]

Board = list[int]
"""The piece at each place, row by row."""


@functools.cache
def rays(size: int) -> list[list[list[int]]]:
    """Return, for each place of a board, the places that follow it in each direction up to the edge."""
    return [[_ray(size, place, step) for step in _DIRECTIONS] for place in range(size * size)]


def _ray(size: int, place: int, step: tuple[int, int]) -> list[int]:
    y, x = divmod(place, size)
    ray = []
    while 0 <= (y := y + step[0]) < size and 0 <= (x := x + step[1]) < size:
        ray.append(y * size + x)
    return ray


def flips(board: Board, size: int, place: int, piece: int) -> list[int]:
    """Return the places whose pieces change sides if `piece` is set at `place`; a legal move has some."""
    if board[place] != EMPTY:
        return []
    return [enclosed for ray in rays(size)[place] for enclosed in _enclosed(board, ray, piece)]


def _enclosed(board: Board, ray: list[int], piece: int) -> list[int]:
    for count, place in enumerate(ray):
        if board[place] == piece:
            return ray[:count]
        if board[place] == EMPTY:
            return []
    return []


def legal_moves(board: Board, size: int, piece: int) -> list[int]:
    """Return the places where `piece` may be set."""
    return [place for place in range(size * size) if flips(board, size, place, piece)]


def set_piece(board: Board, size: int, place: int, piece: int) -> Board:
    """Return the board after a legal move."""
    after = board[:]
    for changed in [place, *flips(board, size, place, piece)]:
        after[changed] = piece
    return after


@dataclass
class OthelloGame(TwoPlayerGame[TObsSpace, TObs]):
    """The board and its rules; a subclass says what the players see of it.

    Actions are the places, row by row. Player 0 sets O and begins. Who cannot move is passed over; when nobody
    can, the game is over. An illegal move loses. Raises UsageError if `size` is odd or less than 4.
    """

    size: int = 8
    """Rows and columns of the board."""

    def __post_init__(self) -> None:
        super().__init__()
        if self.size < 4 or self.size % 2:
            raise UsageError(f"Othello: size is {self.size}: it must be even, and 4 or more")
        self._begin()

    def _begin(self) -> None:
        self.next_player = 0
        self.board = [EMPTY] * self.size**2
        upper = (self.size // 2 - 1) * (self.size + 1)
        lower = upper + self.size
        self.board[upper] = self.board[lower + 1] = O
        self.board[upper + 1] = self.board[lower] = X
        self.last_move = -1
        self.moves = self._moves_of(0)

    def _moves_of(self, player: int) -> list[int]:
        return legal_moves(self.board, self.size, PIECES[player])

    # --- the rules

    @property
    def action_space(self) -> DiscreteSpace:
        return DiscreteSpace(self.size**2)

    @property
    def max_episode_steps(self) -> int:
        return self.size**2

    def reset(self, *, seed: int | None = None, **_kwargs: Any) -> TObs:
        self._begin()
        return self._observe()

    def step(self, action: int) -> tuple[TObs, list[float], bool, bool]:
        player = self.next_player
        if action not in self.moves:
            self.done_reason = "illegal move"
            return self._observe(), win_of(1 - player), True, False
        self.board = set_piece(self.board, self.size, action, PIECES[player])
        self.last_move = action
        self._pass_on(1 - player)
        if not self.moves:
            return self._observe(), self._result(), True, False
        return self._observe(), TIE[:], False, False

    def _pass_on(self, player: int) -> None:
        """Give the turn to `player`, or to the other one if it cannot move. Without moves the game is over."""
        for candidate in (player, 1 - player):
            self.next_player = candidate
            self.moves = self._moves_of(candidate)
            if self.moves:
                return

    def _result(self) -> list[float]:
        lead = sum(self.board)
        return TIE[:] if lead == 0 else win_of(0 if lead > 0 else 1)

    @abstractmethod
    def _observe(self) -> TObs:
        """Return what the players see."""

    def backup(self) -> tuple[Board, int, int]:
        return self.board[:], self.next_player, self.last_move

    def restore(self, data: tuple[Board, int, int]) -> None:
        board, self.next_player, self.last_move = data
        self.board = board[:]
        self.moves = self._moves_of(self.next_player)

    def get_invalid_actions(self, player_index: int = -1) -> list[int]:
        is_next = player_index in {-1, self.next_player}
        moves = {*(self.moves if is_next else self._moves_of(player_index))}
        return [place for place in range(self.size**2) if place not in moves]

    def make_worker(self, name: str, **kwargs: Any) -> RLWorker[Any, Any, Any] | None:
        """Return the player "cpu": it takes corners, and leaves the other one few moves."""
        if name != "cpu":
            return None
        from srl.envs.othello_player import Cpu

        return Cpu(**kwargs)

    # --- for people

    def action_to_str(self, action: str | int) -> str:
        return str(action)

    @property
    def render_interval(self) -> float:
        return 1000 / 1

    def render_terminal(self, **_kwargs: Any) -> None:
        rule = "-" * (3 * self.size + 1)
        print(rule)
        for row in range(self.size):
            print("|" + "".join(f"{self._mark(row * self.size + x):>2}|" for x in range(self.size)))
        print(rule)
        print(f"O: {self.board.count(O)}, X: {self.board.count(X)}")
        print(f"next player: {'OX'[self.next_player]}\n")

    def _mark(self, place: int) -> str:
        if self.board[place] == EMPTY:
            return str(place) if place in self.moves else ""
        piece = "o" if self.board[place] == O else "x"
        return "*" + piece if place == self.last_move else piece

    def render_rgb_array(self, **_kwargs: Any) -> NDArray[np.uint8]:
        colors = [_COLORS[piece] for piece in self.board]
        return draw_discs([colors[i : i + self.size] for i in range(0, len(colors), self.size)], _BOARD_COLOR)


class Othello(OthelloGame[ArrayDiscreteSpace, list[int]]):
    """The players see the places, row by row: 1 is O, -1 is X, 0 is free."""

    @property
    def observation_space(self) -> ArrayDiscreteSpace:
        return ArrayDiscreteSpace(self.size**2, -1, 1)

    def _observe(self) -> list[int]:
        return self.board[:]


class OthelloLayer(OthelloGame[BoxSpace, NDArray[np.float32]]):
    """The players see float32 (size, size, 2): where the next player's pieces are, and where the other's are."""

    @property
    def observation_space(self) -> BoxSpace:
        return BoxSpace((self.size, self.size, 2), 0, 1, np.float32, SpaceTypes.FEATURE_MAP)

    def _observe(self) -> NDArray[np.float32]:
        board = np.array(self.board).reshape(self.size, self.size)
        mine = PIECES[self.next_player]
        return np.stack([board == mine, board == -mine], axis=-1).astype(np.float32)
