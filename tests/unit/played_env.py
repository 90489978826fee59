"""Environments that a person plays, for tests."""

from __future__ import annotations

import counting_env

from srl.base.env.registration import register
from srl.base.spaces.continuous import ContinuousSpace


class Bound(counting_env.Counting):
    """Counting, with keys."""

    def get_key_bind(self):
        return {"a": 3, "left": 4, ("a", "s"): 1}


class Sliding(counting_env.Counting):
    """The reward is the action, from -1 to 1."""

    @property
    def action_space(self):
        return ContinuousSpace(-1, 1)

    def get_invalid_actions(self, player_index=-1):
        return []

    def step(self, action):
        state, _, *rest = super().step(action)
        return state, [action], *rest


class Endless(Sliding):
    """Actions have no bounds."""

    @property
    def action_space(self):
        return ContinuousSpace()


register("Bound", "played_env:Bound", check_duplicate=False)
register("Sliding", "played_env:Sliding", check_duplicate=False)
register("Endless", "played_env:Endless", check_duplicate=False)
