"""Stores snapshots in a thread of its own, so that a slow store does not hold up training."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from srl_common.backoff import Backoff
from srl_common.errors import ClusterError, InternalError, UserError
from srl_common.snapshots import is_newer, stale_error

if TYPE_CHECKING:
    from srl_common.snapshots import Snapshot, SnapshotStore, Version

log = logging.getLogger("srl")

RETRY_AFTER_S = 0.25
RETRY_AFTER_MAX_S = 2.0
PATIENCE_S = 1.0
PATIENCE_MAX_S = 10.0
"""How long training may wait for a store, at least and at most."""
CHECK_EVERY_S = 2.0
"""How often it is looked, while nothing is to be stored, whether the store still has what was."""
CLOSE_TIMEOUT_S = 5.0


class Publisher:
    """Publishes the newest snapshot it was given. One that a newer one overtakes before its turn is left out.

    A store that is away is tried again and again; one that has lost what was stored, because it was restarted without
    its data, gets the last snapshot once more.

    Args:
        store: belongs to this thread from now on.
        job: the name that snapshots are stored under.
    """

    def __init__(self, store: SnapshotStore, job: str) -> None:
        self._store = store
        self._job = job
        self._next: Snapshot | None = None
        self._storing: Snapshot | None = None
        self._last: Snapshot | None = None
        self._changed = threading.Condition()
        self._closing = False
        self._failure: ClusterError | None = None
        """What has ended the thread."""
        self._begun_s: float | None = None
        """When the publishing began that is under way."""
        self._backoff = Backoff(RETRY_AFTER_S, RETRY_AFTER_MAX_S)
        self.stored: Snapshot | None = None
        """The newest snapshot that is stored."""
        self.failing = False
        """The store refused the last time."""
        self.published = 0
        self.published_bytes = 0
        self.publish_s = 0.0
        """Time that storing took, all together."""
        self.last_publish_s = 0.0
        self.failures = 0
        self._thread = threading.Thread(target=self._publish_all, name="publisher", daemon=True)
        self._thread.start()

    @property
    def patience_s(self) -> float:
        """How long to wait for a snapshot to be stored: twice what the last one took, within bounds."""
        return min(max(2 * self.last_publish_s, PATIENCE_S), PATIENCE_MAX_S)

    @property
    def late(self) -> bool:
        """Whether it makes no sense to wait for the store: it refuses, or does not answer."""
        begun_s = self._begun_s
        return self.failing or (begun_s is not None and time.monotonic() > begun_s + self.patience_s)

    def put(self, snapshot: Snapshot) -> None:
        """Publish `snapshot` soon. Raises what `check` does."""
        with self._changed:
            self.check()
            self._next = self._last = snapshot
            self._changed.notify_all()

    def check(self) -> None:
        """Raise StaleSnapshotError when another learner has taken over, InternalError when nothing is published."""
        alive = self._thread.is_alive()  # before the failure is looked at, which is set first
        if self._failure is not None:
            raise self._failure
        if not alive:
            raise InternalError("the thread that stores snapshots has ended, as its traceback says")

    def wait(self, timeout_s: float) -> bool:
        """Wait until the last snapshot that was put is stored; False when that takes longer than `timeout_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_stored() or self._failure is not None, timeout_s)
            self.check()
            return self._is_stored()

    def _is_stored(self) -> bool:
        return self._last is self.stored

    def may_be_stored(self) -> frozenset[Version]:
        """Return the versions that are stored, or may yet be; all others were left out."""
        with self._changed:
            return frozenset(each.version for each in (self.stored, self._storing, self._next) if each is not None)

    def close(self) -> None:
        """End the thread; a snapshot that is not stored by now is given up."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(CLOSE_TIMEOUT_S)
        self._store.close()

    # --- the thread

    def _publish_all(self) -> None:
        try:
            while not self._closing:
                snapshot = self._wait_for_next()
                if snapshot is not None:
                    self._publish(snapshot)
                elif self.stored is not None and not self._closing:
                    self._look_after(self.stored)
        except ClusterError as error:
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _wait_for_next(self) -> Snapshot | None:
        with self._changed:
            self._changed.wait_for(lambda: self._next is not None or self._closing, CHECK_EVERY_S)
            self._storing, self._next = self._next, None
            return self._storing

    def _publish(self, snapshot: Snapshot) -> None:
        self._begun_s = time.monotonic()
        try:
            self._store.publish(self._job, snapshot)
        except UserError as error:
            self._on_failure(snapshot, error)
        else:
            self._on_success(snapshot, time.monotonic() - self._begun_s)
        finally:
            self._begun_s = None

    def _on_success(self, snapshot: Snapshot, elapsed_s: float) -> None:
        if self.failing:
            log.info("the snapshot of train count %d is stored", snapshot.train_count)
        self._backoff.reset()
        with self._changed:
            self.stored = snapshot
            self.failing = False
            self.published += 1
            self.published_bytes += len(snapshot.data) + len(snapshot.worker_data or b"")
            self.last_publish_s = elapsed_s
            self.publish_s += elapsed_s
            self._changed.notify_all()

    def _on_failure(self, snapshot: Snapshot, error: UserError) -> None:
        self.failures += 1
        if not self.failing:
            log.warning("the snapshot of train count %d is not stored yet: %s", snapshot.train_count, error)
        self.failing = True
        with self._changed:
            if not self._closing:
                self._next = self._next or snapshot
            self._changed.wait_for(lambda: self._closing, self._backoff.next_s())

    def _look_after(self, stored: Snapshot) -> None:
        """Publish what was stored once more where the store has lost it."""
        try:
            newest = self._store.latest_version(self._job)
        except UserError:
            return  # the next snapshot will say it
        if is_newer(newest, stored.version):
            raise stale_error(self._job, stored.version, f"{newest} is stored")
        if newest != stored.version:
            log.warning("the store has lost the snapshot of train count %d: it is stored again", stored.train_count)
            with self._changed:
                self._next = self._next or stored
