"""The actor: THE loop of `srl` with a remote Memory, and between two steps whatever is due.

The Memory's host gives it its number, which exploration may depend on: the author's objects are made after that.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from services.actor.refresher import Refresher
from services.actor.remote_memory import RemoteMemory
from services.actor.step_timer import StepTimer
from services.author import authored
from services.jobs.job import Job
from services.jobs.lifecycle import explained, work_for_jobs
from services.jobs.work import Work
from services.snapshot import take, worker_job
from services.training import Training
from srl.base.run.callback import RunCallback
from srl.base.run.play import play
from srl_common import metrics
from srl_common.errors import AuthorError, SettingError, StorageError, UserError
from srl_common.histogram import REWARDS, Histogram
from srl_common.link import Link, new_incarnation
from srl_common.messages import Role
from srl_common.security import load_keys
from srl_common.service import Again, Health, Stop, start_pages
from srl_common.shards import actor_number, at_shard, shard_of
from srl_common.snapshots import open_store
from srl_common.transport import Client

if TYPE_CHECKING:
    from collections.abc import Callable

    from srl.base.context import RunContext, RunStateActor
    from srl.base.rl.parameter import RLParameter
    from srl_common.job_board import JobBoard, JobEntry
    from srl_common.settings import ActorSettings

log = logging.getLogger("srl")

START_WAIT_S = 0.1
MEAN_EPISODES = 100
"""The mean reward is that of so many episodes, the last ones."""


def main(settings: ActorSettings, stop: Stop) -> Again | None:
    """Play for the settings' job, or for one job of the board."""
    if settings.board:
        return work_for_jobs(settings, stop, _running_job, act, ends_jobs=False)
    act(settings, Job.load(settings.job), Work(stop))
    return None


def _running_job(board: JobBoard) -> JobEntry | None:
    return board.running()


def act(settings: ActorSettings, job: Job, work: Work) -> None:
    """Play episodes for a job until asked to stop; then deliver what is under way, and leave.

    An actor may not write to the board: of a failure that is the job's it tells the Memory's host.
    """
    actor = Actor(settings, job, work)
    pages = start_pages(settings, actor.health, metrics.ACTOR, actor.metrics)
    try:
        with authored(settings.name):
            actor.run()
    except (AuthorError, UserError) as error:
        if not work.on_board or isinstance(error, SettingError | StorageError):
            raise
        actor.fail(explained(error, settings.name))
    finally:
        actor.close()
        if pages is not None:
            pages.close()


class Actor(RunCallback):
    """One actor. As a callback of the loop, it does between two steps what is due."""

    def __init__(self, settings: ActorSettings, job: Job, work: Work) -> None:
        self._shard = shard_of(settings.name, settings.memory_shards)
        self._settings = settings = at_shard(settings, self._shard, "memory_uri")
        self._job = job
        self._stop = work.stop
        self._tick_s = max(settings.chunk_age_ms / 1000, 0.001)
        self._next_due_s = 0.0
        self._ticked = False
        self._parameter: RLParameter[Any]
        incarnation = new_incarnation()
        self._link = Link(
            Client(settings.memory_uri, incarnation, load_keys(settings.keys_dir)),
            Role.ACTOR, settings.name, incarnation, work.shared_digest(job.digest), time.monotonic, self._beat,
            slot=settings.actor_id, shard=self._shard, shards=settings.memory_shards, waits_for_job=work.on_board,
        )  # fmt: skip
        self._memory: RemoteMemory | None = None
        self._refresher = Refresher(
            open_store(settings.store, settings.keys_dir), settings.store_job, settings.parameter_interval_s
        )
        self._version = (0, 0)
        self._version_created_s = 0.0
        self._state: RunStateActor | None = None
        self._reward = 0.0
        self._rewards: deque[float] = deque(maxlen=MEAN_EPISODES)
        self._reward_histogram = Histogram(REWARDS)
        self._timer = StepTimer()
        self._end_reason = ""
        self._error = ""
        self.health = Health()

    def run(self) -> None:
        """Wait for a host and the first parameter, play until asked to stop, deliver the rest."""
        if self._knows_its_number() or self._wait_until(lambda: self._link.welcomed):
            training = self._make_training()
            memory = self._memory = self._make_memory(training)
            if self._wait_until(lambda: self._link.welcomed and self._refresh()):
                self.health.ready = True
                self._play(training, memory)
                memory.flush()
                self._keep_still()  # where a callback has ended the run
                if training.config.use_update_parameter_from_worker() and self._number == 0:
                    self._hand_over_parameter()
            memory.flush()
        self._drain()

    def fail(self, error: str) -> None:
        """Let the Memory's host know what has failed, until the job is over."""
        log.warning("the job fails: %s", error)
        self._error = error
        self._keep_still()
        self._link.say_bye()

    def close(self) -> None:
        """End the thread and the connection."""
        self._refresher.close()
        self._link.close()

    def _wait_until(self, condition: Callable[[], bool]) -> bool:
        """Listen until the condition holds; False: asked to stop before."""
        while not self._stop.asked:
            self._link.wait(START_WAIT_S)
            self.health.turned()
            if condition():
                return True
        return False

    def _knows_its_number(self) -> bool:
        return self._settings.actor_id >= 0 and self._settings.actor_num > 0

    @property
    def _number(self) -> int:
        """The one that the settings say, else unique among the actors of all shards."""
        if self._settings.actor_id >= 0:
            return self._settings.actor_id
        return actor_number(self._link.slot, self._shard, self._settings.memory_shards)

    def _make_training(self) -> Training:
        all_shards = self._link.actor_num * self._settings.memory_shards
        actor_num = self._settings.actor_num or max(all_shards, self._number + 1)
        training = Training(self._job, actor_num, self._number)
        self._parameter = training.make_parameter()
        return training

    def _make_memory(self, training: Training) -> RemoteMemory:
        settings = self._settings
        return RemoteMemory(
            training.make_memory(),
            self._link,
            settings.chunk_items,
            settings.chunk_bytes,
            settings.chunk_age_ms / 1000,
            time.monotonic,
            self._gives_up,
            lambda: self._version,
        )

    def _play(self, training: Training, memory: RemoteMemory) -> None:
        context = training.actor_context()
        workers, main_worker_idx = training.make_workers(self._parameter, memory)
        state = play(context, training.env, workers, main_worker_idx, None, [self, *context.callbacks])
        if not self._stop.asked:
            self._end_reason = state.end_reason

    def _keep_still(self) -> None:
        self._wait_until(lambda: False)

    def _drain(self) -> None:
        while self._link.unacked and not self._link.refused:
            if self._stop.overdue:
                log.warning("%d chunks were not acknowledged in time", self._link.unacked)
                return
            self._link.wait(START_WAIT_S)
        self._link.say_bye()

    def _hand_over_parameter(self) -> None:
        """Store the actor's own Parameter: its Worker changes it too."""
        store, name = open_store(self._settings.store, self._settings.keys_dir), worker_job(self._settings.store_job)
        try:
            store.publish(name, take(self._parameter, store.claim_epoch(name), 0, {}, 0.0))
        finally:
            store.close()

    def _gives_up(self) -> bool:
        """Tell a call that waits for credit whether it is too late; to wait is healthy."""
        self.health.turned()
        return self._stop.overdue or (self._stop.asked and self._link.refused)

    # --- between two steps

    def on_episodes_begin(self, context: RunContext, state: RunStateActor, **_kwargs: Any) -> None:  # type: ignore[override]
        """Keep the state of the loop, for counters."""
        self._state = state
        state.train_count = self._version[1]

    def on_step_end(self, context: RunContext, state: RunStateActor) -> bool:
        """Do what is due; True ends the loop."""
        if time.monotonic() >= self._next_due_s:
            self._do_what_is_due(state)
        return self._stop.asked

    def _do_what_is_due(self, state: RunStateActor) -> None:
        """Tick, and half a tick later time a step: what the tick has set off in other threads is over then."""
        self._ticked = not self._ticked
        if self._ticked:
            self._tick()
        else:
            self._timer.time_next(state.workers, state.env)
        self._next_due_s = time.monotonic() + self._tick_s / 2

    def _tick(self) -> None:
        assert self._memory is not None
        self._memory.flush_old()
        self._link.poll()
        self._refresh()
        self.health.turned()

    def on_episode_end(self, context: RunContext, state: RunStateActor) -> None:
        """Note the reward of the algorithm's own worker."""
        reward = self._reward = state.last_episode_rewards[state.workers.index(state.worker)]
        if math.isfinite(reward):
            self._rewards.append(reward)
            self._reward_histogram.observe(reward)

    def _refresh(self) -> bool:
        fresh = self._refresher.take()
        if fresh is None:
            return False
        self._parameter.restore(fresh.parameter, from_serialized=True)
        self._version, self._version_created_s = fresh.version, fresh.created_s
        if self._state is not None:
            self._state.sync_actor += 1
            self._state.train_count = fresh.version[1]
        return True

    # --- what is known

    def _beat(self) -> dict[str, Any]:
        state = self._state
        return {
            "env_steps": state.total_step if state else 0,
            "episodes": state.episode_count if state else 0,
            "reward": self._reward,
            "reward_mean": self._mean_reward(),
            "epoch": self._version[0],
            "train_count": self._version[1],
            "parameter_age_s": time.time() - self._version_created_s if self._version_created_s else 0.0,
            "credit_wait_s": self._link.credit_wait_s,
            "unacked": self._link.unacked,
            "leaving": self._stop.asked,
            "end_reason": self._end_reason,
            "error": self._error,
        }

    def metrics(self) -> dict[str, Any]:
        """Return the values of `metrics.ACTOR`."""
        beat, memory = self._beat(), self._memory
        return {
            "srl_env_steps_total": beat["env_steps"],
            "srl_episodes_total": beat["episodes"],
            **self._reward_metrics(),
            "srl_policy_seconds": self._timer.policy,
            "srl_env_step_seconds": self._timer.env_step,
            **(_sent(memory) if memory is not None else {}),
            "srl_chunks_resent_total": self._link.resent,
            "srl_chunks_unacked": beat["unacked"],
            "srl_credit_wait_seconds_total": beat["credit_wait_s"],
            "srl_parameter_epoch": beat["epoch"],
            "srl_parameter_version": beat["train_count"],
            "srl_parameter_age_seconds": beat["parameter_age_s"],
            "srl_parameter_fetches_total": self._refresher.fetches,
            "srl_parameter_fetched_bytes_total": self._refresher.fetched_bytes,
            "srl_parameter_fetch_seconds_total": self._refresher.fetch_s,
            "srl_parameter_fetch_failures_total": self._refresher.failures,
            "srl_host_restarts_total": self._link.host_restarts,
        }

    def _mean_reward(self) -> float | None:
        """Return the mean of the last episodes, None before the first has ended."""
        rewards = list(self._rewards)
        return sum(rewards) / len(rewards) if rewards else None

    def _reward_metrics(self) -> dict[str, Any]:
        """Return what is known of rewards; before the first episode ended, that is nothing but an empty histogram."""
        values: dict[str, Any] = {"srl_episode_reward": self._reward_histogram}
        mean = self._mean_reward()
        if mean is not None:
            values |= {"srl_episode_reward_last": self._reward, "srl_episode_reward_mean": mean}
        return values


def _sent(memory: RemoteMemory) -> dict[str, Any]:
    return {
        "srl_items_sent_total": memory.items_sent,
        "srl_chunks_sent_total": memory.chunks_sent,
        "srl_chunk_items": memory.chunk_items,
        "srl_chunk_bytes": memory.chunk_bytes,
    }
