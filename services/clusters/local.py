"""The three services as children of this process, over ipc sockets and a snapshot store in one temporary folder."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from services import snapshot as snapshots
from services.clusters.child import Child
from services.jobs.job import is_loading_main
from srl_common import codec
from srl_common.directory_store import DirectoryStore
from srl_common.errors import UserError
from srl_common.journal import Journal
from srl_common.link import Link, new_incarnation
from srl_common.messages import Role, View, Watch
from srl_common.settings import ActorSettings, LearnerSettings, MemorySettings
from srl_common.transport import Client

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.jobs.job import Job
    from services.snapshot import LearnerState
    from srl.base.rl.memory import RLMemory
    from srl.base.rl.trainer import RLTrainer

STORE_JOB = "train_mp"
END_AFTER_DRAIN_S = 5.0
WATCH_EVERY_S = 0.25


@dataclass(frozen=True)
class Options:
    """How a local cluster is set up; the names of settings say what each is."""

    actor_num: int = 1
    hosts_memory: bool = True
    """A memory service hosts the Memory (asynchronous mode), rather than the learner (synchronous mode)."""
    chunk_items: int = 250
    window_calls: int = 4
    update_window_calls: int = 100
    prefetch_batches: int = 5
    snapshot_interval_s: float = 1.0
    parameter_interval_s: float = 0.25
    journal: bool = True
    checkpoint_bytes: int = 256 << 20
    return_memory: bool = False
    memory_timeout_s: float = 60.0
    """How long the checkpoint of the Memory may take that is brought back."""
    drain_timeout_s: float = 5.0


class LocalCluster:
    """A memory service, a learner and actors on this machine. A context manager: leaving it leaves nothing behind.

    Args:
        job: what to train.
        options: how.
        say: shows a line to the user.
        trainer: where training starts: its Parameter, its state and its train count; None: new ones.
        memory: what the Memory holds at the start, None: nothing.
    """

    interrupt_text = "interrupted: ending the services, and bringing back what has been learned"
    waiting = ""
    """Never: its services are for this job alone."""

    def __init__(
        self,
        job: Job,
        options: Options,
        say: Callable[[str], None],
        trainer: RLTrainer[Any, Any, Any] | None = None,
        memory: RLMemory[Any] | None = None,
    ) -> None:
        if is_loading_main():
            raise UserError(
                "a service loads this script for its classes, and training begins again: "
                "put what the script does under `if __name__ == '__main__':`"
            )
        self._options = options
        self._say = say
        self._folder = Path(tempfile.mkdtemp(prefix="srl-"))
        self._children: list[Child] = []
        self._link: Link | None = None
        self._next_watch_s = 0.0
        self.view = View({}, {})
        try:
            job.save(self._folder / "job")
            self._store = DirectoryStore(self._folder / "snapshots")
            if trainer is not None:
                self._share(trainer)
            if memory is not None:
                self._share_memory(job, memory)
            self._start(job)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- start

    def _share(self, trainer: RLTrainer[Any, Any, Any]) -> None:
        epoch = self._store.claim_epoch(STORE_JOB)
        snapshot = snapshots.take(trainer.parameter, epoch, trainer.train_count, {}, 0.0, trainer)
        self._store.publish(STORE_JOB, snapshot)

    def _share_memory(self, job: Job, memory: RLMemory[Any]) -> None:
        from services.hosting.durable_memory import DurableMemory

        with Journal(self._folder / "journal") as journal:
            durable = DurableMemory(memory, job.digest, journal, 1, 1, 1, keeps_batches=False)
            durable.checkpoint()

    def _start(self, job: Job) -> None:
        options = self._options
        if options.hosts_memory:
            self._children.append(Child("memory", self._memory_settings(), self._say))
        self._children.append(Child("learner", self._learner_settings(), self._say))
        for actor_id in range(options.actor_num):
            self._children.append(Child("actor", self._actor_settings(actor_id), self._say))
        self._connect(job.digest)

    def _common(self, name: str) -> dict[str, Any]:
        return {
            "job": str(self._folder / "job"),
            "name": name,
            "memory_uri": f"ipc://{self._folder}/memory",
            "trainer_uri": f"ipc://{self._folder}/trainer",
            "store": f"dir://{self._folder}/snapshots",
            "store_job": STORE_JOB,
            "metrics_bind": "off",
            "drain_timeout_s": self._options.drain_timeout_s,
            "report_file": str(self._folder / f"{name}.report"),
            "exit_with_stdin": True,
            "log_level": "warning",
            "chunk_items": self._options.chunk_items,
        }

    def _host(self) -> dict[str, Any]:
        return {
            "memory_mode": "service" if self._options.hosts_memory else "learner",
            "window_calls": self._options.window_calls,
            "update_window_calls": self._options.update_window_calls,
            "journal": "on" if self._options.journal else "off",
            "journal_dir": str(self._folder / "journal"),
            "journal_fsync": "never",  # the folder does not outlive this process
            "checkpoint_bytes": self._options.checkpoint_bytes,
            "checkpoint_on_exit": self._options.return_memory,
        }

    def _memory_settings(self) -> MemorySettings:
        return MemorySettings(**self._common("memory"), **self._host())

    def _learner_settings(self) -> LearnerSettings:
        return LearnerSettings(
            **self._common("learner"),
            **self._host(),
            prefetch_batches=self._options.prefetch_batches,
            snapshot_interval_s=self._options.snapshot_interval_s,
            snapshot_keep_last=1,  # nobody asks for older ones
            snapshot_keep_every_s=0.0,
        )

    def _actor_settings(self, actor_id: int) -> ActorSettings:
        settings = ActorSettings(**self._common(f"actor-{actor_id}"))
        return replace(
            settings,
            actor_id=actor_id,
            actor_num=self._options.actor_num,
            parameter_interval_s=self._options.parameter_interval_s,
        )

    def _connect(self, job_digest: str) -> None:
        uri = f"ipc://{self._folder}/{'trainer' if self._options.hosts_memory else 'memory'}"
        incarnation = new_incarnation()
        self._link = Link(
            Client(uri, incarnation), Role.OBSERVER, "runner", incarnation, job_digest, time.monotonic, dict
        )

    # --- while it runs

    @property
    def children(self) -> tuple[Child, ...]:
        return tuple(self._children)

    @property
    def restarts(self) -> int:
        return sum(child.restarts for child in self._children)

    @property
    def learner(self) -> dict[str, Any]:
        """The learner's counters as they were last seen."""
        return self.view.clients.get("learner", {}) if self._options.hosts_memory else self.view.host

    @property
    def actors(self) -> dict[str, dict[str, Any]]:
        """The actors' counters by name, as they were last seen."""
        return {name: each for name, each in self.view.clients.items() if each["role"] == Role.ACTOR}

    @property
    def end_reason(self) -> str:
        """Why training is over, or which callback ended it; "" while it goes on."""
        counters = [self.learner, self.view.host, *self.actors.values()]
        return next((str(each["end_reason"]) for each in counters if each.get("end_reason")), "")

    def watch(self, timeout_s: float) -> None:
        """Wait up to `timeout_s`, see to the children, and take in what the cluster says of itself.

        Raises AuthorError for an exception in the author's code, UserError for what the user can change.
        """
        assert self._link is not None
        for message in self._link.wait(timeout_s):
            if isinstance(message, View):
                self.view = message
        now_s = time.monotonic()
        if self._link.welcomed and now_s >= self._next_watch_s:
            self._next_watch_s = now_s + WATCH_EVERY_S
            self._link.send(Watch())
        for child in self._children:
            child.revive()

    # --- end

    def drain(self) -> None:
        """End the services in the order in which data flows, so that all of it arrives."""
        for kind in ("actor", "learner", "memory"):
            ending = [child for child in self._children if child.kind == kind]
            for child in ending:
                child.ask_to_end()
            for child in ending:
                child.end(self._end_timeout_s())
                child.check_end()

    def _end_timeout_s(self) -> float:
        extra_s = self._options.memory_timeout_s if self._options.return_memory else 0.0
        return self._options.drain_timeout_s + END_AFTER_DRAIN_S + extra_s

    def learner_state(self) -> LearnerState | None:
        """Return what the newest snapshot holds, None when there is none."""
        newest = self._store.latest(STORE_JOB)
        return None if newest is None else snapshots.learner_state(newest)

    def worker_parameter(self) -> Any:
        """Return the backup of actor 0's own Parameter, None where it has handed none over."""
        newest = self._store.latest(snapshots.worker_job(STORE_JOB))
        return None if newest is None else snapshots.learner_state(newest).parameter

    def memory_checkpoint(self) -> dict[str, Any]:
        """Return the last checkpoint, the Memory's backup under "memory"; the services must have ended."""
        with Journal(self._folder / "journal") as journal:
            saved = journal.read_checkpoint()
        return {"memory": None} if saved is None else dict(codec.unpack(saved[0], codec.UNLIMITED))

    def close(self) -> None:
        """End what still runs, and remove the folder."""
        if self._link is not None:
            self._link.close()
        for child in self._children:
            child.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
