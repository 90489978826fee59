"""What tests of one side of a conversation put in place of the other: a clock that is moved, a socket of messages."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from srl_common import messages

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from srl_common.codec import Frame
    from srl_common.messages import Message


class Clock:
    """Seconds, monotonic, that pass only when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        self.now_s += seconds


class MessageClient:
    """A client's socket: `sent` is what left, `arrive` puts in what comes. Waiting passes time, and asks the host."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._inbox: deque[list[Frame]] = deque()
        self.sent: list[Message] = []
        self.closed = False
        self.uri = "inproc://host"
        self.host: Callable[[], None] = lambda: None
        """Called at each wait: the host's turn."""

    def arrive(self, *arriving: Message) -> None:
        self._inbox.extend(messages.encode(message) for message in arriving)

    def take_sent(self, kind: type[Message] | None = None) -> list[Message]:
        """Return what left since the last time, only messages of `kind` if one is given."""
        sent, self.sent = self.sent, []
        return [message for message in sent if kind is None or isinstance(message, kind)]

    # --- as srl_common.transport.Client

    def receive(self) -> list[Frame] | None:
        return self._inbox.popleft() if self._inbox else None

    def send(self, frames: Sequence[Frame]) -> bool:
        self.sent.append(messages.decode([bytes(frame) for frame in frames]))
        return True

    def wait(self, timeout_s: float) -> bool:
        self.host()
        if not self._inbox:
            self._clock.advance(timeout_s)
        return bool(self._inbox)

    def close(self, linger_s: float = 0.0) -> None:
        self.closed = True
