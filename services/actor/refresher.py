"""Fetches newer parameters in a thread of its own: the loop only picks up what is already decoded."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.snapshot import worker_parameter
from srl_common.backoff import Backoff
from srl_common.errors import AccessError, ClusterError, InternalError
from srl_common.snapshots import is_newer

if TYPE_CHECKING:
    from srl_common.snapshots import Snapshot, SnapshotStore, Version

log = logging.getLogger("srl")

WAIT_S = 5.0
"""How long one wait for a newer version lasts; closing ends it."""
RETRY_AFTER_S = 0.25
RETRY_AFTER_MAX_S = 2.0
CLOSE_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Fresh:
    """A parameter that the loop may restore from."""

    version: Version
    created_s: float
    """Seconds since 1970."""
    parameter: Any


class Refresher:
    """Keeps the newest parameter at hand. It never goes back to an older one, even if the store does.

    Args:
        store: belongs to this thread from now on.
        job: the name that snapshots are stored under.
        interval_s: the shortest time between two fetches.
    """

    def __init__(self, store: SnapshotStore, job: str, interval_s: float) -> None:
        self._store = store
        self._job = job
        self._interval_s = interval_s
        self._closing = threading.Event()
        self._version: Version | None = None
        self._failing = False
        self._refusal: AccessError | None = None
        self._backoff = Backoff(RETRY_AFTER_S, RETRY_AFTER_MAX_S)
        self.fresh: Fresh | None = None
        self.fetches = 0
        self.fetched_bytes = 0
        self.fetch_s = 0.0
        """Time that fetching and decoding took, all together."""
        self.failures = 0
        self._thread = threading.Thread(target=self._refresh_until_closed, name="refresher", daemon=True)
        self._thread.start()

    def take(self) -> Fresh | None:
        """Return the newest parameter once, None when there is none that was not taken yet.

        Raises AccessError when the store has never let this process in: to wait does not mend that.
        """
        alive = self._thread.is_alive()  # before the refusal is looked at, which is set first
        if self._refusal is not None:
            raise self._refusal
        if not alive:
            raise InternalError("the thread that fetches parameters has ended, as its traceback says")
        fresh, self.fresh = self.fresh, None
        return fresh

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        self._thread.join(CLOSE_TIMEOUT_S)
        self._store.close()

    # --- the thread

    def _refresh_until_closed(self) -> None:
        while not self._closing.is_set() and self._refusal is None:
            try:
                self._refresh()
            except ClusterError as error:
                self._on_failure(error)

    def _refresh(self) -> None:
        newer = self._store.wait_for_newer(self._job, self._version, WAIT_S, self._closing)
        if newer is not None:
            self._fetch()
            self._closing.wait(self._interval_s)
        self._failing = False
        self._backoff.reset()

    def _fetch(self) -> None:
        begun_s = time.monotonic()
        snapshot = self._store.latest_worker(self._job)
        if snapshot is None or not is_newer(snapshot.version, self._version):
            return  # the store has lost what it had just now
        self.fresh = _fresh(snapshot)
        self._version = snapshot.version
        self.fetches += 1
        self.fetched_bytes += len(snapshot.data)
        self.fetch_s += time.monotonic() - begun_s

    def _on_failure(self, error: ClusterError) -> None:
        self.failures += 1
        if isinstance(error, AccessError) and self._version is None:
            self._refusal = error
            return
        if not self._failing:
            # The store is away or damaged: acting goes on with the parameter at hand.
            log.warning("cannot look for a newer parameter: %s", error)
        self._failing = True
        self._closing.wait(self._backoff.next_s())


def _fresh(snapshot: Snapshot) -> Fresh:
    return Fresh(snapshot.version, float(snapshot.meta.get("created_s") or 0.0), worker_parameter(snapshot))
