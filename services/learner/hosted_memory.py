"""What `self.memory` is for a Trainer in a learner that hosts the Memory itself (synchronous mode).

Recv and send functions are local calls, written to the journal; actors are served between two calls of `train`.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from services.hosting.host import MemoryHost
from services.jobs.work import attend
from services.phases import Phases
from srl_common.errors import StorageError
from srl_common.messages import Role
from srl_common.security import load_keys
from srl_common.transport import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from services.hosting.durable_memory import DurableMemory
    from services.jobs.work import Work
    from srl_common.settings import LearnerSettings

log = logging.getLogger("srl")

CHUNKS_BETWEEN_TRAINS = 4
"""Inserts never starve training, nor the other way round."""
CHUNKS_AT_A_POLL = 256
MAINTAIN_EVERY_S = 0.25
RETRY_STORAGE_AFTER_S = 0.2


class HostedMemory:
    """The author's Memory in this process, and the socket that actors reach it by.

    Args:
        memory: recovered.
        settings: of the learner.
        job_digest: actors that work for another job are refused.
        counters: the learner's own, for observers.
        work: what it is all for; its time to drain is also that of a call that waits for the disk.
        train_count: the Trainer's.
    """

    def __init__(
        self,
        memory: DurableMemory,
        settings: LearnerSettings,
        job_digest: str,
        counters: Callable[[], dict[str, Any]],
        work: Work,
        train_count: Callable[[], int],
    ) -> None:
        self._memory = memory
        self._work = work
        self._train_count = train_count
        self._host = MemoryHost(
            memory, job_digest, time.monotonic, counters, serves=frozenset({Role.ACTOR, Role.OBSERVER})
        )
        self._server = Server(
            settings.memory_uri, allow_insecure=settings.allow_insecure_bind, keys=load_keys(settings.keys_dir)
        )
        self._maintain_s = 0.0
        self._phases = Phases("actors", "answers")
        self.taken = 0
        self.wait_s = 0.0
        self.length = memory.length
        for name in memory.endpoints.recv:
            setattr(self, name, self._recv_endpoint(name))
        for name in memory.endpoints.send:
            setattr(self, name, self._send_endpoint(name))

    # --- what the learner's loop uses

    def between_trains(self) -> None:
        """Serve some actors."""
        self._serve(CHUNKS_BETWEEN_TRAINS)

    def poll(self) -> None:
        """Serve the actors, and do what is due now and then."""
        self._serve(CHUNKS_BETWEEN_TRAINS)
        now_s = time.monotonic()
        if now_s >= self._maintain_s:
            self._maintain_s = now_s + MAINTAIN_EVERY_S
            self._host.maintain()
            attend(self._host, self._work)

    def wait(self, timeout_s: float) -> None:
        """Wait for a message, at most `timeout_s`, and serve."""
        start_s = time.monotonic()
        self._server.wait(timeout_s)
        self.wait_s += time.monotonic() - start_s
        self._serve(CHUNKS_AT_A_POLL)
        self.poll()

    def consumed(self) -> dict[str, int]:
        """Return how far training is: batches by recv function, and updates."""
        return self._memory.position()

    def release(self, position: Mapping[str, int]) -> None:
        """Nothing to do: batches are not kept where they are made."""

    @property
    def checkpoint_due(self) -> bool:
        return self._memory.checkpoint_due

    def checkpoint(self) -> None:
        """Checkpoint the Memory; the snapshot of this very moment must be stored. Raises StorageError."""
        self._memory.checkpoint()

    def checkpoint_if_due(self) -> None:
        """Cut a long journal by a checkpoint; the snapshot of this very moment must be stored."""
        self._memory.checkpoint_if_due()

    def drain(self) -> None:
        """Serve until no actor is left, or the time is over."""
        while self._host.living() and not self._work.stop.overdue:
            self.wait(0.05)

    def metrics(self) -> dict[str, Any]:
        """Return the values of `metrics.HOST`."""
        return {
            **self._host.metrics(),
            "srl_host_seconds_total": self._phases.seconds,
            "srl_insecure_bind": int(self._server.open_to_strangers),
        }

    def close(self) -> None:
        """Close the socket and the journal."""
        self._server.close(linger_s=0.5)
        self._memory.close()

    def _serve(self, chunks: int) -> None:
        self._phases.begin()
        for _ in range(chunks):
            received = self._server.receive()
            if received is None:
                break
            self._host.handle(*received)
        self._phases.end("actors")
        self._host.acknowledge()
        outbox = self._host.outbox
        while outbox:
            self._server.send(*outbox.popleft())
        self._phases.end("answers")

    # --- what the Trainer uses

    def _recv_endpoint(self, name: str) -> Callable[[], Any]:
        def recv() -> Any:
            self._memory.flow.staleness.train_count = self._train_count()
            try:
                value = self._memory.sample(name)
            except StorageError as error:
                log.warning("no batch is handed out until this is mended, and none is lost: %s", error)
                return None
            self.taken += value is not None
            return value

        recv.__name__ = name
        return recv

    def _send_endpoint(self, name: str) -> Callable[..., None]:
        def send(*args: Any, **kwargs: Any) -> None:
            self._until_stored(lambda: self._memory.update(name, args, kwargs))

        send.__name__ = name
        return send

    def _until_stored(self, write: Callable[[], None]) -> None:
        while True:
            try:
                write()
            except StorageError as error:
                if self._work.stop.overdue:
                    raise
                log.warning("training waits until this is mended: %s", error)
                self.wait(RETRY_STORAGE_AFTER_S)
            else:
                return
