"""The loop of the memory service: the learner first, then a bounded burst of inserts, again and again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from services.author import authored
from services.hosting.durable_memory import DurableMemory, open_durable_memory
from services.hosting.host import MemoryHost
from services.jobs.job import Job
from services.jobs.lifecycle import work_for_jobs
from services.jobs.work import Work, attend
from services.memory.watcher import Watcher
from services.phases import Phases
from services.training import Training
from srl_common import metrics
from srl_common.security import load_keys
from srl_common.service import Again, Health, Stop, start_pages
from srl_common.shards import of_memory_service
from srl_common.transport import Server, Waiter

if TYPE_CHECKING:
    from srl_common.job_board import JobBoard, JobEntry
    from srl_common.settings import MemorySettings

IDLE_WAIT_S = 0.02
MAINTAIN_EVERY_S = 0.25


def main(settings: MemorySettings, stop: Stop) -> Again | None:
    """Serve the settings' job, or one job of the board."""
    settings = of_memory_service(settings)
    if settings.board:
        find = _no_job if settings.memory_mode == "learner" else _running_job
        return work_for_jobs(settings, stop, find, serve)
    serve(settings, Job.load(settings.job), Work(stop))
    return None


def _running_job(board: JobBoard) -> JobEntry | None:
    return board.running()


def _no_job(_: JobBoard) -> None:
    """Find nothing to do: the learner hosts the Memory."""


def serve(settings: MemorySettings, job: Job, work: Work) -> None:
    """Host the Memory of a job until asked to stop and all clients have left."""
    with authored(settings.name):
        training = Training(job)
        authors = training.make_memory()
        digest = work.shared_digest(job.digest)
        memory = open_durable_memory(authors, digest, settings, keeps_batches=True)
        memory.recover()
        watcher = Watcher(training.memory_context(), authors, memory)
        host = MemoryHost(
            memory, digest, time.monotonic, watcher.counters,
            shard=settings.memory_shard, shards=settings.memory_shards,
        )  # fmt: skip
        service = MemoryService(settings, memory, host, watcher, work)
        pages = start_pages(settings, service.health, metrics.HOST, service.metrics)
        try:
            watcher.start()
            service.loop()
            watcher.end()
            if settings.checkpoint_on_exit:
                memory.checkpoint()
        finally:
            service.close()
            memory.close()
            if pages is not None:
                pages.close()


class MemoryService:
    """Moves frames between the sockets and the host. Inserts never starve samples: bursts of them are bounded."""

    def __init__(
        self, settings: MemorySettings, memory: DurableMemory, host: MemoryHost, watcher: Watcher, work: Work
    ) -> None:
        self._memory = memory
        self._host = host
        self._watcher = watcher
        self._work = work
        self._stop = work.stop
        self._reports_as = f"memory-{settings.memory_shard}" if settings.memory_shards > 1 else "memory"
        self._burst_s = settings.actor_burst_ms / 1000
        keys = load_keys(settings.keys_dir)
        self._workers = Server(settings.memory_uri, allow_insecure=settings.allow_insecure_bind, keys=keys)
        self._trainers = Server(settings.trainer_uri, allow_insecure=settings.allow_insecure_bind, keys=keys)
        self._waiter = Waiter((self._workers, self._trainers))
        self._server_of: dict[bytes, Server] = {}
        self._maintain_s = 0.0
        self._phases = Phases("idle", "learner", "actors", "answers", "upkeep")
        self.health = Health()

    def loop(self) -> None:
        """Serve until asked to stop and no client lives, or the time to drain is over."""
        self.health.ready = True
        self._phases.begin()
        while not (self._stop.asked and (self._stop.overdue or not self._host.living())):
            self._waiter.wait(IDLE_WAIT_S)
            self._phases.end("idle")
            self._take(self._trainers, burst_s=0.0)
            self._phases.end("learner")
            self._answer()
            self._phases.end("answers")
            self._take(self._workers, self._burst_s)
            self._phases.end("actors")
            self._answer()
            self._phases.end("answers")
            self._maintain()
            self._phases.end("upkeep")

    def _take(self, server: Server, burst_s: float) -> None:
        """Hand the host what has come in at `server`: all that is here, but for no longer than `burst_s` after one."""
        end_s = time.monotonic() + burst_s
        while (received := server.receive()) is not None:
            incarnation, frames, key_role = received
            self._server_of[incarnation] = server
            self._host.handle(incarnation, frames, key_role)
            if burst_s and time.monotonic() >= end_s:
                return

    def _answer(self) -> None:
        self._host.acknowledge()
        self._host.make_batches()
        outbox = self._host.outbox
        while outbox:
            incarnation, frames = outbox.popleft()
            self._server_of[incarnation].send(incarnation, frames)

    def _maintain(self) -> None:
        now_s = time.monotonic()
        if now_s >= self._maintain_s:
            self._maintain_s = now_s + MAINTAIN_EVERY_S
            self._host.maintain()
            self._server_of = {i: server for i, server in self._server_of.items() if self._host.knows(i)}
            self._memory.checkpoint_if_due()
            self._watcher.look()
            attend(self._host, self._work, self._reports_as)
            if self._watcher.counters()["end_reason"]:
                self._work.ask_to_stop()
            self.health.turned()

    def metrics(self) -> dict[str, Any]:
        """Return the values of `metrics.HOST`."""
        return {
            **self._host.metrics(),
            "srl_insecure_bind": int(self._workers.open_to_strangers or self._trainers.open_to_strangers),
            "srl_host_seconds_total": self._phases.seconds,
        }

    def close(self) -> None:
        """Close the sockets, letting the last answers leave."""
        self._workers.close(linger_s=0.5)
        self._trainers.close(linger_s=0.5)
