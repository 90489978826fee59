"""When a run ends."""

from __future__ import annotations

import math
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from srl.base.context import RunContext, RunState, RunStateActor

INTERMEDIATE_STOP = "callback.intermediate_stop"


class StopConditions:
    """The limits of a run, with "no limit" as a number that no run reaches."""

    def __init__(self, context: RunContext, state: RunState) -> None:
        self._deadline_s = state.elapsed_t0 + (context.timeout if context.timeout > 0 else math.inf)
        self._max_episodes = _limit(context.max_episodes)
        self._max_steps = _limit(context.max_steps)
        self._max_train_count = _limit(context.max_train_count)
        self._max_memory = _limit(context.max_memory)
        self._memory = state.memory if context.max_memory > 0 else None

    def acting(self, state: RunStateActor) -> str:
        """Return why a run that plays must end now, or ""."""
        if state.total_step >= self._max_steps:
            return "max_steps over."
        if state.episode_count >= self._max_episodes:
            return "episode_count over."
        if self._memory is not None and self._memory.length() >= self._max_memory:
            return "max_memory over."
        return self.training(state)

    def training(self, state: RunState) -> str:
        """Return why a run that trains must end now, or ""."""
        if state.train_count >= self._max_train_count:
            return "max_train_count over."
        if time.perf_counter() >= self._deadline_s:
            return "timeout."
        return ""


def _limit(count: int) -> int:
    return count if count > 0 else sys.maxsize
