"""The host's side of the conversations: clients come with frames, and `outbox` fills with what to send to whom.

Does no I/O of its own: the memory service, and a learner that hosts the Memory itself, move the frames.
"""

from __future__ import annotations

import itertools
import logging
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from srl_common import messages
from srl_common.delivery import Verdict
from srl_common.errors import DecodeError, LostBatchesError, OtherJobError, PeerError, SettingError, StorageError
from srl_common.link import new_incarnation
from srl_common.messages import (
    MAY_SEND,
    PROTOCOL,
    Ack,
    Beat,
    Bye,
    Call,
    Hello,
    Message,
    Pull,
    Refuse,
    Role,
    Stranger,
    View,
    Watch,
    Welcome,
)
from srl_common.settings import variable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from services.hosting.durable_memory import DurableMemory
    from srl_common.codec import Frame

log = logging.getLogger("srl")

CLIENT_GONE_AFTER_S = 5.0
"""A client that has not been heard of for so long is no longer counted as living."""
FORGET_AFTER_S = 60.0
WANTED_MAX = 10_000
"""More batches than this are not made ahead, whatever a learner asks for."""
DRY_AGAIN_AFTER_S = 0.05
"""A recv function that said None is asked again after so long though nothing was inserted: it may depend on time."""


@dataclass
class Client:
    """A client that has said Hello."""

    name: str
    role: Role
    heard_s: float
    slot: int = -1
    """An actor's number."""
    counters: dict[str, Any] = field(default_factory=dict)
    held: int = 0
    """Chunks of it that the limiter has not let in yet."""

    @property
    def leaving(self) -> bool:
        """Whether it only delivers what it still has, as it says in its Beat."""
        return self.counters.get("leaving") is True


@dataclass(frozen=True)
class Held:
    """A chunk that waits for the limiter to let it in; it is not acknowledged."""

    incarnation: bytes
    client: Client
    call: Call
    frames: Sequence[Frame]


class MemoryHost:
    """Serves one `DurableMemory` to its clients.

    Args:
        memory: recovered.
        job_digest: clients that work for another job are refused.
        clock: seconds, monotonic.
        counters: the service's own, for Beat and View.
        serves: the roles of clients that may come.
        shard, shards: which memory service it is, of how many.
    """

    def __init__(
        self,
        memory: DurableMemory,
        job_digest: str,
        clock: Callable[[], float],
        counters: Callable[[], dict[str, Any]] = dict,
        serves: frozenset[Role] = frozenset(Role),
        *,
        shard: int = 0,
        shards: int = 1,
    ) -> None:
        self._memory = memory
        self._job_digest = job_digest
        self._clock = clock
        self._service_counters = counters
        self._serves = serves
        self._shard, self._shards = shard, shards
        self._incarnation = new_incarnation()
        self._clients: dict[bytes, Client] = {}
        self._to_ack: dict[bytes, Client] = {}
        self._without_credit: dict[bytes, Client] = {}
        """Clients that are to be told when there is room again."""
        self._held: deque[Held] = deque()
        """In the order of arrival."""
        self._left: dict[str, Client] = {}
        """By name, clients that said Bye."""
        self._learner: bytes | None = None
        self._epoch = 0
        self._failure = ""
        """Why no learner can go on with this Memory."""
        self._wanted = dict.fromkeys(memory.streams, 0)
        self._dry: dict[str, tuple[int, float]] = {}
        self._storage_failed = False
        self._length = memory.length()
        self._has_room = True
        """As they were lately: the author's object is only asked from the loop."""
        self._tuning: Mapping[str, Any] = {}
        self.outbox: deque[tuple[bytes, Sequence[Frame]]] = deque()
        self.count: Counter[str] = Counter()

    # --- what comes in

    def handle(self, incarnation: bytes, frames: Sequence[Frame], key_role: str | None = None) -> None:
        """Take one message. Whatever is wrong with it, the client hears of it and the host goes on.

        `key_role` is the role of the key that it came with: None without keys, "" for a key that has been revoked.
        """
        try:
            message = messages.decode(frames)
            if key_role is not None:
                self._check_key(incarnation, message, key_role)
            self._dispatch(incarnation, message, frames)
        except PeerError as error:
            self._answer(incarnation, error)

    def _answer(self, incarnation: bytes, error: PeerError) -> None:
        if isinstance(error, DecodeError):
            self.count["undecodable"] += 1
            log.info("no message: %s", error)
            self._post(incarnation, Refuse(str(error)))
        else:
            if isinstance(error, LostBatchesError):
                self._failure = str(error)
            self._refuse(incarnation, str(error), other_job=isinstance(error, OtherJobError))

    def _dispatch(self, incarnation: bytes, message: Message, frames: Sequence[Frame]) -> None:
        if isinstance(message, Hello):
            self._on_hello(incarnation, message)
            return
        client = self._clients.get(incarnation)
        if client is None:
            self.count["strangers"] += 1
            self._post(incarnation, Stranger())
            return
        if type(message) not in MAY_SEND[client.role]:
            raise PeerError(f"{client.role} '{client.name}' may not send {type(message).__name__}")
        if client.role is Role.LEARNER and incarnation != self._learner:
            raise PeerError(f"'{client.name}' is replaced: a learner with epoch {self._epoch} took over")
        client.heard_s = self._clock()
        match message:
            case Call():
                self._on_call(incarnation, client, message, frames)
            case Pull():
                self._on_pull(message)
            case Beat():
                self._on_beat(incarnation, client, message)
            case Watch():
                self._post(incarnation, self.view())
            case Bye():
                self._on_bye(incarnation, client)

    def _check_key(self, incarnation: bytes, message: Message, key_role: str) -> None:
        speaker = message if isinstance(message, Hello) else self._clients.get(incarnation)
        if speaker is None:
            return  # a stranger, which may only say Hello
        if not key_role:
            raise PeerError(f"the key of '{speaker.name}' has been revoked")
        if speaker.role != key_role:
            raise PeerError(
                f"'{speaker.name}' says that it is of the role '{speaker.role}', but its key is of '{key_role}': "
                "set SRL_KEYS_DIR to the folder of its own role"
            )

    def _on_hello(self, incarnation: bytes, hello: Hello) -> None:
        role = self._check_hello(incarnation, hello)
        applied_seq = limit_seq = 0
        if role is not Role.OBSERVER:
            self._memory.take_up(role, incarnation, hello.acked_seq)
            applied_seq, limit_seq = self._memory.ack(role, incarnation)
        self._let_go(incarnation)  # it sends all of it again
        slot = self._slot(incarnation, hello) if role is Role.ACTOR else -1
        client = self._clients[incarnation] = Client(hello.name, role, self._clock(), slot)
        if role is Role.ACTOR and not self._memory.has_room:
            self._without_credit[incarnation] = client
        self._post(incarnation, Welcome(PROTOCOL, self._incarnation, applied_seq, limit_seq, slot, self._actor_num()))
        if role is Role.LEARNER:
            self._take_up_learner(incarnation, hello)

    def _slot(self, incarnation: bytes, hello: Hello) -> int:
        """Return the number of an actor: the one it wishes, has, or left behind; else the smallest that is free."""
        if hello.slot >= 0:
            return hello.slot
        taken = set()
        for known, client in self._clients.items():
            if client.slot >= 0 and (known == incarnation or client.name == hello.name):
                return client.slot  # of an actor that was started anew under its name, too
            taken.add(client.slot)
        return next(slot for slot in itertools.count() if slot not in taken)

    def _actor_num(self) -> int:
        return max((client.slot for client in self._clients.values()), default=-1) + 1

    def _check_hello(self, incarnation: bytes, hello: Hello) -> Role:
        if hello.protocol != PROTOCOL:
            raise PeerError(
                f"'{hello.name}' speaks protocol {hello.protocol}, this service {PROTOCOL}: "
                "run the same version of srl-cluster everywhere"
            )
        if incarnation != hello.incarnation:
            raise PeerError(f"'{hello.name}' does not connect with the incarnation that it names")
        if hello.role not in self._serves:
            raise PeerError(
                f"'{hello.name}' has the role '{hello.role}', this service serves {', '.join(self._serves)}"
            )
        role = Role(hello.role)
        if role is not Role.OBSERVER and hello.job_digest != self._job_digest:
            raise OtherJobError(
                f"'{hello.name}' works for job {_short(hello.job_digest)}, this service for "
                f"{_short(self._job_digest)}: "
                "the environment, the configuration or the author's file differs; start all services with the same job"
            )
        if role is not Role.OBSERVER and (hello.shard, hello.shards) != (self._shard, self._shards):
            raise PeerError(
                f"'{hello.name}' looks for shard {hello.shard} of {hello.shards}, this service is shard {self._shard} "
                f"of {self._shards}: give all services the same {variable('memory_shards')}, and each memory service "
                f"its own {variable('memory_shard')} and address"
            )
        if role is Role.LEARNER and hello.epoch < self._epoch:
            raise PeerError(f"'{hello.name}' has epoch {hello.epoch}, but a learner with epoch {self._epoch} took over")
        return role

    def _take_up_learner(self, incarnation: bytes, hello: Hello) -> None:
        self._learner, self._epoch = incarnation, hello.epoch
        self._dry.clear()
        for endpoint in self._memory.streams:
            released, received = hello.released.get(endpoint, 0), hello.received.get(endpoint, 0)
            self._wanted[endpoint] = received
            for frames in self._memory.resume(endpoint, released, received):
                self.outbox.append((incarnation, frames))

    def _on_call(self, incarnation: bytes, client: Client, call: Call, frames: Sequence[Frame]) -> None:
        if client.role is Role.ACTOR:
            self._memory.flow.check(call)
            if (self._held or not self._memory.flow.limiter.may_insert(call.count)) and not client.leaving:
                self._hold(Held(incarnation, client, call, frames))
                return
        self._insert(incarnation, client, call, frames)

    def _hold(self, held: Held) -> None:
        # More than it has credit for are duplicates, or will be sent again.
        if held.client.held < self._memory.window_calls:
            held.client.held += 1
            self._held.append(held)
            self._note_held()

    def _let_in(self) -> None:
        """Insert the held chunks that may go in now."""
        limiter = self._memory.flow.limiter
        while self._held and limiter.may_insert(self._held[0].call.count):
            self._insert_held(self._held.popleft())
        self._note_held()

    def _note_held(self) -> None:
        self._memory.flow.limiter.inserts_wait.note(bool(self._held))

    def _let_in_all_of(self, incarnation: bytes) -> None:
        for held in self._let_go(incarnation):
            self._insert_held(held)

    def _insert_held(self, held: Held) -> None:
        held.client.held -= 1
        try:
            self._insert(held.incarnation, held.client, held.call, held.frames)
        except PeerError as error:
            self._answer(held.incarnation, error)

    def _let_go(self, incarnation: bytes) -> list[Held]:
        """Hold the chunks of a client no longer. Returns them."""
        gone = [held for held in self._held if held.incarnation == incarnation]
        if gone:
            self._held = deque(held for held in self._held if held.incarnation != incarnation)
            self._note_held()
        return gone

    def _insert(self, incarnation: bytes, client: Client, call: Call, frames: Sequence[Frame]) -> None:
        try:
            verdict = self._memory.insert(client.role, incarnation, call, frames)
        except StorageError as error:
            self._on_storage_error(error)
            return
        if verdict is Verdict.APPLY:
            self._storage_failed = False
        self.count[verdict.name.lower()] += 1
        self._to_ack[incarnation] = client

    def _on_storage_error(self, error: StorageError) -> None:
        # No acknowledgement: the client keeps the call, sends it again, and blocks when its credit is used up.
        self.count["journal_failures"] += 1
        if not self._storage_failed:
            log.error("nothing is inserted until this is mended, and nothing is lost: %s", error)
        self._storage_failed = True

    def _on_pull(self, pull: Pull) -> None:
        self._memory.endpoints.check_recv(pull.endpoint)
        at_most = self._memory.streams[pull.endpoint].made + WANTED_MAX
        self._wanted[pull.endpoint] = max(self._wanted[pull.endpoint], min(pull.wanted, at_most))
        self._memory.release(pull.endpoint, pull.released)

    def _on_beat(self, incarnation: bytes, client: Client, beat: Beat) -> None:
        client.counters = beat.counters
        if client.leaving:
            self._let_in_all_of(incarnation)
            self._to_ack[incarnation] = client
        if client.role is Role.LEARNER:
            self._memory.flow.staleness.learn_train_count(beat.counters)
        held = {"held": client.held} if client.held else {}
        self._post(incarnation, Beat({**self._counters(), **held}))

    def _on_bye(self, incarnation: bytes, client: Client) -> None:
        self._drop(incarnation)
        if client.role is not Role.OBSERVER:
            self._memory.forget(client.role, incarnation)
            self._left[client.name] = client

    def _drop(self, incarnation: bytes) -> None:
        del self._clients[incarnation]
        self._let_go(incarnation)
        self._to_ack.pop(incarnation, None)
        self._without_credit.pop(incarnation, None)
        if incarnation == self._learner:
            self._learner = None
            self._memory.flow.limiter.batches_wait.note(False)

    # --- what goes out

    def acknowledge(self) -> None:
        """Acknowledge what was applied since the last time, one message a client."""
        if self._held:
            self._let_in()
        has_room = self._has_room = self._memory.has_room
        if has_room and self._without_credit:
            self._to_ack |= self._without_credit
            self._without_credit = {}
        for incarnation, client in self._to_ack.items():
            self._post(incarnation, Ack(*self._memory.ack(client.role, incarnation, leaving=client.leaving)))
        if not has_room:
            self._without_credit |= self._to_ack
        self._to_ack.clear()

    def make_batches(self) -> None:
        """Prepare the batches that the learner has asked for, as far as the Memory has any."""
        if self._learner is None:
            return
        for endpoint, stream in self._memory.streams.items():
            while stream.made < self._wanted[endpoint] and self._memory.may_make_batches and not self._is_dry(endpoint):
                self._make_batch(self._learner, endpoint)

    def _make_batch(self, learner: bytes, endpoint: str) -> None:
        try:
            frames = self._memory.make_batch(endpoint)
        except StorageError as error:
            self._on_storage_error(error)
            frames = None
        if frames is None:
            self._dry[endpoint] = (self._memory.changes, self._clock() + DRY_AGAIN_AFTER_S)
        else:
            self._dry.pop(endpoint, None)
            self.outbox.append((learner, frames))

    def _is_dry(self, endpoint: str) -> bool:
        if endpoint not in self._dry:
            return False
        changes, again_s = self._dry[endpoint]
        return changes == self._memory.changes and self._clock() < again_s

    def _post(self, incarnation: bytes, message: Message) -> None:
        self.outbox.append((incarnation, messages.encode(message)))

    def _refuse(self, incarnation: bytes, reason: str, *, other_job: bool) -> None:
        self.count["refused"] += 1
        log.warning("refused: %s", reason)
        self._post(incarnation, Refuse(reason, other_job))
        if incarnation in self._clients:
            self._drop(incarnation)  # a refusal is the last word

    def tune(self, values: Mapping[str, Any]) -> None:
        """Go on with other values of settings (`flow.TUNABLE`) from now on; bad ones change nothing, and this is said.

        The same values again are no news.
        """
        if values == self._tuning:
            return
        self._tuning = dict(values)
        try:
            self._memory.flow.tune(values)
        except SettingError as error:
            self.count["tunings_refused"] += 1
            log.warning("nothing is changed: %s", error)
        else:
            log.info("changed while running: %s", ", ".join(f"{name}={value}" for name, value in values.items()))

    # --- what is known

    def maintain(self) -> None:
        """Do what is due now and then: force the journal to disk, forget the silent."""
        try:
            self._memory.sync(self._clock())
        except StorageError as error:
            self._on_storage_error(error)
        self._length = self._memory.length()
        self._forget_silent()
        self._forget_left()

    def _forget_silent(self) -> None:
        # One that comes back says Hello again.
        since_s = self._clock() - FORGET_AFTER_S
        for incarnation in [i for i, client in self._clients.items() if client.heard_s < since_s]:
            self._drop(incarnation)

    def _forget_left(self) -> None:
        since_s = self._clock() - CLIENT_GONE_AFTER_S
        self._left = {name: client for name, client in self._left.items() if client.heard_s >= since_s}

    def living(self) -> list[Client]:
        """Return the clients that have been heard of lately, observers left out."""
        since_s = self._clock() - CLIENT_GONE_AFTER_S
        clients = list(self._clients.values())  # in one go: a scrape comes from another thread
        return [c for c in clients if c.heard_s >= since_s and c.role is not Role.OBSERVER]

    def is_ended_by_actor(self) -> bool:
        """Tell whether a callback has ended the run of an actor."""
        return any(c.role is Role.ACTOR and c.counters.get("end_reason") for c in self._clients.values())

    def errors(self) -> list[str]:
        """Return why the job fails: what clients say that they failed with, or that learner and Memory do not fit."""
        found = [self._failure, *(client.counters.get("error") for client in self._clients.values())]
        return [error for error in found if isinstance(error, str) and error]

    def knows(self, incarnation: bytes) -> bool:
        """Tell whether that client has said Hello."""
        return incarnation in self._clients

    def view(self) -> View:
        """Return what an observer sees: of clients that have just left, too."""
        self._forget_left()
        seen = {c.name: {**c.counters, "role": str(c.role)} for c in (*self._left.values(), *self.living())}
        return View(self._counters(), seen)

    def _shard_counters(self) -> dict[str, Any]:
        """Return what a learner with several shards draws by, as far as there is any."""
        mass = self._memory.priority_mass()
        return {
            **({} if mass is None else {"priority_mass": mass}),
            **({"withholds": True} if self._memory.flow.withholds else {}),
        }

    def _counters(self) -> dict[str, Any]:
        return {
            "memory_length": self._memory.length(),
            "inserted": sum(self._memory.inserted.values()),
            "storage_failed": self._storage_failed,
            **self._shard_counters(),
            **self._service_counters(),
        }

    def metrics(self) -> dict[str, Any]:
        """Return the values of `metrics.HOST`, from any thread."""
        memory = self._memory
        return {
            "srl_memory_length_items": self._length,
            "srl_memory_bytes": max(self._length, 0) * memory.item_bytes,
            "srl_inserted_items_total": memory.inserted,
            "srl_applied_chunks_total": self.count["apply"],
            "srl_duplicate_chunks_total": self.count["duplicate"],
            "srl_gap_chunks_total": self.count["gap"],
            "srl_batches_total": memory.batches,
            "srl_samples_total": sum(memory.batches.values()) * memory.flow.limiter.batch_items,
            "srl_batches_outstanding": sum(len(stream.kept) for stream in memory.streams.values()),
            "srl_batches_outstanding_bytes": sum(stream.kept_bytes for stream in memory.streams.values()),
            "srl_memory_has_room": self._has_room,
            "srl_updates_total": memory.updates,
            "srl_clients": {str(Role.ACTOR): 0, **Counter(str(client.role) for client in self.living())},
            "srl_strangers_total": self.count["strangers"],
            "srl_refused_total": self.count["refused"],
            "srl_undecodable_total": self.count["undecodable"],
            "srl_journal_failures_total": self.count["journal_failures"],
            "srl_checkpoints_total": memory.checkpoints,
            "srl_held_chunks": len(self._held),
            "srl_tunings_refused_total": self.count["tunings_refused"],
            **memory.flow.metrics(),
            **memory.journal_metrics(),
        }


def _short(digest: str) -> str:
    """Return enough of a digest to tell it from others, with the life of the job that may stand before it."""
    life, dash, digest = digest.rpartition("-")
    return f"{life}{dash}{digest[:12]}"
