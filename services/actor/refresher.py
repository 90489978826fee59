"""Looks for newer parameters in a thread of its own: the loop only picks up what is already decoded."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.snapshot import worker_parameter
from srl_common.errors import ClusterError

if TYPE_CHECKING:
    from srl_common.snapshots import Snapshot, SnapshotStore

log = logging.getLogger("srl")

CLOSE_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Fresh:
    """A parameter that the loop may restore from."""

    version: tuple[int, int]
    created_s: float
    """Seconds since 1970."""
    parameter: Any


class Refresher:
    """Keeps the newest parameter at hand.

    Args:
        store: belongs to this thread from now on.
        job: the name that snapshots are stored under.
        interval_s: time between two looks.
    """

    def __init__(self, store: SnapshotStore, job: str, interval_s: float) -> None:
        self._store = store
        self._job = job
        self._interval_s = interval_s
        self._closing = threading.Event()
        self._version: tuple[int, int] | None = None
        self.fresh: Fresh | None = None
        self._thread = threading.Thread(target=self._look_again_and_again, name="refresher", daemon=True)
        self._thread.start()

    def take(self) -> Fresh | None:
        """Return the newest parameter once, None when there is none that was not taken yet."""
        fresh, self.fresh = self.fresh, None
        return fresh

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        self._thread.join(CLOSE_TIMEOUT_S)
        self._store.close()

    def _look_again_and_again(self) -> None:
        failing = False
        while not self._closing.is_set():
            try:
                self._look()
                failing = False
            except ClusterError as error:
                # The store is away or damaged: acting goes on with the parameter at hand.
                if not failing:
                    log.warning("cannot look for a newer parameter: %s", error)
                failing = True
            self._closing.wait(self._interval_s)

    def _look(self) -> None:
        version = self._store.latest_version(self._job)
        if version is None or version == self._version:
            return
        snapshot = self._store.latest_worker(self._job)
        if snapshot is not None:
            self._version = snapshot.version
            self.fresh = _fresh(snapshot)


def _fresh(snapshot: Snapshot) -> Fresh:
    return Fresh(snapshot.version, float(snapshot.meta.get("created_s") or 0.0), worker_parameter(snapshot))
