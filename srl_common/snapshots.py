"""Snapshots of a parameter, the newest and some older ones of each job, in a store that all its processes can reach.

The learner publishes, actors wait for a newer version and fetch it. A learner first claims an epoch, which
fences its predecessors off: what they publish then is refused. So the version (epoch, train_count) grows.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias
from urllib.parse import urlsplit

from srl_common import codec
from srl_common.errors import (
    CorruptError,
    DecodeError,
    SettingError,
    StaleSnapshotError,
    UnknownVersionError,
    UserError,
)
from srl_common.retention import Retention

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Mapping

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
    """`created_s`, if it is there, is when it was made, in seconds since 1970."""
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
        return cls(epoch, train_count, digest_of(data), data, dict(meta or {}), worker_data)

    @property
    def version(self) -> Version:
        """(epoch, train_count), by which snapshots are ordered."""
        return self.epoch, self.train_count

    def verify(self) -> None:
        """Raise CorruptError unless `data` has the digest."""
        if digest_of(self.data) != self.digest:
            raise CorruptError(f"snapshot {self.version} is damaged: its bytes have another digest")

    def for_worker(self) -> Snapshot:
        """Return the part that actors need, as a snapshot of its own."""
        data = self.data if self.worker_data is None else self.worker_data
        return Snapshot.make(self.epoch, self.train_count, data, self.meta)

    def restored(self, epoch: int) -> Snapshot:
        """Return the same under a newer epoch, made now; `meta` says what it was."""
        origin: dict[str, Scalar] = {"created_s": time.time(), "restored_from": version_text(self.version)}
        return replace(self, epoch=epoch, meta={**self.meta, **origin})


@dataclass(frozen=True)
class SnapshotInfo:
    """What a list of snapshots shows of one."""

    version: Version
    created_s: float
    """Seconds since 1970, to the millisecond."""
    bytes: int
    """Of the whole and of the part for actors."""
    digest: str


class SnapshotStore(Protocol):
    """Where snapshots are. Every method raises StorageError when the store cannot be used.

    That is an AccessError when it does not let this process in, a FullError when it has no room. A store belongs to
    one thread at a time.
    """

    def claim_epoch(self, job: str) -> int:
        """Return a new epoch of `job`, greater than all before; those cannot publish any more."""

    def publish(self, job: str, snapshot: Snapshot) -> None:
        """Store `snapshot` as the newest of `job`; storing the very same again does nothing.

        Raises StaleSnapshotError when a newer epoch was claimed, or when the stored version is not older. Older ones
        are discarded as the store's Retention says.
        """

    def latest_version(self, job: str) -> Version | None:
        """Return (epoch, train_count) of the newest snapshot without fetching it."""

    def wait_for_newer(
        self, job: str, version: Version | None, timeout_s: float, ends: threading.Event | None = None
    ) -> Version | None:
        """Return the newest version as soon as it is newer than `version`, None when it does not come in time.

        Args:
            job: the name that snapshots are stored under.
            version: what the caller has; None: nothing.
            timeout_s: how long to wait at most.
            ends: set by another thread, it ends the wait, too.
        """

    def latest(self, job: str) -> Snapshot | None:
        """Return the newest snapshot. Raises CorruptError when it is damaged."""

    def latest_worker(self, job: str) -> Snapshot | None:
        """Return what actors need of the newest snapshot, as `data`. Raises CorruptError."""

    def versions(self, job: str) -> list[SnapshotInfo]:
        """Return what is kept of `job`, the newest last."""

    def get(self, job: str, version: Version) -> Snapshot:
        """Return a snapshot that is kept. Raises UnknownVersionError, which names those that are, and CorruptError."""

    def restore(self, job: str, version: Version) -> Version:
        """Publish a snapshot that is kept as the newest, under a new epoch. Returns its new version.

        A learner that trains `job` meanwhile is fenced off, and ends. Raises UnknownVersionError.
        """

    def jobs(self) -> list[str]:
        """Return the names that snapshots were stored or epochs claimed under."""

    def delete(self, job: str) -> None:
        """Forget `job`: its snapshots and its epochs."""

    def close(self) -> None:
        """Give connections and locks back."""


def open_store(uri: str, keys_dir: str = "", retention: Retention | None = None) -> SnapshotStore:
    """Return the store at memory://, dir:///folder or redis://host:port/db. Raises SettingError.

    Args:
        uri: where it is.
        keys_dir: the folder whose `redis.auth` has "user:password" for a Redis address without them; "": none.
        retention: which snapshots are kept when newer ones are published.
    """
    scheme = urlsplit(uri).scheme
    kept = retention or Retention()
    if scheme == "memory":
        from srl_common.memory_store import MemoryStore

        return MemoryStore(kept)
    if scheme == "dir" and uri.startswith("dir:///"):
        from srl_common.directory_store import DirectoryStore

        return DirectoryStore(Path(uri.removeprefix("dir://")), kept)
    if scheme in {"redis", "rediss", "unix"}:
        from srl_common.redis_store import RedisStore

        return RedisStore(uri, keys_dir, kept)
    raise SettingError(f"'{scheme}:' is no snapshot store: write memory://, dir:///folder or redis://host:port/db")


def version_text(version: Version) -> str:
    """Return a version as people write it: "2-1500"."""
    return f"{version[0]}-{version[1]}"


def parse_version(text: str) -> Version:
    """Return the version that `version_text` made the text of. Raises UserError."""
    epoch, _, train_count = text.partition("-")
    if not (epoch.isdecimal() and train_count.isdecimal()):
        raise UserError(f"'{text}' is no version of a snapshot: write epoch and train count, as in 2-1500")
    return int(epoch), int(train_count)


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# --- what the stores share


def check_newer(job: str, snapshot: Snapshot, claimed: int, stored: Head | None) -> bool:
    """Return whether `snapshot` is to be stored; False: it is there already. Raises StaleSnapshotError."""
    if snapshot.epoch < claimed:
        raise stale_error(job, snapshot.version, f"epoch {claimed} was claimed by another learner")
    if stored is None or snapshot.version > stored.version:
        return True
    if snapshot.version == stored.version and snapshot.digest == stored.info.digest:
        return False
    raise stale_error(job, snapshot.version, f"{stored.version} is stored")


def stale_error(job: str, version: Version, reason: str) -> StaleSnapshotError:
    return StaleSnapshotError(f"snapshot {version} of job {job} is refused: {reason}")


def unknown_version(job: str, version: Version, kept: Iterable[SnapshotInfo]) -> UnknownVersionError:
    names = ", ".join(version_text(info.version) for info in kept) or "none"
    return UnknownVersionError(f"snapshot {version_text(version)} of job {job} is not kept; there are: {names}")


def is_newer(version: Version | None, than: Version | None) -> bool:
    return version is not None and (than is None or version > than)


def restore(store: SnapshotStore, job: str, version: Version) -> Version:
    """Do what `SnapshotStore.restore` says, by its other methods."""
    snapshot = store.get(job, version)
    again = snapshot.restored(store.claim_epoch(job))
    store.publish(job, again)
    return again.version


@dataclass(frozen=True)
class Head:
    """All of a stored snapshot but its bytes."""

    info: SnapshotInfo
    worker_digest: str | None
    meta: Mapping[str, Scalar]

    @classmethod
    def of(cls, snapshot: Snapshot) -> Head:
        worker_data = snapshot.worker_data
        made = snapshot.meta.get("created_s")
        created_s = float(made) if isinstance(made, int | float) else time.time()
        size = len(snapshot.data) + len(worker_data or b"")
        info = SnapshotInfo(snapshot.version, round(created_s, 3), size, snapshot.digest)
        return cls(info, None if worker_data is None else digest_of(worker_data), dict(snapshot.meta))

    @classmethod
    def unpack(cls, data: bytes, where: str) -> Head:
        try:
            epoch, train_count, created_s, size, digest, worker_digest, meta = codec.unpack(data)
        except (DecodeError, TypeError, ValueError):
            raise damaged(where) from None
        return cls(SnapshotInfo((epoch, train_count), created_s, size, digest), worker_digest, meta)

    def pack(self) -> bytes:
        info = self.info
        return codec.pack([*info.version, info.created_s, info.bytes, info.digest, self.worker_digest, dict(self.meta)])

    @property
    def version(self) -> Version:
        return self.info.version

    def snapshot(self, data: bytes, worker_data: bytes | None) -> Snapshot:
        snapshot = Snapshot(*self.version, self.info.digest, data, self.meta, worker_data)
        snapshot.verify()
        if worker_data is not None:
            self.worker_snapshot(worker_data)
        return snapshot

    def worker_snapshot(self, data: bytes) -> Snapshot:
        snapshot = Snapshot(*self.version, self.worker_digest or self.info.digest, data, self.meta)
        snapshot.verify()
        return snapshot


def damaged(where: str) -> CorruptError:
    return CorruptError(f"the snapshot in {where} is damaged: delete it, or restore it")
