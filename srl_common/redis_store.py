"""Snapshots in Redis: for machines that share nothing else."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from srl_common.errors import SettingError, StorageError
from srl_common.snapshots import Head, Snapshot, Version, stale_error

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 30.0

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
            # The annotations of redis-py change from version to version.
            self._redis: Any = redis.Redis.from_url(
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
        arguments: list[Any] = [*snapshot.version, snapshot.digest, Head.of(snapshot).pack(), snapshot.data]
        if snapshot.worker_data is not None:
            arguments.append(snapshot.worker_data)
        with self._refusals():
            refusal = self._publish(keys=[_epoch_key(job), _snapshot_key(job)], args=arguments)
        if refusal:
            raise stale_error(job, snapshot.version, refusal.decode())

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

    def _unpack_head(self, packed: bytes, job: str) -> Head:
        return Head.unpack(packed, f"{self._where}, key {_snapshot_key(job)}")

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
