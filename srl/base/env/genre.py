"""Environments of a kind: bases that say how many players there are."""

from __future__ import annotations

from srl.base.env.base import EnvBase, TAct, TActSpace, TObs, TObsSpace


class SinglePlayEnv(EnvBase[TActSpace, TAct, TObsSpace, TObs]):
    """An environment of one player."""

    @property
    def player_num(self) -> int:
        return 1


class TurnBase2Player(EnvBase[TActSpace, TAct, TObsSpace, TObs]):
    """A game of two players. `reset` and `step` set `next_player`; the rewards of `step` are [first, second]."""

    @property
    def player_num(self) -> int:
        return 2
