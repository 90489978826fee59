"""Where the time of a loop goes: each phase says when it ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Phases:
    """Seconds by phase.

    Args:
        names: of the phases.
        clock: seconds, monotonic.
    """

    def __init__(self, *names: str, clock: Callable[[], float] = time.perf_counter) -> None:
        self.seconds = dict.fromkeys(names, 0.0)
        self._clock = clock
        self._since_s = clock()

    def begin(self) -> None:
        """Count from now on: what was before belongs to no phase."""
        self._since_s = self._clock()

    def end(self, name: str) -> None:
        """Say that the time since the last call belongs to this phase."""
        now_s = self._clock()
        self.seconds[name] += now_s - self._since_s
        self._since_s = now_s
