"""The rule-based player of OX: it looks all the way to the end of the game (minimax), and never loses."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from srl.base.rl.algorithms.env_worker import EnvWorker
from srl.envs.ox import EMPTY, PIECES, OXGame, has_won
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from srl.base.env.env_run import EnvRun

Board = tuple[int, ...]


class Cpu(EnvWorker):
    """Chooses at random among the best moves."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._values: dict[tuple[Board, int], int] = {}

    def call_policy(self, env: EnvRun) -> int:
        """Return a move that leads to the best end that can be forced. Raises UsageError outside of OX."""
        game = env.unwrapped
        if not isinstance(game, OXGame):
            raise UsageError(f"the player 'cpu' of OX cannot play '{env.name}'")
        return self.choose(tuple(game.board), PIECES[game.next_player])

    def choose(self, board: Board, piece: int) -> int:
        """Return one of the best places for `piece`, whose turn it is."""
        values = {place: -self._value(_put(board, place, piece), -piece) for place in _free(board)}
        best = max(values.values())
        return random.choice([place for place, value in values.items() if value == best])

    def _value(self, board: Board, piece: int) -> int:
        """Return what `piece`, whose turn it is, can force: 1 a win, 0 a tie, -1 a loss."""
        key = (board, piece)
        if key not in self._values:
            self._values[key] = self._search(board, piece)
        return self._values[key]

    def _search(self, board: Board, piece: int) -> int:
        if has_won(list(board), -piece):
            return -1
        return max((-self._value(_put(board, place, piece), -piece) for place in _free(board)), default=0)


def _free(board: Board) -> list[int]:
    return [place for place, piece in enumerate(board) if piece == EMPTY]


def _put(board: Board, place: int, piece: int) -> Board:
    return (*board[:place], piece, *board[place + 1 :])
