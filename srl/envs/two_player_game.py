"""What games of two players who take turns have in common: one wins what the other loses."""

from __future__ import annotations

from srl.base.env.base import TObs, TObsSpace
from srl.base.env.genre import TurnBase2Player
from srl.base.spaces.discrete import DiscreteSpace

TIE = [0.0, 0.0]


class TwoPlayerGame(TurnBase2Player[DiscreteSpace, int, TObsSpace, TObs]):
    """A game that player 0 begins. The winner gets 1 and the loser -1; a tie, and every other step, gives 0."""

    @property
    def reward_range(self) -> tuple[float, float]:
        return (-1.0, 1.0)


def win_of(player: int) -> list[float]:
    """Return the rewards when that player wins."""
    return [1.0, -1.0] if player == 0 else [-1.0, 1.0]
