"""The rule-based player of Othello."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from srl.base.rl.algorithms.env_worker import EnvWorker
from srl.envs.othello import PIECES, OthelloGame, legal_moves, set_piece
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from srl.base.env.env_run import EnvRun


class Cpu(EnvWorker):
    """Takes a corner if it can; else the move that leaves the other player the fewest moves."""

    def call_policy(self, env: EnvRun) -> int:
        """Return a move; among equal ones chance decides. Raises UsageError outside of Othello."""
        game = env.unwrapped
        if not isinstance(game, OthelloGame):
            raise UsageError(f"the player 'cpu' of Othello cannot play '{env.name}'")
        moves = random.sample(game.moves, len(game.moves))
        return min(moves, key=lambda place: (not _is_corner(place, game.size), _mobility_left(game, place)))


def _is_corner(place: int, size: int) -> bool:
    return place in {0, size - 1, size * (size - 1), size * size - 1}


def _mobility_left(game: OthelloGame[Any, Any], place: int) -> int:
    """Return how many moves the other player has after this one."""
    piece = PIECES[game.next_player]
    after = set_piece(game.board, game.size, place, piece)
    return len(legal_moves(after, game.size, -piece))
