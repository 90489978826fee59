"""Training through a Redis server, under the names that the specification has for it: thin over `train_cluster`."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from srl.base.exception import DistributionError
from srl.runner.cluster import ClusterJob, ClusterMixin, as_distribution_error
from srl.utils.usage import UsageError, short_traceback

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from services.clusters.remote_cluster import RemoteCluster
    from srl.base.context import RunContext
    from srl.base.define import PlayersType
    from srl.base.rl.parameter import RLParameter
    from srl.base.run.callback import RunCallback
    from srl.runner.runner import Runner

log = logging.getLogger("srl")

_REDIS_KWARGS = frozenset({"username", "password", "ssl"})


@dataclass
class RedisParameters:
    """Where the cluster's Redis is: `url`, or `host` and what belongs to it."""

    url: str = ""
    """redis://user:password@host:port/db; rediss:// with TLS."""
    host: str = ""
    port: int = 6379
    db: int = 0
    redis_kwargs: dict[str, Any] = field(default_factory=dict)
    """`username`, `password`, `ssl`."""
    keys_dir: str = ""
    """Folder with user and password (`redis.auth`), where neither is given here."""

    @property
    def cluster(self) -> str:
        """The address as `train_cluster` takes it. Raises UsageError without `url` and `host`."""
        if self.url:
            return self.url
        if not self.host:
            raise UsageError("RedisParameters: give url='redis://host:6379/0', or host='...'")
        unknown = self.redis_kwargs.keys() - _REDIS_KWARGS
        if unknown:
            raise UsageError(
                f"RedisParameters.redis_kwargs has {', '.join(sorted(unknown))}: "
                f"it takes {', '.join(sorted(_REDIS_KWARGS))}; give what else is needed in url"
            )
        username, password = (quote(str(self.redis_kwargs.get(name) or ""), "") for name in ("username", "password"))
        scheme = "rediss" if self.redis_kwargs.get("ssl") else "redis"
        login = f"{username}:{password}@" if username or password else ""
        return f"{scheme}://{login}{self.host}:{self.port}/{self.db}"


class TaskManager:
    """The newest job of a cluster, or the one that is named: who started it may be another process.

        runner.train_distribution_start(redis_params, timeout=600)
        TaskManager(redis_params).train_wait()
        trained = TaskManager(redis_params).create_runner()

    Args:
        redis_params: where the cluster's Redis is.
        job_id: the job's number, "": the newest when this is made.

    Raises DistributionError when there is no cluster, or no such job.
    """

    def __init__(self, redis_params: RedisParameters, job_id: str = "") -> None:
        self._redis_params = redis_params
        self._job_id = job_id
        with self._opened() as cluster:
            self._job_id = cluster.entry.id

    @property
    def job_id(self) -> str:
        """The job's number in the cluster."""
        return self._job_id

    @short_traceback
    def train_wait(
        self, enable_progress: bool = True, progress_interval: float = 60, raise_exception: bool = True
    ) -> None:
        """Wait for the end of the job; `progress_interval` is in seconds, where lines are not kept up to date.

        Ctrl-C asks the job to stop. Raises DistributionError when the job has failed; without `raise_exception` that
        is logged.
        """
        runner = self.create_runner(read_parameter=False)
        runner.set_progress(interval_limit=progress_interval)
        params = self._redis_params
        try:
            with contextlib.closing(
                runner.follow_cluster(
                    params.cluster, self._job_id, enable_progress=enable_progress, keys_dir=params.keys_dir
                )
            ) as job:
                job.wait()
        except DistributionError as error:
            if raise_exception:
                raise
            log.error("%s", error)  # noqa: TRY400  the text has the traceback of the process that failed

    @short_traceback
    def create_runner(self, read_parameter: bool = True) -> Runner:
        """Return a runner with the job's environment and configuration, and what has been learned so far.

        It runs the author's code, which came with the job. Raises DistributionError when it cannot be run here.
        """
        from srl.runner.runner import Runner

        runner = Runner(context=self._context())
        if read_parameter:
            self.read_parameter(runner.parameter)
        return runner

    @short_traceback
    def read_parameter(self, parameter: RLParameter[Any]) -> bool:
        """Restore a Parameter from the newest snapshot of the job. False: there is none yet."""
        with self._opened() as cluster:
            learned = cluster.learner_state()
        if learned is None:
            return False
        parameter.restore(learned.parameter, from_serialized=True)
        return True

    @short_traceback
    def finished(self, reason: str = "") -> None:
        """Ask the job to end."""
        with self._opened() as cluster:
            cluster.stop()

    @short_traceback
    def is_finished(self) -> bool:
        """Tell whether the job is over."""
        with self._opened() as cluster:
            return cluster.is_over

    @short_traceback
    def get_train_count(self) -> int:
        """Return the train count of the newest snapshot, 0 before there is one."""
        with self._opened() as cluster:
            learned = cluster.learner_state()
        return 0 if learned is None else learned.train_count

    def _context(self) -> RunContext:
        with self._opened() as cluster:
            context = cluster.job().make_context_here()
        return replace(context, play_mode="train_distribution")

    @contextlib.contextmanager
    def _opened(self) -> Iterator[RemoteCluster]:
        from services.clusters.remote_cluster import RemoteCluster

        params = self._redis_params
        with as_distribution_error():
            cluster = RemoteCluster.follow(params.cluster, self._job_id, log.warning, params.keys_dir)
            with contextlib.closing(cluster):
                yield cluster


class DistributionMixin(ClusterMixin):
    """Runs through a Redis server, as the specification names them."""

    @short_traceback
    def train_distribution(
        self,
        redis_params: RedisParameters,
        actor_num: int = 1,
        queue_capacity: int = 1000,
        trainer_parameter_send_interval: float = 1,
        actor_parameter_sync_interval: float = 1,
        actor_devices: str | list[str] = "AUTO",
        initial_parameter_sharing: bool = True,
        timeout: float = -1,
        max_train_count: int = -1,
        players: PlayersType | None = None,
        shuffle_player: bool = True,
        enable_progress: bool = True,
        progress_interval: float = 60,
        callbacks: Sequence[RunCallback] = (),
    ) -> None:
        """Train in the cluster whose Redis that is, as `train_cluster` does.

        How many actors there are, and `queue_capacity`, `trainer_parameter_send_interval` and
        `actor_parameter_sync_interval`, are settings of the cluster's services: another value than the default is
        said to have no effect. `progress_interval` is in seconds, where lines are not kept up to date.
        """
        _note_settings_of_services(
            actor_num, queue_capacity, trainer_parameter_send_interval, actor_parameter_sync_interval
        )
        shown = self._progress_options
        self._progress_options = replace(shown, interval_limit_s=progress_interval)
        try:
            self.train_cluster(
                redis_params.cluster, timeout, max_train_count, players, shuffle_player, initial_parameter_sharing,
                enable_progress, callbacks, actor_devices=actor_devices, keys_dir=redis_params.keys_dir,
            )  # fmt: skip
        finally:
            self._progress_options = shown

    @short_traceback
    def train_distribution_start(
        self,
        redis_params: RedisParameters,
        actor_num: int = 1,
        queue_capacity: int = 1000,
        trainer_parameter_send_interval: float = 1,
        actor_parameter_sync_interval: float = 1,
        actor_devices: str | list[str] = "AUTO",
        initial_parameter_sharing: bool = True,
        timeout: float = -1,
        max_train_count: int = -1,
        players: PlayersType | None = None,
        shuffle_player: bool = True,
        enable_progress: bool = True,
        callbacks: Sequence[RunCallback] = (),
    ) -> ClusterJob:
        """Post the job that `train_distribution` would wait for, and return at once; see `TaskManager`.

        Returns:
            The job.
        """
        _note_settings_of_services(
            actor_num, queue_capacity, trainer_parameter_send_interval, actor_parameter_sync_interval
        )
        job = self.train_cluster(
            redis_params.cluster, timeout, max_train_count, players, shuffle_player, initial_parameter_sharing,
            enable_progress, callbacks, wait=False, actor_devices=actor_devices, keys_dir=redis_params.keys_dir,
        )  # fmt: skip
        assert job is not None
        return job


def _note_settings_of_services(actor_num: int, queue_capacity: int, send_s: float, sync_s: float) -> None:
    """Say which of these arguments the caller has set in vain."""
    given = {
        "actor_num": (actor_num, 1, "the actors that run, such as docker compose up --scale actor=8"),
        "queue_capacity": (queue_capacity, 1000, "SRL_WINDOW_CALLS and SRL_CHUNK_ITEMS"),
        "trainer_parameter_send_interval": (send_s, 1, "SRL_SNAPSHOT_INTERVAL_S of the learner"),
        "actor_parameter_sync_interval": (sync_s, 1, "SRL_PARAMETER_INTERVAL_S of the actors"),
    }
    for name, (value, default, instead) in given.items():
        if value != default:
            log.warning("%s=%s has no effect on a cluster: it is set by %s", name, value, instead)
