"""When something that is done now and then is due."""

from __future__ import annotations

import time
from typing import Literal

IntervalMode = Literal["time", "step"]


class Interval:
    """Is due after `length` seconds ("time"), or steps or updates ("step"), since the last `restart`."""

    def __init__(self, length: float, mode: IntervalMode = "time") -> None:
        self._length = length
        self._is_time = mode == "time"
        self.restart(0)

    def is_due(self, count: float = 0) -> bool:
        """Tell whether it is time, now that so many steps or updates are done."""
        return (time.monotonic() if self._is_time else count) >= self._next

    def restart(self, count: float = 0) -> None:
        """Begin to wait anew."""
        self._next = (time.monotonic() if self._is_time else count) + self._length
