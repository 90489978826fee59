"""Snapshots of a parameter, the newest of each job, in a store that all processes of the job can reach.

The learner publishes, actors look for a newer version and fetch it. A learner first claims an epoch, which
fences its predecessors off: what they publish then is refused. So the version (epoch, train_count) grows.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias
from urllib.parse import urlsplit

from srl_common import codec
from srl_common.errors import CorruptError, DecodeError, SettingError, StaleSnapshotError

if TYPE_CHECKING:
    from collections.abc import Mapping

Version: TypeAlias = tuple[int, int]
Scalar: TypeAlias = bool | int | float | str | bytes | None


@dataclass(frozen=True)
class Snapshot:
    """One version of a parameter as bytes; made with `make`, which knows the digest."""

    epoch: int
    """Number of the learner's life that made it."""
    train_count: int
    digest: str
    """SHA-256 of `data`, in hex."""
    data: bytes
    meta: Mapping[str, Scalar] = field(default_factory=dict)
    worker_data: bytes | None = None
    """What actors need, when that is less than `data`."""

    @classmethod
    def make(
        cls,
        epoch: int,
        train_count: int,
        data: bytes,
        meta: Mapping[str, Scalar] | None = None,
        worker_data: bytes | None = None,
    ) -> Snapshot:
        """Return a snapshot of `data` with its digest."""
        return cls(epoch, train_count, _digest(data), data, dict(meta or {}), worker_data)

    @property
    def version(self) -> Version:
        """(epoch, train_count), by which snapshots are ordered."""
        return self.epoch, self.train_count

    def verify(self) -> None:
        """Raise CorruptError unless `data` has the digest."""
        if _digest(self.data) != self.digest:
            raise CorruptError(f"snapshot {self.version} is damaged: its bytes have another digest")

    def for_worker(self) -> Snapshot:
        """Return the part that actors need, as a snapshot of its own."""
        data = self.data if self.worker_data is None else self.worker_data
        return Snapshot.make(self.epoch, self.train_count, data, self.meta)


class SnapshotStore(Protocol):
    """Where snapshots are. Every method raises StorageError when the store cannot be used."""

    def claim_epoch(self, job: str) -> int:
        """Return a new epoch of `job`, greater than all before; those cannot publish any more."""

    def publish(self, job: str, snapshot: Snapshot) -> None:
        """Store `snapshot` as the newest of `job`; storing the very same again does nothing.

        Raises StaleSnapshotError when a newer epoch was claimed, or when the stored version is not older.
        """

    def latest_version(self, job: str) -> Version | None:
        """Return (epoch, train_count) of the newest snapshot without fetching it."""

    def latest(self, job: str) -> Snapshot | None:
        """Return the newest snapshot. Raises CorruptError when it is damaged."""

    def latest_worker(self, job: str) -> Snapshot | None:
        """Return what actors need of the newest snapshot, as `data`. Raises CorruptError."""

    def delete(self, job: str) -> None:
        """Forget `job`: its snapshot and its epochs."""

    def close(self) -> None:
        """Give connections and locks back."""


def open_store(uri: str) -> SnapshotStore:
    """Return the store at memory://, dir:///folder or redis://host:port/db. Raises SettingError."""
    scheme = urlsplit(uri).scheme
    if scheme == "memory":
        return MemoryStore()
    if scheme == "dir" and uri.startswith("dir:///"):
        from srl_common.directory_store import DirectoryStore

        return DirectoryStore(Path(uri.removeprefix("dir://")))
    if scheme in {"redis", "rediss", "unix"}:
        from srl_common.redis_store import RedisStore

        return RedisStore(uri)
    raise SettingError(f"'{scheme}:' is no snapshot store: write memory://, dir:///folder or redis://host:port/db")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def check_newer(job: str, snapshot: Snapshot, claimed: int, stored: Snapshot | Head | None) -> bool:
    """Return whether `snapshot` is to be stored; False: it is there already. Raises StaleSnapshotError."""
    if snapshot.epoch < claimed:
        raise stale_error(job, snapshot.version, f"epoch {claimed} was claimed by another learner")
    if stored is None or snapshot.version > stored.version:
        return True
    if snapshot.version == stored.version and snapshot.digest == stored.digest:
        return False
    raise stale_error(job, snapshot.version, f"{stored.version} is stored")


def stale_error(job: str, version: Version, reason: str) -> StaleSnapshotError:
    return StaleSnapshotError(f"snapshot {version} of job {job} is refused: {reason}")


class MemoryStore:
    """A store in this process, for its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._epochs: dict[str, int] = {}
        self._snapshots: dict[str, Snapshot] = {}

    def claim_epoch(self, job: str) -> int:
        """Return a new epoch."""
        with self._lock:
            self._epochs[job] = self._epochs.get(job, 0) + 1
            return self._epochs[job]

    def publish(self, job: str, snapshot: Snapshot) -> None:
        """Store `snapshot`, or raise StaleSnapshotError."""
        with self._lock:
            claimed = self._epochs.get(job, 0)
            if check_newer(job, snapshot, claimed, self._snapshots.get(job)):
                self._epochs[job] = max(claimed, snapshot.epoch)
                self._snapshots[job] = snapshot

    def latest_version(self, job: str) -> Version | None:
        """Return the newest version."""
        snapshot = self._snapshots.get(job)
        return None if snapshot is None else snapshot.version

    def latest(self, job: str) -> Snapshot | None:
        """Return the newest snapshot."""
        snapshot = self._snapshots.get(job)
        if snapshot is not None:
            snapshot.verify()
        return snapshot

    def latest_worker(self, job: str) -> Snapshot | None:
        """Return the newest snapshot's part for actors."""
        snapshot = self.latest(job)
        return None if snapshot is None else snapshot.for_worker()

    def delete(self, job: str) -> None:
        """Forget `job`."""
        with self._lock:
            self._epochs.pop(job, None)
            self._snapshots.pop(job, None)

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""


@dataclass(frozen=True)
class Head:
    """All of a stored snapshot but its bytes."""

    epoch: int
    train_count: int
    digest: str
    worker_digest: str | None
    meta: dict[str, Scalar]

    @classmethod
    def of(cls, snapshot: Snapshot) -> Head:
        worker_digest = None if snapshot.worker_data is None else _digest(snapshot.worker_data)
        return cls(*snapshot.version, snapshot.digest, worker_digest, dict(snapshot.meta))

    @classmethod
    def unpack(cls, data: bytes, where: str) -> Head:
        try:
            head = cls(*codec.unpack(data))
        except (DecodeError, TypeError):
            raise CorruptError(f"the snapshot in {where} is damaged: delete it, or restore it") from None
        return head

    def pack(self) -> bytes:
        return codec.pack([self.epoch, self.train_count, self.digest, self.worker_digest, self.meta])

    @property
    def version(self) -> Version:
        return self.epoch, self.train_count

    def snapshot(self, data: bytes, worker_data: bytes | None) -> Snapshot:
        snapshot = Snapshot(*self.version, self.digest, data, self.meta, worker_data)
        snapshot.verify()
        if worker_data is not None:
            self.worker_snapshot(worker_data)
        return snapshot

    def worker_snapshot(self, data: bytes) -> Snapshot:
        snapshot = Snapshot(*self.version, self.worker_digest or self.digest, data, self.meta)
        snapshot.verify()
        return snapshot
