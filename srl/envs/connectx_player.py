"""The rule-based player of ConnectX."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from srl.base.rl.algorithms.env_worker import EnvWorker
from srl.envs.connectx import COLUMNS, PIECES, Board, ConnectXGame, completes_row, drop, landing_place, open_columns
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from srl.base.env.env_run import EnvRun


class Cpu(EnvWorker):
    """Looks one move ahead: it wins, else prevents a win, else gives none away; then it plays to the middle."""

    def call_policy(self, env: EnvRun) -> int:
        """Return a column; among equal ones chance decides. Raises UsageError outside of ConnectX."""
        game = env.unwrapped
        if not isinstance(game, ConnectXGame):
            raise UsageError(f"the player 'cpu' of connectx cannot play '{env.name}'")
        return self.choose(game.board, PIECES[game.next_player])

    def choose(self, board: Board, piece: int) -> int:
        """Return a column for `piece`, whose turn it is."""
        other = sum(PIECES) - piece
        columns = open_columns(board)
        candidates = (
            [column for column in columns if _wins(board, column, piece)]
            or [column for column in columns if _wins(board, column, other)]
            or [column for column in columns if not _invites(board, column, piece, other)]
            or columns
        )
        return min(random.sample(candidates, len(candidates)), key=lambda column: abs(column - COLUMNS // 2))


def _wins(board: Board, column: int, piece: int) -> bool:
    return completes_row(drop(board, column, piece), landing_place(board, column))


def _invites(board: Board, column: int, piece: int, other: int) -> bool:
    """Tell whether the other player could win on top of this piece."""
    after = drop(board, column, piece)
    return column in open_columns(after) and _wins(after, column, other)
