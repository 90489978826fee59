"""Snapshots in this process, for its threads."""

from __future__ import annotations

import threading
import time
from typing import TypeAlias

from srl_common.retention import Retention
from srl_common.snapshots import (
    Head,
    Snapshot,
    SnapshotInfo,
    Version,
    check_newer,
    is_newer,
    restore,
    unknown_version,
)

Kept: TypeAlias = dict[Version, tuple[Head, Snapshot]]

LOOK_AROUND_EVERY_S = 0.05
"""How soon a wait notices that it is to end."""


class MemoryStore:
    """A store in this process; any number of its threads may use it."""

    def __init__(self, retention: Retention | None = None) -> None:
        self._retention = retention or Retention()
        self._changed = threading.Condition(threading.RLock())
        self._epochs: dict[str, int] = {}
        self._kept: dict[str, Kept] = {}
        """By job, in the order of versions. Replaced as a whole, so that readers need no lock."""

    def claim_epoch(self, job: str) -> int:
        """Return a new epoch."""
        with self._changed:
            self._epochs[job] = self._epochs.get(job, 0) + 1
            return self._epochs[job]

    def publish(self, job: str, snapshot: Snapshot) -> None:
        """Store `snapshot`, or raise StaleSnapshotError."""
        with self._changed:
            claimed = self._epochs.get(job, 0)
            newest = self._newest(job)
            if check_newer(job, snapshot, claimed, newest and newest[0]):
                self._epochs[job] = max(claimed, snapshot.epoch)
                self._kept[job] = self._retained({**self._of(job), snapshot.version: (Head.of(snapshot), snapshot)})
                self._changed.notify_all()

    def _retained(self, kept: Kept) -> Kept:
        discards = {info.version for info in self._retention.discards([head.info for head, _ in kept.values()])}
        return {version: each for version, each in kept.items() if version not in discards}

    def latest_version(self, job: str) -> Version | None:
        """Return the newest version."""
        newest = self._newest(job)
        return None if newest is None else newest[0].version

    def wait_for_newer(
        self, job: str, version: Version | None, timeout_s: float, ends: threading.Event | None = None
    ) -> Version | None:
        """Return the newest version when it is newer than `version`, None when it does not come in time."""
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            while not is_newer(newest := self.latest_version(job), version):
                left_s = deadline_s - time.monotonic()
                if left_s <= 0 or (ends is not None and ends.is_set()):
                    return None
                self._changed.wait(min(left_s, LOOK_AROUND_EVERY_S))
        return newest

    def latest(self, job: str) -> Snapshot | None:
        """Return the newest snapshot."""
        newest = self._newest(job)
        if newest is None:
            return None
        newest[1].verify()
        return newest[1]

    def latest_worker(self, job: str) -> Snapshot | None:
        """Return the newest snapshot's part for actors."""
        snapshot = self.latest(job)
        return None if snapshot is None else snapshot.for_worker()

    def versions(self, job: str) -> list[SnapshotInfo]:
        """Return what is kept."""
        return [head.info for head, _ in self._of(job).values()]

    def get(self, job: str, version: Version) -> Snapshot:
        """Return a snapshot that is kept, or raise UnknownVersionError."""
        kept = self._of(job).get(version)
        if kept is None:
            raise unknown_version(job, version, self.versions(job))
        kept[1].verify()
        return kept[1]

    def restore(self, job: str, version: Version) -> Version:
        """Make a snapshot that is kept the newest."""
        return restore(self, job, version)

    def jobs(self) -> list[str]:
        """Return the names of jobs."""
        with self._changed:
            return sorted(self._epochs)

    def delete(self, job: str) -> None:
        """Forget `job`."""
        with self._changed:
            self._epochs.pop(job, None)
            self._kept.pop(job, None)

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""

    def _of(self, job: str) -> Kept:
        return self._kept.get(job, {})

    def _newest(self, job: str) -> tuple[Head, Snapshot] | None:
        return next(reversed(self._of(job).values()), None)
