"""Stores snapshots in a thread of its own, so that a slow store does not hold up training."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from srl_common.errors import StaleSnapshotError, StorageError

if TYPE_CHECKING:
    from srl_common.snapshots import Snapshot, SnapshotStore

log = logging.getLogger("srl")

RETRY_AFTER_S = 0.5
CLOSE_TIMEOUT_S = 5.0


class Publisher:
    """Publishes the newest snapshot it was given. One that a newer one overtakes before its turn is left out.

    Args:
        store: belongs to this thread from now on.
        job: the name that snapshots are stored under.
    """

    def __init__(self, store: SnapshotStore, job: str) -> None:
        self._store = store
        self._job = job
        self._next: Snapshot | None = None
        self._last: Snapshot | None = None
        self._changed = threading.Condition()
        self._closing = False
        self._stale: StaleSnapshotError | None = None
        self.stored: Snapshot | None = None
        """The newest snapshot that is stored."""
        self.failing = False
        """The store refused the last time."""
        self.published = 0
        self.failures = 0
        self._thread = threading.Thread(target=self._publish_all, name="publisher", daemon=True)
        self._thread.start()

    def put(self, snapshot: Snapshot) -> None:
        """Publish `snapshot` soon. Raises StaleSnapshotError when another learner has taken over."""
        with self._changed:
            self.check()
            self._next = self._last = snapshot
            self._changed.notify_all()

    def check(self) -> None:
        """Raise StaleSnapshotError when another learner has taken over."""
        if self._stale is not None:
            raise self._stale

    def wait(self, timeout_s: float) -> bool:
        """Wait until the last snapshot that was put is stored; False when that takes longer than `timeout_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_stored() or self._stale is not None, timeout_s)
            self.check()
            return self._is_stored()

    def _is_stored(self) -> bool:
        return self._last is self.stored

    def close(self) -> None:
        """End the thread; a snapshot that is not stored by now is given up."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(CLOSE_TIMEOUT_S)
        self._store.close()

    def _publish_all(self) -> None:
        while (snapshot := self._wait_for_next()) is not None:
            try:
                self._store.publish(self._job, snapshot)
            except StaleSnapshotError as error:
                with self._changed:
                    self._stale = error
                    self._changed.notify_all()
                return
            except StorageError as error:
                self._on_failure(snapshot, error)
            else:
                with self._changed:
                    self.stored = snapshot
                    self.failing = False
                    self.published += 1
                    self._changed.notify_all()

    def _wait_for_next(self) -> Snapshot | None:
        with self._changed:
            self._changed.wait_for(lambda: self._next is not None or self._closing)
            snapshot, self._next = self._next, None
            return snapshot

    def _on_failure(self, snapshot: Snapshot, error: StorageError) -> None:
        self.failures += 1
        self.failing = True
        log.warning("the snapshot of train count %d is not stored yet: %s", snapshot.train_count, error)
        with self._changed:
            if not self._closing:
                self._next = self._next or snapshot
            self._changed.wait_for(lambda: self._closing, RETRY_AFTER_S)
