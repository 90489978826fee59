"""Reliable, ordered, exactly-once calls from one sender to one receiver, as pure state: no socket, no clock.

A sender numbers its calls from 1, keeps each until it is acknowledged, and sends again what is unanswered.
A receiver applies call n + 1 after call n and nothing else. An acknowledgement (applied_seq, limit_seq) is
cumulative: calls up to `applied_seq` are applied, calls up to `limit_seq` may be sent (the credit).
"""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from srl_common.errors import CorruptError, CreditExhausted, ForgottenError, InternalError, PeerError

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

INCARNATIONS_MAX = 10_000
"""Of one role that are known: each process that was killed leaves one. Of more, the one not heard of longest goes."""


@dataclass
class _Call(Generic[T]):
    seq: int
    payload: T
    sent_s: float


class Sender(Generic[T]):
    """The sending side of one incarnation. There is no credit before the first `on_welcome` or `on_ack`.

    Args:
        resend_after_s: age in seconds of the oldest unacknowledged call at which all of them are sent again.
    """

    def __init__(self, resend_after_s: float) -> None:
        self._resend_after_s = resend_after_s
        self._unacked: deque[_Call[T]] = deque()
        self._acked_seq = 0
        self._limit_seq = 0
        self.next_seq = 1
        self.resent_calls = 0

    @property
    def credit(self) -> int:
        """How many more calls may be sent now."""
        return max(0, self._limit_seq - self.next_seq + 1)

    @property
    def acked_seq(self) -> int:
        """The last call that was acknowledged."""
        return self._acked_seq

    @property
    def unacked(self) -> int:
        """How many calls wait for their acknowledgement."""
        return len(self._unacked)

    def push(self, payload: T, now_s: float) -> int:
        """Take a call, which the caller then sends. Returns its number. Raises CreditExhausted."""
        if not self.credit:
            raise CreditExhausted(f"call {self.next_seq} was pushed, but only {self._limit_seq} may be sent")
        seq = self.next_seq
        self._unacked.append(_Call(seq, payload, now_s))
        self.next_seq += 1
        return seq

    def on_ack(self, applied_seq: int, limit_seq: int) -> None:
        """Forget the calls up to `applied_seq`; an old answer changes nothing.

        Raises PeerError for an impossible one: of calls that were not sent, or with less limit than applied.
        """
        if not 0 <= applied_seq < self.next_seq or limit_seq < applied_seq:
            raise PeerError(
                f"impossible acknowledgement of call {applied_seq}, limit {limit_seq}: {self.next_seq - 1} were sent"
            )
        self._acked_seq = max(self._acked_seq, applied_seq)
        self._limit_seq = max(self._limit_seq, limit_seq)
        while self._unacked and self._unacked[0].seq <= applied_seq:
            self._unacked.popleft()

    def on_welcome(self, applied_seq: int, limit_seq: int, now_s: float) -> list[tuple[int, T]]:
        """Take up a new connection. Returns what to send again: what the receiver has not applied.

        Raises ForgottenError when the receiver lost calls that it had acknowledged.
        """
        if applied_seq < self._acked_seq:
            raise ForgottenError(
                f"the receiver acknowledged {self._acked_seq} calls and has now {applied_seq}: "
                "it has no journal, or an older one; go on as a new incarnation"
            )
        self.on_ack(applied_seq, limit_seq)
        return self._resend(now_s)

    def due(self, now_s: float) -> list[tuple[int, T]]:
        """Return what to send again: all unanswered calls in order when the oldest is old, else none."""
        if not self._unacked or now_s - self._unacked[0].sent_s < self._resend_after_s:
            return []
        return self._resend(now_s)

    def _resend(self, now_s: float) -> list[tuple[int, T]]:
        for call in self._unacked:
            call.sent_s = now_s
        self.resent_calls += len(self._unacked)
        return [(call.seq, call.payload) for call in self._unacked]


class Verdict(enum.Enum):
    """What to do with a call that arrived."""

    APPLY = "apply"
    """It is the next one: write it to the journal, apply it, then say so with `Receiver.applied`."""
    DUPLICATE = "duplicate"
    """It is applied already: acknowledge, do nothing."""
    GAP = "gap"
    """One before it is missing, or there is no credit for it: do nothing, it will be sent again."""


class Receiver:
    """The receiving side of one incarnation of a sender.

    Args:
        window_calls: how many calls beyond the applied ones the sender may have under way.
        applied_seq: the last call that is applied.
    """

    def __init__(self, window_calls: int, applied_seq: int = 0) -> None:
        self._window_calls = window_calls
        self._applied_seq = applied_seq
        self._limit_seq = applied_seq + window_calls

    def judge(self, seq: int) -> Verdict:
        """Return what to do with call `seq`; changes nothing."""
        if seq <= self._applied_seq:
            return Verdict.DUPLICATE
        is_next = seq == self._applied_seq + 1
        return Verdict.APPLY if is_next and seq <= self._limit_seq else Verdict.GAP

    def applied(self, seq: int) -> None:
        """Note that call `seq`, the next one, is applied. Raises InternalError for any other."""
        if seq != self._applied_seq + 1:
            raise InternalError(f"call {seq} was applied after call {self._applied_seq}")
        self._applied_seq = seq
        self._limit_seq = max(self._limit_seq, seq)

    def ack(self, open: bool = True) -> tuple[int, int]:  # noqa: A002  the host is open for more, or not
        """Return (applied_seq, limit_seq) to be sent; when not `open`, no credit is added."""
        if open:
            self._limit_seq = max(self._limit_seq, self._applied_seq + self._window_calls)
        return self._applied_seq, self._limit_seq


class DedupeTable:
    """The receivers of all incarnations that are known, as a part of a checkpoint.

    Args:
        window_calls: of each receiver.
    """

    def __init__(self, window_calls: int) -> None:
        self._window_calls = window_calls
        self._receivers: dict[bytes, Receiver] = {}

    def __len__(self) -> int:
        return len(self._receivers)

    def receiver(self, incarnation: bytes) -> Receiver:
        """Return the receiver of `incarnation`, a new one if there is none."""
        receiver = self._receivers.pop(incarnation, None)
        if receiver is None:
            receiver = Receiver(self._window_calls)
            if len(self._receivers) >= INCARNATIONS_MAX:
                del self._receivers[next(iter(self._receivers))]
        self._receivers[incarnation] = receiver  # the one asked for last is at the end
        return receiver

    def forget(self, incarnation: bytes) -> None:
        """Drop what is known of `incarnation`, which will not call again."""
        self._receivers.pop(incarnation, None)

    def to_data(self) -> dict[bytes, int]:
        """Return by incarnation the last applied call."""
        return {incarnation: receiver.ack(open=False)[0] for incarnation, receiver in self._receivers.items()}

    def load_data(self, data: Mapping[Any, Any]) -> None:
        """Become what `to_data` described. Raises CorruptError when that is not what it is given."""
        for incarnation, applied_seq in data.items():
            if type(incarnation) is not bytes or type(applied_seq) is not int or applied_seq < 0:
                raise CorruptError(f"a dedupe table has the entry {incarnation!r}: {applied_seq!r}")
        self._receivers = {each: Receiver(self._window_calls, applied) for each, applied in data.items()}

    @classmethod
    def from_data(cls, window_calls: int, data: Mapping[Any, Any]) -> DedupeTable:
        """Return the table that `to_data` described. Raises CorruptError."""
        table = cls(window_calls)
        table.load_data(data)
        return table
