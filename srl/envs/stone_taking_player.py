"""The rule-based player of StoneTaking."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from srl.base.rl.algorithms.env_worker import EnvWorker
from srl.envs.stone_taking import MAX_TAKEN, StoneTaking
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from srl.base.env.env_run import EnvRun


class Cpu(EnvWorker):
    """Leaves 1, 5, 9, ... stones if it can: from there the other player cannot win. Else it plays by chance."""

    def call_policy(self, env: EnvRun) -> int:
        """Return an action. Raises UsageError outside of StoneTaking."""
        game = env.unwrapped
        if not isinstance(game, StoneTaking):
            raise UsageError(f"the player 'cpu' of StoneTaking cannot play '{env.name}'")
        surplus = (game.left - 1) % (MAX_TAKEN + 1)
        return surplus - 1 if surplus else random.choice(game.get_valid_actions())
