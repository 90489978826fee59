"""When a frame makes room for the next."""

from __future__ import annotations


class Pace:
    """An even pace of one frame every `interval_ms`, of which drawing takes a part.

    Who is late does not hurry afterwards.
    """

    def __init__(self, interval_ms: float) -> None:
        self._interval_ms = interval_ms
        self._due_ms: float | None = None

    def due_ms(self, now_ms: float) -> float:
        """Return until when the frame that appears now is to be seen."""
        due_ms = now_ms if self._due_ms is None else max(self._due_ms, now_ms - self._interval_ms)
        self._due_ms = due_ms + self._interval_ms
        return self._due_ms
