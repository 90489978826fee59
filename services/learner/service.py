"""The learner: `train_only` of `srl` with a Memory elsewhere, and between two trains whatever is due.

It takes a new epoch at its start, resumes from the newest snapshot, and publishes one at once: an older learner that
still lives is refused from then on.
"""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from services import snapshot as snapshots
from services.author import authored
from services.hosting.durable_memory import open_durable_memory
from services.jobs.job import Job
from services.jobs.lifecycle import work_for_jobs
from services.jobs.work import AS_ASKED, Work
from services.learner.hosted_memory import HostedMemory
from services.learner.info_values import InfoValues
from services.learner.publisher import Publisher
from services.learner.remote_memory import RemoteMemory
from services.learner.sharded_memory import ShardedMemory, position_of
from services.store_wait import when_there
from services.training import Training
from srl.base.run.callback import RunCallback
from srl.base.run.train_only import train_only
from srl_common import metrics
from srl_common.errors import StorageError
from srl_common.histogram import SECONDS, Histogram
from srl_common.job_board import JobState
from srl_common.link import Link, new_incarnation
from srl_common.messages import Role
from srl_common.retention import Retention
from srl_common.security import load_keys
from srl_common.service import Again, Health, Stop, start_pages
from srl_common.shards import at_shard, require_one_shard
from srl_common.snapshots import open_store
from srl_common.transport import Client, Waiter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from srl.base.context import RunContext, RunStateTrainer
    from srl.base.rl.memory import RLMemory
    from srl_common.job_board import JobBoard, JobEntry
    from srl_common.settings import LearnerSettings
    from srl_common.snapshots import Snapshot, SnapshotStore

log = logging.getLogger("srl")

TICK_S = 0.01
EMPTY_WAIT_S = 0.05
"""How long training waits for a batch before it asks the Trainer again."""
STORE_WAIT_S = 0.25
"""How long one wait for the store lasts."""
INFO_EVERY_S = 0.5


class TrainerMemory(Protocol):
    """What the loop needs of the Trainer's `self.memory`, wherever the Memory is."""

    @property
    def taken(self) -> int: ...
    @property
    def wait_s(self) -> float: ...

    def between_trains(self) -> None: ...
    def poll(self) -> None: ...
    def wait(self, timeout_s: float) -> None: ...
    def consumed(self) -> dict[str, int]: ...
    def release(self, position: Mapping[str, int]) -> None: ...
    @property
    def checkpoint_due(self) -> bool: ...
    def checkpoint(self) -> None: ...
    def checkpoint_if_due(self) -> None: ...
    def drain(self) -> None: ...
    def metrics(self) -> dict[str, Any]: ...
    def close(self) -> None: ...


def main(settings: LearnerSettings, stop: Stop) -> Again | None:
    """Train for the settings' job, or for one job of the board."""
    if not settings.board:
        learn(settings, Job.load(settings.job), Work(stop))
        return None
    if settings.job:
        from services.learner.posting import post_job

        return post_job(settings, stop)
    return work_for_jobs(settings, stop, _next_job, learn)


def _next_job(board: JobBoard) -> JobEntry | None:
    """Take a job. One that is to stop is over: it must not need what it fails with again and again."""
    entry = board.take()
    if entry is None or not entry.stop_asked:
        return entry
    board.end(entry.id, entry.life, *AS_ASKED)
    return None


def learn(settings: LearnerSettings, job: Job, work: Work) -> None:
    """Train for a job until its limits are reached; then keep still until asked to stop."""
    with authored(settings.name):
        point = take_up(settings, work)
        if point is None:
            return
        learner = Learner(settings, job, work, point)
        pages = start_pages(settings, learner.health, metrics.LEARNER + metrics.HOST, learner.metrics)
        try:
            learner.run()
        finally:
            learner.close()
            if pages is not None:
                pages.close()


@dataclass(frozen=True)
class Point:
    """Where a learner takes training up."""

    store: SnapshotStore
    epoch: int
    newest: Snapshot | None


def take_up(settings: LearnerSettings, work: Work) -> Point | None:
    """Take a new epoch, and fetch the newest snapshot. None: asked to stop before the store could give it."""
    retention = Retention(settings.snapshot_keep_last, settings.snapshot_keep_every_s)
    store = open_store(settings.store, settings.keys_dir, retention)
    name = settings.store_job

    def look() -> Point:
        try:
            return Point(store, store.claim_epoch(name), store.latest(name))
        except StorageError:
            if work.stop_asked:
                work.end(*AS_ASKED)  # which asks this service to leave: it need not wait for what it does not need
            raise

    point = None
    try:
        point = when_there(settings, work.stop, look)
    finally:
        if point is None:
            store.close()
    return point


class Learner(RunCallback):
    """One learner. As a callback of the loop, it does between two trains what is due."""

    def __init__(self, settings: LearnerSettings, job: Job, work: Work, point: Point) -> None:
        self._settings = settings
        self._job = job
        self._work = work
        self._stop = work.stop
        self._digest = work.shared_digest(job.digest)
        self._training = Training(job)
        self._epoch = point.epoch
        resumed = snapshots.learner_state(point.newest) if point.newest is not None else snapshots.LearnerState()
        self._begun_s = time.monotonic() - resumed.elapsed_s
        self._memory = self._make_memory(resumed.position)
        self._parameter = self._training.make_parameter()
        self._parameter.restore(resumed.parameter, from_serialized=True)
        self._trainer = self._training.make_trainer(self._parameter, self._memory)
        self._trainer.train_count = resumed.train_count
        self._trainer.restore(resumed.trainer)
        self._begun_count = self._trainer.train_count
        self._publisher = Publisher(point.store, settings.store_job)
        self._positions: dict[tuple[int, int], Mapping[str, int]] = {}
        """By version of a snapshot that is not known to be stored, how far training was in the batches."""
        self._published_count = -1
        self._published_position: Mapping[str, int] = {}
        self._next_snapshot_s = 0.0
        self._next_due_s = 0.0
        self._ticked = False
        self._taken = 0
        self._calls = 0
        self._training_now = False
        self._timed_since_s: float | None = None
        self._timed_count = 0
        """When the train() began that is being timed, and the train count before it."""
        self._train_seconds = Histogram(SECONDS)
        self._take_seconds = Histogram(SECONDS)
        self._info = InfoValues()
        self._next_info_s = 0.0
        self.end_reason = ""
        self.health = Health()
        log.info("epoch %d, from train count %d", self._epoch, resumed.train_count)

    def _make_memory(self, position: Mapping[str, int]) -> TrainerMemory:
        settings, memory = self._settings, self._training.make_memory()
        if settings.memory_mode == "learner":
            require_one_shard(settings)
            durable = open_durable_memory(memory, self._digest, settings, keeps_batches=False)
            durable.recover(position)
            return HostedMemory(
                durable, settings, self._digest, self._beat, self._work, lambda: self._trainer.train_count
            )
        if settings.memory_shards == 1:
            return self._connected(memory, position, settings, 0)[0]
        return self._make_shards(memory, position)

    def _make_shards(self, memory: RLMemory[Any], position: Mapping[str, int]) -> ShardedMemory:
        shards, clients = [], []
        for number in range(self._settings.memory_shards):
            settings = at_shard(self._settings, number, "trainer_uri")
            shard, client = self._connected(memory, position_of(position, number), settings, number)
            shards.append(shard)
            clients.append(client)
        return ShardedMemory(memory, shards, Waiter(clients).wait, time.monotonic, random.Random())

    def _connected(
        self, memory: RLMemory[Any], position: Mapping[str, int], settings: LearnerSettings, shard: int
    ) -> tuple[RemoteMemory, Client]:
        """Return the Memory of the memory service that the settings name, and the socket that it talks by."""
        remote = RemoteMemory(memory, position, settings.prefetch_batches, time.monotonic, lambda: self._stop.overdue)
        incarnation = new_incarnation()
        client = Client(settings.trainer_uri, incarnation, load_keys(settings.keys_dir))
        link = Link(
            client,
            Role.LEARNER, settings.name, incarnation, self._digest, time.monotonic, self._beat,
            self._epoch, remote.positions,
            shard=shard, shards=settings.memory_shards, waits_for_job=self._work.on_board,
        )  # fmt: skip
        remote.connect(link)
        return remote, client

    def run(self) -> None:
        """Publish, train to the limits, publish again; wait for the wish to stop, and leave."""
        self._publish()
        self.health.ready = True
        self._train()
        if not self._stop.asked:
            self._publish_and_wait()
            log.info("training is over: %s", self.end_reason)
            self._end()
            self._keep_still()
        self._publish_and_wait()
        self._memory.drain()
        if self._settings.memory_mode == "learner" and self._settings.checkpoint_on_exit:
            self._memory.checkpoint()

    def close(self) -> None:
        """End the thread and the connections."""
        self._publisher.close()
        self._memory.close()

    def _end(self) -> None:
        self._report()
        if self._work.stop_asked:
            self._work.end(*AS_ASKED)
        else:
            self._work.end(JobState.ENDED, self.end_reason)

    def _report(self) -> None:
        self._work.report("learner", self._beat())

    def _train(self) -> None:
        context = self._training.learner_context(self._trainer.train_count, self._elapsed_s())
        if self._job.is_over(self._trainer.train_count, self._elapsed_s()):
            self.end_reason = "over before this start"
            return
        self._training_now = True
        state = train_only(context, self._trainer, [self, *context.callbacks])
        self._training_now = False
        self._info.update(self._trainer.info)
        self.end_reason = state.end_reason

    def _keep_still(self) -> None:
        while not self._stop.asked:
            self._memory.wait(EMPTY_WAIT_S)
            self._release()
            self.health.turned()

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._begun_s

    # --- between two trains

    def on_train_after(self, context: RunContext, state: RunStateTrainer) -> bool:
        """Do what is due; True ends the loop."""
        if self._timed_since_s is not None:
            self._time_train()
        self._calls += 1
        state.sync_trainer = self._publisher.published
        self._memory.between_trains()
        if self._memory.taken == self._taken and not state.is_step_trained:
            self._memory.wait(EMPTY_WAIT_S)
        self._taken = self._memory.taken
        now_s = time.monotonic()
        if now_s >= self._next_due_s:
            self._do_what_is_due(now_s)
        return self._stop.asked or self._work.stop_asked

    def _do_what_is_due(self, now_s: float) -> None:
        """Tick, and half a tick later time a train(): what the tick has set off in other threads is over then."""
        self._next_due_s = now_s + TICK_S / 2
        self._ticked = not self._ticked
        if self._ticked:
            self._tick(now_s)
        else:
            self._timed_count, self._timed_since_s = self._trainer.train_count, time.perf_counter()

    def _time_train(self) -> None:
        """Take the time of the train() that has just ended, if it trained."""
        assert self._timed_since_s is not None
        elapsed_s, self._timed_since_s = time.perf_counter() - self._timed_since_s, None
        trained = self._trainer.train_count - self._timed_count
        if trained > 0:
            self._train_seconds.observe(elapsed_s / trained)

    def _tick(self, now_s: float) -> None:
        self.health.turned()
        self._memory.poll()
        self._publisher.check()
        self._release()
        if now_s >= self._next_info_s:
            self._next_info_s = now_s + INFO_EVERY_S
            self._info.update(self._trainer.info)
        if self._work.wants_report("learner"):
            self._report()
        if now_s >= self._next_snapshot_s:
            self._publish()
        if self._memory.checkpoint_due and not self._publisher.late:
            self._checkpoint()

    def _checkpoint(self) -> None:
        """Cut the journal, at a stored snapshot only: what was sampled after it would be missing from both."""
        self._publish()
        if self._publisher.wait(self._publisher.patience_s) and self._memory.consumed() == self._published_position:
            self._memory.checkpoint_if_due()

    def _snapshot(self) -> Snapshot:
        self._next_snapshot_s = time.monotonic() + self._settings.snapshot_interval_s
        self._published_count = self._trainer.train_count
        position = self._memory.consumed()
        start_s = time.perf_counter()
        snapshot = snapshots.take(
            self._parameter, self._epoch, self._trainer.train_count, position, self._elapsed_s(), self._trainer
        )
        self._take_seconds.observe(time.perf_counter() - start_s)
        self._positions[snapshot.version] = self._published_position = position
        return snapshot

    def _publish(self) -> None:
        """Hand a snapshot to the publisher, unless nothing was trained since the last one."""
        if self._trainer.train_count != self._published_count:
            self._publisher.put(self._snapshot())
            kept = self._publisher.may_be_stored()
            self._positions = {version: each for version, each in self._positions.items() if version in kept}

    def _publish_and_wait(self) -> None:
        """Publish, and wait for the store: as long as it takes or, when asked to stop, for the time to drain."""
        self._publish()
        while not self._publisher.wait(STORE_WAIT_S):
            self._memory.poll()
            self.health.turned()
            if self._stop.overdue:
                log.warning("the snapshot of train count %d is not stored", self._published_count)
                return
        self._release()

    def _release(self) -> None:
        """Let the batches go that a stored snapshot contains."""
        stored = self._publisher.stored
        if stored is not None and stored.version in self._positions:
            self._memory.release(self._positions[stored.version])
            self._positions = {v: p for v, p in self._positions.items() if v > stored.version}

    # --- what is known

    def _beat(self) -> dict[str, Any]:
        trainer = self._trainer
        stored = self._publisher.stored
        return {
            "train_count": trainer.train_count,
            "train_calls": self._calls,
            "epoch": self._epoch,
            "snapshot_train_count": stored.train_count if stored else 0,
            "sample_wait_s": self._memory.wait_s,
            "elapsed_s": self._elapsed_s(),
            "end_reason": self.end_reason,
            "info": self._info.values,
        }

    def metrics(self) -> dict[str, Any]:
        """Return the values of `metrics.LEARNER`, and of `metrics.HOST` where the Memory is here."""
        beat = self._beat()
        stored = self._publisher.stored
        return {
            "srl_training": self._training_now,
            "srl_train_count_total": beat["train_count"] - self._begun_count,
            "srl_trainer_version": beat["train_count"],
            "srl_train_calls_total": beat["train_calls"],
            "srl_train_seconds": self._train_seconds,
            "srl_sample_wait_seconds_total": beat["sample_wait_s"],
            "srl_batches_taken_total": self._memory.taken,
            "srl_epoch": beat["epoch"],
            "srl_snapshot_take_seconds": self._take_seconds,
            "srl_snapshots_published_total": self._publisher.published,
            "srl_snapshot_published_bytes_total": self._publisher.published_bytes,
            "srl_snapshot_publish_seconds_total": self._publisher.publish_s,
            "srl_snapshot_failures_total": self._publisher.failures,
            "srl_snapshot_bytes": len(stored.data) if stored else 0,
            "srl_snapshot_version": beat["snapshot_train_count"],
            "srl_train_info": beat["info"],
            **self._memory.metrics(),
        }
