"""The client's side of a conversation: says `Hello`, keeps calls under way until they are acknowledged, beats.

It has no thread of its own: whoever owns it calls `poll` (or `wait`) from its loop, so that a sign of life always
comes from the loop that does the work.
"""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Any

from srl_common import messages
from srl_common.delivery import Sender
from srl_common.errors import InternalError, RefusedError, UndeliveredError
from srl_common.messages import (
    PROTOCOL,
    Ack,
    Beat,
    Bye,
    Call,
    Hello,
    Message,
    Refuse,
    Role,
    Stranger,
    Welcome,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from srl_common.codec import Frame
    from srl_common.transport import Client

log = logging.getLogger("srl")

INCARNATION_BYTES = 16
BEAT_INTERVAL_S = 0.5
RESEND_AFTER_S = 1.0
HELLO_AGAIN_AFTER_S = 0.3
REFUSED_AGAIN_AFTER_S = 1.0
"""After so long, a host that works for another job is asked again."""
SILENT_AFTER_S = 5.0
"""A host that has left what was sent to it unanswered for so long counts as away."""
WAIT_SLICE_S = 0.1
"""How long a blocked call listens before it looks at the clock and the stop flag again."""


def new_incarnation() -> bytes:
    """Return the name of one life of a process: random, and no routing id that ZeroMQ keeps for itself."""
    return b"\x01" + secrets.token_bytes(INCARNATION_BYTES - 1)


class Link:
    """One client's conversation with a host.

    Args:
        client: the socket, whose routing id is `incarnation`.
        role: what this client is.
        name: its human-readable name, unique among the living.
        incarnation: 16 bytes, from `new_incarnation`.
        job_digest: of the job that it works for.
        clock: seconds, monotonic.
        counters: read for every `Beat`.
        epoch: a learner's fencing number.
        positions: read for every `Hello`: (released, received) by recv endpoint.
        slot: the number that an actor wants, -1: any.
        shard, shards: which memory service is looked for, of how many.
        waits_for_job: a host that works for another job is asked again and again, rather than taken at its word.
    """

    def __init__(
        self,
        client: Client,
        role: Role,
        name: str,
        incarnation: bytes,
        job_digest: str,
        clock: Callable[[], float],
        counters: Callable[[], dict[str, Any]],
        epoch: int = 0,
        positions: Callable[[], tuple[dict[str, int], dict[str, int]]] = lambda: ({}, {}),
        slot: int = -1,
        *,
        shard: int = 0,
        shards: int = 1,
        waits_for_job: bool = False,
    ) -> None:
        self._client = client
        self._role, self._name, self._job_digest, self._epoch = role, name, job_digest, epoch
        self._incarnation = incarnation
        self._clock = clock
        self._counters = counters
        self._positions = positions
        self._sender: Sender[list[Frame]] = Sender(RESEND_AFTER_S)
        self._welcomed = False
        self._next_hello_s = 0.0
        self._next_beat_s = 0.0
        self._host_incarnation = b""
        self._left: list[Message] = []
        self._shard, self._shards = shard, shards
        self._waits_for_job = waits_for_job
        self._unanswered_s: float | None = None
        """Since when nothing has come back, None where nothing is waited for."""
        self.slot = slot
        """An actor's number: once the host has given one, it is wished for ever after."""
        self.actor_num = 0
        """How many actors the host said that there are."""
        self.refused = False
        """The host works for another job at present."""
        self.host_restarts = 0
        self.credit_wait_s = 0.0
        """How long calls have waited for credit: it grows while one waits, so that a scrape sees it."""
        self.host_counters: dict[str, Any] = {}
        self.silent = False
        """The host has not been heard of lately."""

    @property
    def welcomed(self) -> bool:
        return self._welcomed

    @property
    def credit(self) -> int:
        """How many more calls may be sent now."""
        return self._sender.credit

    @property
    def unacked(self) -> int:
        return self._sender.unacked

    @property
    def resent(self) -> int:
        return self._sender.resent_calls

    def call(self, endpoint: str, form: str, count: int, body: Any, version: tuple[int, int] = (0, 0)) -> None:
        """Send one chunk of calls. The caller has seen to it that there is credit; EncodeError leaves all as it was."""
        seq = self._sender.next_seq
        frames = messages.encode(Call(seq, endpoint, form, count, body, version))
        if self._sender.push(frames, self._clock()) != seq:
            raise InternalError("a call was encoded with another sequence number than it was sent with")
        self._client.send(frames)

    def wait_for_credit(self, give_up: Callable[[], bool]) -> None:
        """Listen until a call may be sent. Raises UndeliveredError when `give_up` says so.

        Messages for the caller that come meanwhile are kept for the next `poll`.
        """
        while self.credit <= 0:
            if give_up():
                raise UndeliveredError(f"{self._name}: the Memory's host took no more calls until the drain was over")
            start_s = self._clock()
            self._left = self.wait(WAIT_SLICE_S)
            self.credit_wait_s += self._clock() - start_s

    def send(self, message: Message) -> None:
        """Send a message that needs no acknowledgement; it is lost when there is no connection."""
        self._client.send(messages.encode(message))

    def poll(self) -> list[Message]:
        """Do all that is due without waiting. Returns what the caller must handle: batches and views."""
        now_s = self._clock()
        left, self._left = self._left, []
        while (frames := self._client.receive()) is not None:
            self._unanswered_s = None
            self._handle(messages.decode(frames, messages.FROM_HOST), now_s, left)
        if not self._welcomed:
            self._say_hello(now_s)
        elif not self.host_counters.get("held"):
            for _, call in self._sender.due(now_s):
                self._client.send(call)
        if now_s >= self._next_beat_s:
            self._next_beat_s = now_s + BEAT_INTERVAL_S
            if self._welcomed:
                self._ask(Beat(self._counters()), now_s)
        self._note_silence(now_s)
        return left

    def wait(self, timeout_s: float) -> list[Message]:
        """As `poll`, but wait up to `timeout_s` for the first message."""
        self._client.wait(min(timeout_s, WAIT_SLICE_S))
        return self.poll()

    def say_hello_again(self) -> None:
        """Begin the conversation anew, as after `Stranger`: what was lost on the way is then sent again."""
        self._on_stranger()

    def say_bye(self) -> None:
        """Tell the host that this incarnation will not call again. All calls must have been acknowledged."""
        self.send(Bye())

    def close(self) -> None:
        """Close the socket, letting the last message leave."""
        self._client.close(linger_s=0.5)

    def _say_hello(self, now_s: float) -> None:
        if now_s < self._next_hello_s:
            return
        self._next_hello_s = now_s + HELLO_AGAIN_AFTER_S
        released, received = self._positions()
        hello = Hello(
            PROTOCOL, self._role.value, self._name, self._incarnation, self._job_digest,
            self._sender.acked_seq, self._epoch, released, received, self.slot, self._shard, self._shards,
        )  # fmt: skip
        self._ask(hello, now_s)

    def _ask(self, message: Message, now_s: float) -> None:
        """Send what the host answers if it is there."""
        if self._unanswered_s is None:
            self._unanswered_s = now_s
        self.send(message)

    def _note_silence(self, now_s: float) -> None:
        silent = self._unanswered_s is not None and now_s - self._unanswered_s > SILENT_AFTER_S
        if silent and not self.silent:
            log.info("the Memory's host at %s does not answer; waiting for it", self._client.uri)
        elif self.silent and not silent:
            log.info("the Memory's host at %s answers again", self._client.uri)
        self.silent = silent

    def _handle(self, message: Message, now_s: float, left: list[Message]) -> None:
        match message:
            case Ack():
                self._sender.on_ack(message.applied_seq, message.limit_seq)
            case Beat():
                self.host_counters = message.counters
            case Welcome():
                self._on_welcome(message, now_s)
            case Stranger():
                self._on_stranger()
            case Refuse():
                self._on_refuse(message, now_s)
            case _:
                left.append(message)

    def _on_stranger(self) -> None:
        # Every call in flight is answered so: only the first answer starts a new Hello.
        if self._welcomed:
            self._welcomed = False
            self._next_hello_s = 0.0

    def _on_refuse(self, refuse: Refuse, now_s: float) -> None:
        if not (refuse.other_job and self._waits_for_job):
            raise RefusedError(refuse.reason)
        if not self.refused:
            log.warning("waiting for the Memory's host: %s", refuse.reason)
        self.refused, self._welcomed = True, False
        self._next_hello_s = now_s + REFUSED_AGAIN_AFTER_S

    def _on_welcome(self, welcome: Welcome, now_s: float) -> None:
        if self._host_incarnation and welcome.incarnation != self._host_incarnation:
            self.host_restarts += 1
        self._host_incarnation = welcome.incarnation
        self._welcomed, self.refused = True, False
        self.slot, self.actor_num = welcome.slot, welcome.actor_num
        for _, call in self._sender.on_welcome(welcome.applied_seq, welcome.limit_seq, now_s):
            self._client.send(call)
        self._next_beat_s = now_s
