"""The author's Memory made durable: inserts exactly once, a journal of what changed it, numbered batches.

A recv function that *consumes* takes items out of the Memory (a queue). Its batches are numbered from 1, each making
is in the journal, and the batch is kept until a stored snapshot of the parameter contains it: a learner that dies has
its batches handed to the next one, and a host that dies makes the same ones again on replay. A function that does not
consume (a replay memory's) needs none of this.

The order of one insert: judged (duplicate? gap?), written to the journal, applied. Only then it may be acknowledged.
"""

from __future__ import annotations

import contextlib
import logging
import random
import secrets
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from services.hosting.endpoints import Endpoints
from services.hosting.flow import Flow
from srl.base.rl.config import DummyRLConfig
from srl_common import codec, messages
from srl_common.delivery import DedupeTable, Receiver, Verdict
from srl_common.errors import CorruptError, EncodeError, LostBatchesError, PeerError, StorageError, UserError
from srl_common.journal import Journal
from srl_common.messages import Batch, Call, Role
from srl_common.settings import HostSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from srl.base.rl.memory import RLMemory
    from srl_common.codec import Frame
    from srl_common.journal import Fsync

log = logging.getLogger("srl")

_CALL = b"C"
_SAMPLE = b"S"
_UPDATE = b"U"
_RESUME = b"R"
_LEFT_OUT = b"O"
_UPDATES = "(updates)"
"""Stands beside the names of recv functions in the position of a learner that hosts the Memory."""
_ROLES = {b"A": Role.ACTOR, b"L": Role.LEARNER}
_ROLE_BYTES = {role: byte for byte, role in _ROLES.items()}


@dataclass
class Stream:
    """The numbered batches of one recv function."""

    consumes: bool
    made: int = 0
    """Number of the newest batch."""
    released: int = 0
    """Up to here, batches are part of a stored snapshot."""
    kept: dict[int, list[Frame]] = field(default_factory=dict)
    """By number, the encoded messages of batches that are not released."""
    kept_bytes: int = 0
    unwritten: Any = None
    """A value that was taken out of the Memory, but could not be written to the journal yet."""

    def keep(self, number: int, frames: list[Frame]) -> None:
        """Keep a batch until it is released."""
        self.kept[number] = frames
        self.kept_bytes += sum(map(len, frames))

    def drop(self, number: int) -> None:
        """Let a batch go."""
        self.kept_bytes -= sum(map(len, self.kept.pop(number)))


@dataclass(frozen=True)
class Room:
    """How much may wait, so that a learner that is slow or away makes actors wait, and not the machine run full."""

    items: int
    """In a Memory that is consumed from..."""
    bytes: int
    """...and how many bytes they may have on the wire."""
    kept_bytes: int
    """In batches that no stored snapshot contains."""


UNBOUNDED = Room(sys.maxsize, sys.maxsize, sys.maxsize)


class DurableMemory:
    """One author's Memory with everything that makes it survive.

    Args:
        memory: the author's object, set up.
        job_digest: a journal of another job is refused.
        journal: open, its records not yet read; None: a kill loses what is in the Memory.
        window_calls: chunks that an actor may have under way.
        update_window_calls: calls that a learner may have under way.
        checkpoint_bytes: size of the journal at which a checkpoint is due.
        keeps_batches: the learner is another process, to which batches may have to be sent again.
        room: how much may wait for the learner; None: any amount.
        flow: who is held back when; None: nobody.
    """

    def __init__(
        self,
        memory: RLMemory[Any],
        job_digest: str,
        journal: Journal | None,
        window_calls: int,
        update_window_calls: int,
        checkpoint_bytes: int,
        *,
        keeps_batches: bool,
        room: Room | None = None,
        flow: Flow | None = None,
    ) -> None:
        self._memory = memory
        self._name = type(memory).__name__
        self._job_digest = job_digest
        self._journal = journal
        self._room = room or UNBOUNDED
        self.window_calls = window_calls
        self._checkpoint_bytes = self._checkpoint_at_bytes = checkpoint_bytes
        self._keeps_batches = keeps_batches
        self._can_checkpoint = True
        self._consumes = consumes(memory)
        self.endpoints = Endpoints(memory)
        self.streams = {name: Stream(recv.consumes) for name, recv in self.endpoints.recv.items()}
        self.flow = flow or Flow(DummyRLConfig(), HostSettings(), time.monotonic, consumes=self._consumes)
        self._dedupe = {Role.ACTOR: DedupeTable(window_calls), Role.LEARNER: DedupeTable(update_window_calls)}
        self.inserted = dict.fromkeys(self.endpoints.worker, 0)
        self.updates = dict.fromkeys(self.endpoints.send, 0)
        self.batches = dict.fromkeys(self.streams, 0)
        """Made in this life. Unlike the numbers of batches, that only grows: a learner may be set back."""
        self._weighed_items = self._weighed_bytes = 0
        """Of the chunks that this life has taken in, by which an item's size is known."""
        self._update_count = 0
        self.checkpoints = 0
        self.changes = 0
        """Grows with everything that may change what a recv function answers."""

    # --- inserts and updates

    def insert(self, role: Role, incarnation: bytes, call: Call, frames: Sequence[Frame]) -> Verdict:
        """Apply `call`, once, in order; `frames` is what it came as. Raises StorageError before anything changed."""
        self.endpoints.check(role, call)
        receiver = self._dedupe[role].receiver(incarnation)
        verdict = receiver.judge(call.seq)
        if verdict is Verdict.APPLY:
            apply = self.endpoints.bind(role, call)
            if self._consumes and role is Role.ACTOR and self.flow.staleness.is_too_old(call.version[1]):
                self._leave_out(incarnation, call, receiver)
                return verdict
            if self._journal is not None:
                self._journal.append([_CALL + _ROLE_BYTES[role] + incarnation, *frames])
            apply()
            self._applied(role, call, receiver, frames)
        return verdict

    def _leave_out(self, incarnation: bytes, call: Call, receiver: Receiver) -> None:
        """Take note of a chunk that is too old to be trained on, so that it may be acknowledged."""
        if self._journal is not None:
            self._journal.append([_LEFT_OUT + incarnation, codec.pack(call.seq)])
        receiver.applied(call.seq)
        self.flow.staleness.left_out_items += call.count

    def take_up(self, role: Role, incarnation: bytes, acked_seq: int) -> None:
        """Take up a client to which calls up to `acked_seq` were acknowledged by this host or an earlier life of it.

        Raises PeerError when they are missing here although there is a journal, which must have had them.
        """
        receiver = self._dedupe[role].receiver(incarnation)
        applied_seq, _ = receiver.ack(open=False)
        if acked_seq <= applied_seq:
            return
        if self._journal is not None:
            raise PeerError(
                f"call {acked_seq} was acknowledged, but the journal ends with call {applied_seq}: it is not the one "
                "that was written then; restore it, or start all services anew"
            )
        log.warning("without a journal, what calls %d to %d brought may be lost", applied_seq + 1, acked_seq)
        self._dedupe[role].load_data({**self._dedupe[role].to_data(), incarnation: acked_seq})

    def ack(self, role: Role, incarnation: bytes, *, leaving: bool = False) -> tuple[int, int]:
        """Return (applied_seq, limit_seq) for that client; without room, actors get no more credit.

        One that is leaving gets it all the same: what it still has is little, and no room may ever come.
        """
        is_open = leaving or role is not Role.ACTOR or self.has_room
        return self._dedupe[role].receiver(incarnation).ack(open=is_open)

    @property
    def has_room(self) -> bool:
        """Whether the Memory may take more: what waits in one that is consumed from is bounded, in items and bytes."""
        if not self._memory.has_room():
            return False
        if not self._consumes:
            return True
        waiting = self._memory.length()
        return waiting < self._room.items and waiting * self.item_bytes < self._room.bytes

    @property
    def item_bytes(self) -> float:
        """About how many bytes an item has on the wire; 0 before the first one."""
        return self._weighed_bytes / self._weighed_items if self._weighed_items else 0.0

    @property
    def may_make_batches(self) -> bool:
        """Whether more batches may be handed out: those that no stored snapshot contains are bounded, in bytes."""
        return not self._consumes or sum(each.kept_bytes for each in self.streams.values()) < self._room.kept_bytes

    def forget(self, role: Role, incarnation: bytes) -> None:
        """Drop what is known of a client that said Bye."""
        self._dedupe[role].forget(incarnation)

    def _applied(self, role: Role, call: Call, receiver: Receiver, frames: Sequence[Frame]) -> None:
        receiver.applied(call.seq)
        self.changes += 1
        if role is Role.ACTOR:
            self.inserted[call.endpoint] += call.count
            self._weighed_items += call.count
            self._weighed_bytes += sum(map(len, frames))
            self.flow.limiter.on_inserted(call.count)
            self.flow.staleness.on_inserted(call.count, call.version[1], self._memory.length())
        else:
            self.updates[call.endpoint] += call.count

    # --- batches

    def sample(self, endpoint: str) -> Any:
        """Return the next batch of a recv function, or None for not yet. Raises StorageError, losing nothing.

        Where the learner is another process, it is in the form in which it travels.
        """
        stream = self.streams[endpoint]
        value = stream.unwritten
        if value is None:
            value = self._call_recv(endpoint) if self.flow.may_sample(self._memory.has_room) else None
            if value is None:
                return None
        if stream.consumes and self._journal is not None:
            stream.unwritten = value
            self._journal.append([_SAMPLE, codec.pack([endpoint, stream.made + 1])])
            stream.unwritten = None
        self._made(stream, stream.made + 1)
        self.batches[endpoint] += 1
        return value

    def _call_recv(self, endpoint: str) -> Any:
        recv = self.endpoints.recv[endpoint]
        value = recv.encoded() if self._keeps_batches and recv.encoded is not None else recv.func()
        if value is None:
            self.flow.limiter.on_nothing()
        return value

    def _made(self, stream: Stream, number: int) -> None:
        stream.made = number
        self.flow.limiter.on_sampled()
        self.flow.staleness.on_sampled(self._memory.length() if self._consumes else -1)

    def make_batch(self, endpoint: str) -> list[Frame] | None:
        """Return the next batch as an encoded message, kept if it must be; None for not yet."""
        value = self.sample(endpoint)
        return None if value is None else self._encode_batch(endpoint, value)

    def _encode_batch(self, endpoint: str, value: Any) -> list[Frame]:
        stream = self.streams[endpoint]
        try:
            frames = messages.encode(Batch(endpoint, stream.made, value))
        except EncodeError as error:
            raise EncodeError(f"{self._name}.{endpoint} returned a value that cannot travel: {error}") from None
        if stream.consumes:
            stream.keep(stream.made, frames)
        return frames

    def release(self, endpoint: str, number: int) -> None:
        """Forget the batches up to `number`: a stored snapshot contains them."""
        stream = self.streams[endpoint]
        stream.released = max(stream.released, number)
        for each in [each for each in stream.kept if each <= number]:
            stream.drop(each)

    def resume(self, endpoint: str, released: int, received: int) -> list[list[Frame]]:
        """Take up a learner that has `received` batches. Returns the kept ones that it has not.

        Raises LostBatchesError when some of those are gone: its snapshots are older than the journal.
        """
        stream = self.streams[endpoint]
        if stream.consumes and received < stream.released:
            raise LostBatchesError(
                f"the learner has {received} batches of {endpoint}, but those up to {stream.released} were released: "
                "its snapshots are gone or older than the journal; resume the job, which then begins with an empty "
                "Memory (without a board: set SRL_JOURNAL_DIR to an empty folder)"
            )
        self.release(endpoint, released)
        self._resume_at(stream, max(stream.made, received) if stream.consumes else received)
        return [frames for number, frames in sorted(stream.kept.items()) if number > received]

    def _resume_at(self, stream: Stream, number: int) -> None:
        """Go on after batch `number`: the learner has it, or has been set back to it."""
        batches, stream.made = number - stream.made, number
        self.flow.limiter.on_resumed(batches)

    def update(self, endpoint: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Call a trainer's send function of a learner that hosts this Memory. Raises StorageError, EncodeError."""
        if self._journal is not None:
            self._journal.append([_UPDATE, codec.pack([_UPDATES, self._update_count + 1, endpoint, args, kwargs])])
        self._update_count += 1
        self.updates[endpoint] += 1
        self.changes += 1
        self.endpoints.send[endpoint](*args, **kwargs)

    def position(self) -> dict[str, int]:
        """Return how far the learner that hosts this Memory is: batches by recv function, and updates."""
        return {_UPDATES: self._update_count, **{name: stream.made for name, stream in self.streams.items()}}

    # --- checkpoint and recovery

    @property
    def journal_bytes(self) -> int:
        return self._journal.size_bytes if self._journal is not None else 0

    @property
    def journal_records(self) -> int:
        return self._journal.records if self._journal is not None else 0

    def journal_metrics(self) -> dict[str, Any]:
        """Return the values of those of `metrics.HOST` that are about the journal; none where there is none."""
        journal = self._journal
        if journal is None:
            return {}
        values = {
            "srl_journal_bytes": journal.size_bytes,
            "srl_journal_records_total": journal.appended_records,
            "srl_journal_written_bytes_total": journal.appended_bytes,
            "srl_journal_fsync_seconds": journal.fsync_seconds,
        }
        with contextlib.suppress(StorageError):  # a disk that does not even say how full it is
            free, size = journal.disk_bytes()
            values |= {"srl_journal_disk_free_bytes": free, "srl_journal_disk_size_bytes": size}
        return values

    @property
    def checkpoint_due(self) -> bool:
        return self._can_checkpoint and self.journal_bytes >= self._checkpoint_at_bytes

    def sync(self, now_s: float) -> None:
        """Force the journal to disk if that is due."""
        if self._journal is not None:
            self._journal.sync(now_s)

    def checkpoint_if_due(self) -> None:
        """Cut a long journal by a checkpoint. What the disk refuses is tried again when the journal has grown."""
        if self.checkpoint_due:
            try:
                self.checkpoint()
            except StorageError as error:
                self._checkpoint_at_bytes = self.journal_bytes + self._checkpoint_bytes
                log.warning("the journal goes on without a checkpoint: %s", error)

    def checkpoint(self) -> None:
        """Write the whole state, and begin the journal anew. A Memory without call_backup keeps its journal.

        Raises StorageError, losing nothing.
        """
        if self._journal is None:
            return
        try:
            backup = self._memory.backup()
        except NotImplementedError:
            self._can_checkpoint = False
            log.warning("%s has no call_backup: its journal grows until the job ends", self._name)
            return
        try:
            self._write_checkpoint(backup)
        except EncodeError as error:
            raise EncodeError(f"{self._name}.call_backup returned a value that cannot travel: {error}") from None

    def _write_checkpoint(self, backup: Any) -> None:
        assert self._journal is not None
        seed = secrets.randbits(32)
        state = {
            "job": self._job_digest,
            "seed": seed,
            "memory": backup,
            "dedupe": {str(role): table.to_data() for role, table in self._dedupe.items()},
            "streams": {name: (stream.made, stream.released) for name, stream in self.streams.items()},
            "kept": {
                name: {number: codec.join_frames(frames) for number, frames in stream.kept.items()}
                for name, stream in self.streams.items()
            },
            "inserted": self.inserted,
            "updates": self.updates,
            "update_count": self._update_count,
            "flow": self.flow.to_data(),
        }
        self._journal.checkpoint([codec.pack(state)])
        self._checkpoint_at_bytes = self._checkpoint_bytes
        self.checkpoints += 1
        self._seed(seed)

    def recover(self, position: Mapping[str, int] | None = None) -> None:
        """Load the checkpoint and replay the journal; with none, begin one.

        Args:
            position: only where the learner hosts the Memory: the last batch of each recv function that its snapshot
                contains. Later ones are not made again: their items stay in the Memory.
        """
        if self._journal is not None:
            self._recover_from(self._journal, position)
        for name, number in (position or {}).items():
            if name in self.streams:
                self._resume_at(self.streams[name], max(self.streams[name].made, number))
        self._update_count = max(self._update_count, (position or {}).get(_UPDATES, 0))
        self.flow.limiter.on_found(self._memory.length())

    def _recover_from(self, journal: Journal, position: Mapping[str, int] | None) -> None:
        saved = journal.read_checkpoint()
        records = list(journal.replay())
        if journal.cut_bytes:
            log.warning("the journal ended in a torn record: %d bytes cut", journal.cut_bytes)
        if saved is None:
            self._write_checkpoint(None)
            return
        self._load(codec.unpack(saved[0], codec.UNLIMITED))
        void = _void_records(records, position) if position is not None else frozenset()
        for index, record in enumerate(records):
            if index not in void:
                self._replay(record)
        if position is not None:
            journal.append([_RESUME, codec.pack(dict(position))])
        log.info("recovered the Memory: %d items, %d journal records replayed", self._memory.length(), len(records))

    def _load(self, state: dict[str, Any]) -> None:
        if state["job"] != self._job_digest:
            raise UserError(
                f"the journal belongs to another job (digest {state['job'][:12]}, here: {self._job_digest[:12]}): "
                "set SRL_JOURNAL_DIR to another folder, or remove this one if its data is not wanted"
            )
        if state["memory"] is not None:
            self._memory.restore(state["memory"])
        for role, table in state["dedupe"].items():
            self._dedupe[Role(role)].load_data(table)
        for name, (made, released) in state["streams"].items():
            if name in self.streams:
                self.streams[name].made, self.streams[name].released = made, released
                kept = state["kept"][name].items()
                for number, data in kept:
                    self.streams[name].keep(number, codec.split_frames(data))
        self.inserted.update(state["inserted"])
        self.updates.update(state["updates"])
        self._update_count = state["update_count"]
        self.flow.load_data(state["flow"])
        self._seed(state["seed"])

    def _seed(self, seed: int) -> None:
        # An author's consuming `sample` that draws from the global generators draws the same again on replay.
        if self._keeps_batches:
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002  authors use the global generator

    def _replay(self, record: Sequence[Frame]) -> None:
        tag = bytes(record[0])
        if tag == _SAMPLE:
            self._replay_sample(*codec.unpack(record[1]))
        elif tag == _UPDATE:
            _, self._update_count, endpoint, args, kwargs = codec.unpack(record[1])
            self.endpoints.send[endpoint](*args, **kwargs)
        elif tag[:1] == _CALL:
            call = messages.decode(record[1:])
            if not isinstance(call, Call):
                raise CorruptError(f"the journal holds a {type(call).__name__} where a Call was written")
            role = _ROLES[tag[1:2]]
            self.endpoints.bind(role, call)()
            self._applied(role, call, self._dedupe[role].receiver(tag[2:]), record[1:])
        elif tag[:1] == _LEFT_OUT:
            self._dedupe[Role.ACTOR].receiver(tag[1:]).applied(codec.unpack(record[1]))
        elif tag != _RESUME:
            raise CorruptError(f"the journal holds a record of an unknown kind: {tag[:1]!r}")

    def _replay_sample(self, endpoint: str, number: int) -> None:
        value = self._call_recv(endpoint)
        self._made(self.streams[endpoint], number)
        if value is not None and self._keeps_batches and number > self.streams[endpoint].released:
            self._encode_batch(endpoint, value)

    # --- the author's object

    def length(self) -> int:
        """Return the number of items in the Memory, -1 when it does not say."""
        return self._memory.length()

    def priority_mass(self) -> float | None:
        """Return what the priorities of all items add up to; None where items are not chosen in proportion to any."""
        return self._memory.priority_mass()

    def close(self) -> None:
        """Close the journal."""
        if self._journal is not None:
            self._journal.close()


def open_durable_memory(
    memory: RLMemory[Any], job_digest: str, settings: HostSettings, *, keeps_batches: bool
) -> DurableMemory:
    """Return `memory` with the journal and the windows that the settings ask for, not yet recovered."""
    journal = None
    if settings.journal == "on":
        fsync = cast("Fsync", settings.journal_fsync)
        journal = Journal(Path(settings.journal_dir), fsync, settings.journal_fsync_interval_s)
    room = Room(settings.queue_items, settings.queue_bytes, settings.kept_bytes)
    flow = Flow(memory.config, settings, time.monotonic, consumes=consumes(memory))
    return DurableMemory(
        memory, job_digest, journal,
        settings.window_calls, settings.update_window_calls, settings.checkpoint_bytes,
        keeps_batches=keeps_batches, room=room, flow=flow,
    )  # fmt: skip


def consumes(memory: RLMemory[Any]) -> bool:
    """Tell whether a recv function takes items out of the Memory."""
    return any(recv.consumes for recv in memory.get_trainer_recv_funcs().values())


def _void_records(records: Sequence[Sequence[Frame]], position: Mapping[str, int]) -> frozenset[int]:
    """Return the indices of what the learner did after its last snapshot, and what is therefore undone.

    A later life numbers its batches and updates from the snapshot it resumed from, hence the walk from the end.
    """
    limits, void = dict(position), set()
    for index in range(len(records) - 1, -1, -1):
        tag = bytes(records[index][0])
        if tag == _RESUME:
            resumed: dict[str, int] = codec.unpack(records[index][1])
            limits = {name: min(limit, resumed.get(name, 0)) for name, limit in limits.items()}
        elif tag in {_SAMPLE, _UPDATE}:
            name, number, *_ = codec.unpack(records[index][1])
            if number > limits.get(name, 0):
                void.add(index)
    return frozenset(void)
