"""Snapshots in Redis: for machines that share nothing else.

The keys of a job, which the braces keep on one node of a Redis cluster:

    srl:{JOB}:epoch             the claimed epoch
    srl:{JOB}:index             sorted set: one entry for each snapshot that is kept, in the order of versions
    srl:{JOB}:head:EPOCH-COUNT  all of a snapshot but its bytes, and the token of its pieces
    srl:{JOB}:data:TOKEN:N      the bytes, in pieces
    srl:{JOB}:worker:TOKEN:N    the bytes of the part for actors

and the channel `srl:{JOB}:changed`, which says the version that was published.

A snapshot's pieces are written first, under a token of their own and with a time to live; one script then compares
versions, writes head and entry, and makes the pieces last. So no attempt touches what another one stored, and what
a publisher leaves that is killed goes by itself.

Commands: writers use GET, SET, DEL, INCR, ZRANGE and EVAL, and in the scripts also EXISTS, ZADD, ZREM, PERSIST and
PUBLISH; readers use GET, ZRANGE and SUBSCRIBE, and run no script. `jobs` uses SCAN.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from typing import TYPE_CHECKING

import redis

from srl_common.errors import CorruptError, FullError, StorageError
from srl_common.redis_connection import connect, without_password
from srl_common.redis_layout import (
    EPOCH_KEYS,
    Record,
    channel,
    entry,
    epoch_key,
    head_key,
    index_key,
    job_of,
    read_entry,
    split,
)
from srl_common.redis_refusals import explained
from srl_common.redis_watch import RedisWatch
from srl_common.retention import Retention
from srl_common.snapshots import (
    Head,
    Snapshot,
    SnapshotInfo,
    Version,
    is_newer,
    restore,
    stale_error,
    unknown_version,
    version_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIECE_BYTES = 8 << 20
PIECE_TTL_S = 600
"""How long the pieces of a snapshot that is not finished stay."""
FETCH_ATTEMPTS = 10
"""How often a reader begins anew because the snapshot that it fetches is discarded meanwhile."""

_NO_EVICTION = "set the maxmemory-policy of that Redis to noeviction"

_COMMIT = """
local epoch, train_count = tonumber(ARGV[1]), tonumber(ARGV[2])
local claimed = tonumber(redis.call('GET', KEYS[1]) or '0')
if epoch < claimed then
  return {'stale', string.format('epoch %d was claimed by another learner', claimed)}
end
local newest = redis.call('ZRANGE', KEYS[2], -1, -1)[1]
if newest then
  local old_epoch, old_count, digest = string.match(newest, '^(%d+):(%d+):[^:]*:[^:]*:(.*)$')
  old_epoch, old_count = tonumber(old_epoch), tonumber(old_count)
  if epoch == old_epoch and train_count == old_count then
    if redis.call('GET', KEYS[3]) == ARGV[5] then
      return {'stored', ''}
    elseif digest == ARGV[3] then
      return {'known', ''}
    end
  end
  if epoch < old_epoch or (epoch == old_epoch and train_count <= old_count) then
    return {'stale', string.format('(%d, %d) is stored', old_epoch, old_count)}
  end
end
for i = 4, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 0 then
    return {'lost', ''}
  end
end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('SET', KEYS[3], ARGV[5])
redis.call('ZADD', KEYS[2], 0, ARGV[4])
for i = 4, #KEYS do
  redis.call('PERSIST', KEYS[i])
end
redis.pcall('PUBLISH', ARGV[6], ARGV[1] .. '-' .. ARGV[2])
return {'stored', ''}
"""
"""Compares and sets in one step. Keys: epoch, index, head, pieces. Arguments: epoch, train count, digest, entry of the
index, head, channel. Returns what became of it: 'stored', 'known' (the very same is there), 'stale' and why, 'lost' (a
piece is gone). It is sent whole each time, so that a Redis that was restarted needs to be taught nothing."""

_DISCARD = """
for i = 2, #KEYS do
  redis.call('DEL', KEYS[i])
end
redis.call('ZREM', KEYS[1], ARGV[1])
"""
"""Forgets a snapshot in one step. Keys: index, then head and pieces. Argument: its entry of the index."""


class RedisStore:
    """A store in Redis.

    Args:
        url: redis://user:password@host:port/db, rediss:// or unix://. Connects at the first call.
        keys_dir: the folder whose `redis.auth` has user and password for an address without them; "": none.
        retention: which snapshots are kept when newer ones are published.
    """

    def __init__(self, url: str, keys_dir: str = "", retention: Retention | None = None) -> None:
        self._where = without_password(url)
        self._retention = retention or Retention()
        self._redis = connect(url, keys_dir)
        self._watch = RedisWatch(self._redis)
        self._never = threading.Event()

    def claim_epoch(self, job: str) -> int:
        """Return a new epoch."""
        with self._writing(job):
            return int(self._redis.execute_command("INCR", epoch_key(job)))  # `incr` would ask for INCRBY

    def publish(self, job: str, snapshot: Snapshot) -> None:
        """Store `snapshot`, or raise StaleSnapshotError."""
        data = split(snapshot.data, PIECE_BYTES)
        worker_data = split(snapshot.worker_data or b"", PIECE_BYTES)
        record = Record(Head.of(snapshot), secrets.token_hex(8), len(data), len(worker_data))
        with self._writing(job):
            outcome, reason = self._store(job, record, [*data, *worker_data])
            if outcome != "stored":
                self._drop(job, record)
        if outcome == "stale":
            raise stale_error(job, snapshot.version, reason)
        if outcome == "lost":
            raise StorageError(f"{self._what} dropped a part of a snapshot while it was written; {_NO_EVICTION}")
        self._discard_old(job)

    def _store(self, job: str, record: Record, pieces: list[memoryview]) -> tuple[str, str]:
        keys = [*record.data_keys(job), *record.worker_keys(job)]
        with self._dropping(job, record, redis.RedisError):
            for key, piece in zip(keys, pieces, strict=True):
                self._redis.set(key, piece, ex=PIECE_TTL_S)
        # Where Redis says nothing to this, the snapshot may be stored, and its pieces have to stay.
        with self._dropping(job, record, redis.ResponseError):
            return self._commit(job, record, keys)

    @contextlib.contextmanager
    def _dropping(self, job: str, record: Record, kind: type[redis.RedisError]) -> Iterator[None]:
        """Remove the pieces after an error of that kind, so that many attempts do not fill a Redis."""
        try:
            yield
        except kind:
            with contextlib.suppress(redis.RedisError):
                self._drop(job, record)
            raise

    def _commit(self, job: str, record: Record, pieces: list[str]) -> tuple[str, str]:
        head = record.head
        keys = [epoch_key(job), index_key(job), head_key(job, head.version), *pieces]
        arguments = [*head.version, head.info.digest, entry(head.info), record.pack(), channel(job)]
        outcome, reason = self._redis.eval(_COMMIT, len(keys), *keys, *arguments)
        return outcome.decode(), reason.decode()

    def _drop(self, job: str, record: Record) -> None:
        keys = [*record.data_keys(job), *record.worker_keys(job)]
        if keys:
            self._redis.delete(*keys)

    def _discard_old(self, job: str) -> None:
        with self._explained():
            for info in self._retention.discards(self.versions(job)):
                self._discard(job, info)

    def _discard(self, job: str, info: SnapshotInfo) -> None:
        keys = [index_key(job), head_key(job, info.version)]
        with contextlib.suppress(CorruptError):
            record = self._record(job, info.version)
            keys += [*record.data_keys(job), *record.worker_keys(job)] if record else []
        self._redis.eval(_DISCARD, len(keys), *keys, entry(info))

    # --- reading, by plain commands only

    def latest_version(self, job: str) -> Version | None:
        """Return the newest version."""
        newest = self._newest(job)
        return None if newest is None else newest.version

    def wait_for_newer(
        self, job: str, version: Version | None, timeout_s: float, ends: threading.Event | None = None
    ) -> Version | None:
        """Return the newest version when it is newer than `version`, None when it does not come in time."""
        deadline_s = time.monotonic() + timeout_s
        ends = ends or self._never
        while True:
            self._watch.listen(channel(job))  # before the look: what is published after it is heard
            if is_newer(newest := self.latest_version(job), version):
                return newest
            left_s = deadline_s - time.monotonic()
            if left_s <= 0 or ends.is_set():
                return None
            self._watch.wait(left_s, ends)

    def latest(self, job: str) -> Snapshot | None:
        """Return the newest snapshot."""
        return self._fetch_newest(job, self._fetch)

    def latest_worker(self, job: str) -> Snapshot | None:
        """Return the newest snapshot's part for actors."""
        return self._fetch_newest(job, self._fetch_worker)

    def versions(self, job: str) -> list[SnapshotInfo]:
        """Return what is kept."""
        return self._entries(job, 0)

    def get(self, job: str, version: Version) -> Snapshot:
        """Return a snapshot that is kept, or raise UnknownVersionError."""
        snapshot = self._fetch(job, version)
        if snapshot is None:
            kept = self.versions(job)
            if any(info.version == version for info in kept):
                raise self._incomplete(job, version)
            raise unknown_version(job, version, kept)
        return snapshot

    def restore(self, job: str, version: Version) -> Version:
        """Make a snapshot that is kept the newest."""
        return restore(self, job, version)

    def jobs(self) -> list[str]:
        """Return the names of jobs."""
        with self._explained():
            return sorted({job_of(key) for key in self._redis.scan_iter(EPOCH_KEYS, count=1000)})

    def delete(self, job: str) -> None:
        """Forget `job`."""
        with self._explained():
            for info in self.versions(job):
                self._discard(job, info)
            self._redis.delete(epoch_key(job), index_key(job))

    def close(self) -> None:
        """Close the connections."""
        self._watch.close()
        self._redis.close()

    def _newest(self, job: str) -> SnapshotInfo | None:
        return next(iter(self._entries(job, -1)), None)

    def _entries(self, job: str, first: int) -> list[SnapshotInfo]:
        with self._explained():
            entries = self._redis.zrange(index_key(job), first, -1)
        return [read_entry(each, f"{self._where}, key {index_key(job)}") for each in entries]

    def _record(self, job: str, version: Version) -> Record | None:
        key = head_key(job, version)
        with self._explained():
            packed = self._redis.get(key)
        return None if packed is None else Record.unpack(packed, f"{self._where}, key {key}")

    def _fetch_newest(self, job: str, fetch: Callable[[str, Version], Snapshot | None]) -> Snapshot | None:
        version: Version | None = None
        for _ in range(FETCH_ATTEMPTS):
            newest = self.latest_version(job)
            if newest is None:
                return None
            if newest == version:
                raise self._incomplete(job, newest)
            version = newest
            if (snapshot := fetch(job, version)) is not None:
                return snapshot
        raise StorageError(f"{self._what} discards snapshots before they are fetched: raise SRL_SNAPSHOT_KEEP_LAST")

    def _fetch(self, job: str, version: Version) -> Snapshot | None:
        record = self._record(job, version)
        data = self._join(record.data_keys(job)) if record else None
        worker_data = self._join(record.worker_keys(job)) if record else None
        if record is None or data is None or worker_data is None:
            return None
        return record.head.snapshot(data, None if record.head.worker_digest is None else worker_data)

    def _fetch_worker(self, job: str, version: Version) -> Snapshot | None:
        record = self._record(job, version)
        if record is None:
            return None
        keys = record.data_keys(job) if record.head.worker_digest is None else record.worker_keys(job)
        data = self._join(keys)
        return None if data is None else record.head.worker_snapshot(data)

    def _join(self, keys: list[str]) -> bytes | None:
        """Return the bytes in `keys`, None when some are gone: the snapshot was discarded."""
        pieces = []
        with self._explained():
            for key in keys:
                if (piece := self._redis.get(key)) is None:
                    return None
                pieces.append(piece)
        return b"".join(pieces)

    # --- errors

    @property
    def _what(self) -> str:
        return f"the snapshot store {self._where}"

    def _explained(self) -> contextlib.AbstractContextManager[None]:
        return explained(self._what)

    @contextlib.contextmanager
    def _writing(self, job: str) -> Iterator[None]:
        try:
            with self._explained():
                yield
        except FullError:
            # Less may be kept than before this start: then there is room at the next attempt.
            with contextlib.suppress(StorageError):
                self._discard_old(job)
            raise

    def _incomplete(self, job: str, version: Version) -> StorageError:
        return StorageError(f"{self._what} lacks a part of snapshot {version_text(version)} of {job}; {_NO_EVICTION}")
