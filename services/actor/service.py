"""The actor: THE loop of `srl` with a remote Memory, and between two steps whatever is due."""

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
from services.job import Job
from services.snapshot import take, worker_job
from services.training import Training
from srl.base.run.callback import RunCallback
from srl.base.run.play import play
from srl_common import metrics
from srl_common.histogram import REWARDS, Histogram
from srl_common.link import Link, new_incarnation
from srl_common.messages import Role
from srl_common.security import load_keys
from srl_common.service import Health, Stop, start_pages
from srl_common.shards import at_shard, shard_of
from srl_common.snapshots import open_store
from srl_common.transport import Client

if TYPE_CHECKING:
    from srl.base.context import RunContext, RunStateActor
    from srl.base.rl.parameter import RLParameter
    from srl_common.settings import ActorSettings

log = logging.getLogger("srl")

START_WAIT_S = 0.1
MEAN_EPISODES = 100
"""The mean reward is that of so many episodes, the last ones."""


def act(settings: ActorSettings, stop: Stop) -> None:
    """Play episodes for the settings' job until asked to stop; then deliver what is under way, and leave."""
    with authored(settings.name):
        actor = Actor(settings, Job.load(settings.job), stop)
        pages = start_pages(settings, actor.health, metrics.ACTOR, actor.metrics)
        try:
            actor.run()
        finally:
            actor.close()
            if pages is not None:
                pages.close()


class Actor(RunCallback):
    """One actor. As a callback of the loop, it does between two steps what is due."""

    def __init__(self, settings: ActorSettings, job: Job, stop: Stop) -> None:
        self._settings = settings = at_shard(settings, shard_of(settings.name, settings.memory_shards), "memory_uri")
        self._stop = stop
        self._tick_s = max(settings.chunk_age_ms / 1000, 0.001)
        self._next_tick_s = 0.0
        self._training = Training(job, settings.actor_num, settings.actor_id)
        self._parameter: RLParameter[Any] = self._training.make_parameter()
        incarnation = new_incarnation()
        self._link = Link(
            Client(settings.memory_uri, incarnation, load_keys(settings.keys_dir)),
            Role.ACTOR, settings.name, incarnation, job.digest, time.monotonic, self._beat,
        )  # fmt: skip
        self._memory = RemoteMemory(
            self._training.make_memory(),
            self._link,
            settings.chunk_items,
            settings.chunk_bytes,
            settings.chunk_age_ms / 1000,
            time.monotonic,
            self._gives_up,
            lambda: self._version,
        )
        self._refresher = Refresher(open_store(settings.store), settings.store_job, settings.parameter_interval_s)
        self._version = (0, 0)
        self._version_created_s = 0.0
        self._state: RunStateActor | None = None
        self._reward = 0.0
        self._rewards: deque[float] = deque(maxlen=MEAN_EPISODES)
        self._reward_histogram = Histogram(REWARDS)
        self._timer = StepTimer()
        self._end_reason = ""
        self.health = Health()

    def run(self) -> None:
        """Wait for the first parameter and a host, play until asked to stop, deliver the rest."""
        if self._wait_for_start():
            self.health.ready = True
            self._play()
            self._keep_still()
            if self._training.config.use_update_parameter_from_worker() and self._settings.actor_id == 0:
                self._hand_over_parameter()
        self._drain()

    def close(self) -> None:
        """End the thread and the connection."""
        self._refresher.close()
        self._link.close()

    def _wait_for_start(self) -> bool:
        while not self._stop.asked:
            self._link.wait(START_WAIT_S)
            self.health.turned()
            if self._link.welcomed and self._refresh():
                return True
        return False

    def _play(self) -> None:
        context = self._training.actor_context()
        workers, main_worker_idx = self._training.make_workers(self._parameter, self._memory)
        state = play(context, self._training.env, workers, main_worker_idx, None, [self, *context.callbacks])
        if not self._stop.asked:
            self._end_reason = state.end_reason

    def _keep_still(self) -> None:
        """Wait for the wish to stop where a callback has ended the run."""
        self._memory.flush()
        while not self._stop.asked:
            self._link.wait(START_WAIT_S)
            self.health.turned()

    def _drain(self) -> None:
        self._memory.flush()
        while self._link.unacked:
            if self._stop.overdue:
                log.warning("%d chunks were not acknowledged in time", self._link.unacked)
                return
            self._link.wait(START_WAIT_S)
        self._link.say_bye()

    def _hand_over_parameter(self) -> None:
        """Store the actor's own Parameter: its Worker changes it too."""
        store, name = open_store(self._settings.store), worker_job(self._settings.store_job)
        try:
            store.publish(name, take(self._parameter, store.claim_epoch(name), 0, {}, 0.0))
        finally:
            store.close()

    def _gives_up(self) -> bool:
        """Tell a call that waits for credit whether it is too late; to wait is healthy."""
        self.health.turned()
        return self._stop.overdue

    # --- between two steps

    def on_episodes_begin(self, context: RunContext, state: RunStateActor, **_kwargs: Any) -> None:  # type: ignore[override]
        """Keep the state of the loop, for counters."""
        self._state = state
        state.train_count = self._version[1]

    def on_step_end(self, context: RunContext, state: RunStateActor) -> bool:
        """Do what is due; True ends the loop."""
        now_s = time.monotonic()
        if now_s >= self._next_tick_s:
            self._next_tick_s = now_s + self._tick_s
            self._memory.flush_old()
            self._link.poll()
            self._refresh()
            self._timer.time_next(state.workers, state.env)
            self.health.turned()
        return self._stop.asked

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
            "epoch": self._version[0],
            "train_count": self._version[1],
            "parameter_age_s": time.time() - self._version_created_s if self._version_created_s else 0.0,
            "credit_wait_s": self._memory.credit_wait_s,
            "unacked": self._link.unacked,
            "leaving": self._stop.asked,
            "end_reason": self._end_reason,
        }

    def metrics(self) -> dict[str, Any]:
        """Return the values of `metrics.ACTOR`."""
        beat = self._beat()
        return {
            "srl_env_steps_total": beat["env_steps"],
            "srl_episodes_total": beat["episodes"],
            **self._reward_metrics(),
            "srl_policy_seconds": self._timer.policy,
            "srl_env_step_seconds": self._timer.env_step,
            "srl_items_sent_total": self._memory.items_sent,
            "srl_chunks_sent_total": self._memory.chunks_sent,
            "srl_chunks_resent_total": self._link.resent,
            "srl_chunks_unacked": beat["unacked"],
            "srl_chunk_items": self._memory.chunk_items,
            "srl_chunk_bytes": self._memory.chunk_bytes,
            "srl_credit_wait_seconds_total": beat["credit_wait_s"],
            "srl_parameter_epoch": beat["epoch"],
            "srl_parameter_version": beat["train_count"],
            "srl_parameter_age_seconds": beat["parameter_age_s"],
            "srl_host_restarts_total": self._link.host_restarts,
        }

    def _reward_metrics(self) -> dict[str, Any]:
        """Return what is known of rewards; before the first episode ended, that is nothing but an empty histogram."""
        rewards = list(self._rewards)
        values: dict[str, Any] = {"srl_episode_reward": self._reward_histogram}
        if rewards:
            values |= {
                "srl_episode_reward_last": self._reward,
                "srl_episode_reward_mean": sum(rewards) / len(rewards),
            }
        return values
