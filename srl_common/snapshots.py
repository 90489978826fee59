"""Snapshots of a parameter, the newest of each job, in a store that all processes of the job can reach.

The learner publishes, actors look for a newer version and fetch it. A learner first claims an epoch, which
fences its predecessors off: what they publish then is refused. So the version (epoch, train_count) grows.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias
from urllib.parse import quote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from srl_common import codec
from srl_common.errors import CorruptError, DecodeError, SettingError, StaleSnapshotError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Version: TypeAlias = tuple[int, int]
Scalar: TypeAlias = bool | int | float | str | bytes | None

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 30.0


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
        return DirectoryStore(Path(uri.removeprefix("dir://")))
    if scheme in {"redis", "rediss", "unix"}:
        return RedisStore(uri)
    raise SettingError(f"'{scheme}:' is no snapshot store: write memory://, dir:///folder or redis://host:port/db")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _check_newer(job: str, snapshot: Snapshot, claimed: int, stored: Snapshot | _Head | None) -> bool:
    """Return whether `snapshot` is to be stored; False: it is there already. Raises StaleSnapshotError."""
    if snapshot.epoch < claimed:
        raise _stale(job, snapshot.version, f"epoch {claimed} was claimed by another learner")
    if stored is None or snapshot.version > stored.version:
        return True
    if snapshot.version == stored.version and snapshot.digest == stored.digest:
        return False
    raise _stale(job, snapshot.version, f"{stored.version} is stored")


def _stale(job: str, version: Version, reason: str) -> StaleSnapshotError:
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
            if _check_newer(job, snapshot, claimed, self._snapshots.get(job)):
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
class _Head:
    """All of a stored snapshot but its bytes."""

    epoch: int
    train_count: int
    digest: str
    worker_digest: str | None
    meta: dict[str, Scalar]

    @classmethod
    def of(cls, snapshot: Snapshot) -> _Head:
        worker_digest = None if snapshot.worker_data is None else _digest(snapshot.worker_data)
        return cls(*snapshot.version, snapshot.digest, worker_digest, dict(snapshot.meta))

    @classmethod
    def unpack(cls, data: bytes, where: str) -> _Head:
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


class DirectoryStore:
    """A store in a folder, for the processes of one machine or of machines that share it with working locks.

    A job has a folder of its own: `epoch`, `head` (all of the newest snapshot but its bytes), and in
    `data-<version>` and `worker-<version>` the bytes. The `head` is written after its bytes, in one step.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with self._refusals():
            folder.mkdir(parents=True, exist_ok=True)

    def claim_epoch(self, job: str) -> int:
        """Return a new epoch."""
        with self._refusals(), self._writing(job) as folder:
            epoch = _read_epoch(folder) + 1
            _write_whole(folder / "epoch", b"%d" % epoch)
            return epoch

    def publish(self, job: str, snapshot: Snapshot) -> None:
        """Store `snapshot`, or raise StaleSnapshotError."""
        with self._refusals(), self._writing(job) as folder:
            claimed = _read_epoch(folder)
            if _check_newer(job, snapshot, claimed, _read_head(folder)):
                if snapshot.epoch > claimed:
                    _write_whole(folder / "epoch", b"%d" % snapshot.epoch)
                _write_snapshot(folder, snapshot)

    def latest_version(self, job: str) -> Version | None:
        """Return the newest version."""
        with self._refusals():
            head = _read_head(self._job_folder(job))
        return None if head is None else head.version

    def latest(self, job: str) -> Snapshot | None:
        """Return the newest snapshot."""
        with self._refusals(), self._reading(job) as (folder, head):
            if head is None:
                return None
            worker_data = None if head.worker_digest is None else _part_path(folder, "worker", head).read_bytes()
            return head.snapshot(_part_path(folder, "data", head).read_bytes(), worker_data)

    def latest_worker(self, job: str) -> Snapshot | None:
        """Return the newest snapshot's part for actors."""
        with self._refusals(), self._reading(job) as (folder, head):
            if head is None:
                return None
            part = "data" if head.worker_digest is None else "worker"
            return head.worker_snapshot(_part_path(folder, part, head).read_bytes())

    def delete(self, job: str) -> None:
        """Forget `job`."""
        with self._refusals(), contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._job_folder(job))

    def close(self) -> None:
        """Do nothing: files are open only while a method runs."""

    @contextlib.contextmanager
    def _writing(self, job: str) -> Iterator[Path]:
        folder = self._job_folder(job)
        folder.mkdir(exist_ok=True)
        with _locked(folder, os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX):
            yield folder

    @contextlib.contextmanager
    def _reading(self, job: str) -> Iterator[tuple[Path, _Head | None]]:
        folder = self._job_folder(job)
        if _read_head(folder) is None:
            yield folder, None
            return
        with _locked(folder, os.O_RDONLY, fcntl.LOCK_SH):
            yield folder, _read_head(folder)

    def _job_folder(self, job: str) -> Path:
        return self._folder / f"job-{quote(job, safe='')}"

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(
                f"the snapshot store {self._folder} cannot be used: {error.strerror}; "
                "free space there, allow writing, or point SRL_STORE elsewhere"
            ) from error


def _write_snapshot(folder: Path, snapshot: Snapshot) -> None:
    head = _Head.of(snapshot)
    parts = {"data": snapshot.data, "worker": snapshot.worker_data}
    kept = {_part_path(folder, name, head): data for name, data in parts.items() if data is not None}
    for path, data in kept.items():
        _write_whole(path, data)
    _write_whole(folder / "head", head.pack())
    for path in {*folder.glob("data-*"), *folder.glob("worker-*")} - kept.keys():
        path.unlink()


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a crash leaves the old or the new one."""
    temporary = path.with_name(f"{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)


def _part_path(folder: Path, name: str, head: _Head) -> Path:
    return folder / f"{name}-{head.epoch}-{head.train_count}"


def _read_head(folder: Path) -> _Head | None:
    try:
        data = (folder / "head").read_bytes()
    except FileNotFoundError:
        return None
    return _Head.unpack(data, str(folder))


def _read_epoch(folder: Path) -> int:
    try:
        return int((folder / "epoch").read_bytes())
    except FileNotFoundError:
        return 0
    except ValueError:
        raise CorruptError(f"{folder / 'epoch'} holds no number: write the highest epoch that was used") from None


@contextlib.contextmanager
def _locked(folder: Path, flags: int, kind: int) -> Iterator[None]:
    file = os.open(folder / "lock", flags | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(file, kind)
        yield
    finally:
        os.close(file)


_PUBLISH = """
local claimed = tonumber(redis.call('GET', KEYS[1]) or '0')
local epoch, train_count = tonumber(ARGV[1]), tonumber(ARGV[2])
if epoch < claimed then
  return 'epoch ' .. claimed .. ' was claimed by another learner'
end
local old = redis.call('HMGET', KEYS[2], 'epoch', 'train_count', 'digest')
if old[1] then
  local old_epoch, old_count = tonumber(old[1]), tonumber(old[2])
  if epoch == old_epoch and train_count == old_count and ARGV[3] == old[3] then
    return ''
  end
  if epoch < old_epoch or (epoch == old_epoch and train_count <= old_count) then
    return '(' .. old[1] .. ', ' .. old[2] .. ') is stored'
  end
end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'epoch', ARGV[1], 'train_count', ARGV[2], 'digest', ARGV[3], 'head', ARGV[4],
           'data', ARGV[5])
if ARGV[6] then
  redis.call('HSET', KEYS[2], 'worker', ARGV[6])
end
return ''
"""
"""Compares and sets in one step. Returns why the snapshot is refused, or nothing."""


class RedisStore:
    """A store in Redis. A job has two keys: the claimed epoch, and a hash with the newest snapshot.

    Args:
        url: redis://user:password@host:port/db, rediss:// or unix://. Connects at the first call.
    """

    def __init__(self, url: str) -> None:
        self._where = _without_password(url)
        try:
            self._redis = redis.Redis.from_url(
                url,
                socket_connect_timeout=CONNECT_TIMEOUT_S,
                socket_timeout=ANSWER_TIMEOUT_S,
                retry=Retry(NoBackoff(), 1),  # one, at once: for a connection that Redis dropped while idle
            )
        except ValueError:
            raise SettingError(f"{self._where} is no Redis address: redis://user:password@host:port/db") from None
        self._publish = self._redis.register_script(_PUBLISH)

    def claim_epoch(self, job: str) -> int:
        """Return a new epoch."""
        with self._refusals():
            return int(self._redis.incr(_epoch_key(job)))

    def publish(self, job: str, snapshot: Snapshot) -> None:
        """Store `snapshot`, or raise StaleSnapshotError."""
        arguments = [*snapshot.version, snapshot.digest, _Head.of(snapshot).pack(), snapshot.data]
        if snapshot.worker_data is not None:
            arguments.append(snapshot.worker_data)
        with self._refusals():
            refusal = self._publish(keys=[_epoch_key(job), _snapshot_key(job)], args=arguments)
        if refusal:
            raise _stale(job, snapshot.version, refusal.decode())

    def latest_version(self, job: str) -> Version | None:
        """Return the newest version."""
        epoch, train_count = self._fetch(job, "epoch", "train_count")
        return None if epoch is None or train_count is None else (int(epoch), int(train_count))

    def latest(self, job: str) -> Snapshot | None:
        """Return the newest snapshot."""
        packed, data, worker_data = self._fetch(job, "head", "data", "worker")
        if packed is None or data is None:
            return None
        return self._unpack_head(packed, job).snapshot(data, worker_data)

    def latest_worker(self, job: str) -> Snapshot | None:
        """Return the newest snapshot's part for actors."""
        packed, data = self._fetch(job, "head", "worker")
        if packed is not None and data is not None:
            return self._unpack_head(packed, job).worker_snapshot(data)
        snapshot = self.latest(job)
        return None if snapshot is None else snapshot.for_worker()

    def delete(self, job: str) -> None:
        """Forget `job`."""
        with self._refusals():
            self._redis.delete(_epoch_key(job), _snapshot_key(job))

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def _fetch(self, job: str, *names: str) -> list[bytes | None]:
        with self._refusals():
            values: list[bytes | None] = self._redis.hmget(_snapshot_key(job), names)
        return values

    def _unpack_head(self, packed: bytes, job: str) -> _Head:
        return _Head.unpack(packed, f"{self._where}, key {_snapshot_key(job)}")

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except redis.RedisError as error:
            raise StorageError(
                f"the snapshot store {self._where} cannot be used: {error}; "
                "see that Redis runs there and has memory, or correct SRL_STORE"
            ) from error


def _epoch_key(job: str) -> str:
    # The braces keep both keys of a job on one node of a Redis cluster.
    return f"srl:{{{job}}}:epoch"


def _snapshot_key(job: str) -> str:
    return f"srl:{{{job}}}:snapshot"


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
