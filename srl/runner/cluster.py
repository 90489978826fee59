"""Training in a cluster that is there already: a job is posted, followed, and what it learned is brought back."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from srl.base.exception import DistributionError
from srl.runner.distributed import DistributedMixin, counted_from
from srl.runner.reported_history import ReportedHistory
from srl.utils.usage import short_traceback

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from services.clusters.remote_cluster import RemoteCluster
    from srl.base.context import RunContext
    from srl.base.define import PlayersType
    from srl.base.run.callback import RunCallback
    from srl.runner.cluster_records import ClusterRecords
    from srl.runner.history_log import HistoryLog


class ClusterJob:
    """A job that a runner has posted; `Runner.train_cluster(..., wait=False)` returns it."""

    def __init__(self, runner: ClusterMixin, cluster: RemoteCluster, records: ClusterRecords, begun_count: int) -> None:
        self._runner = runner
        self._cluster = cluster
        self._records = records
        self._begun_count = begun_count
        self._followed = False

    @property
    def id(self) -> str:
        """The job's number in the cluster, as `srl jobs` lists it."""
        return self._cluster.entry.id

    @property
    def state(self) -> str:
        """Where the job is: "waiting", "running", "ended", "stopped" or "failed"; it is looked up.

        Raises DistributionError when the cluster cannot be reached.
        """
        with as_distribution_error():
            return str(self._cluster.refreshed().state)

    @short_traceback
    def wait(self) -> None:
        """Wait for the end of the job as `train_cluster` does, and bring back what it learned."""
        if self._followed:
            return
        try:
            with as_distribution_error():
                self._runner._follow(self._cluster, self._records, self._begun_count)  # noqa: SLF001  a part of it
                self._followed = True
        finally:
            self._records.close()
            self._records.progress.finish()

    @short_traceback
    def bring_back(self) -> bool:
        """Take what has been learned so far into the runner; the job goes on. False: nothing is there yet."""
        with as_distribution_error():
            return self._runner._take_over(self._cluster, self._begun_count)  # noqa: SLF001  a part of it

    @short_traceback
    def stop(self) -> None:
        """Ask the job to stop. `wait` then brings back what it has learned."""
        with as_distribution_error():
            self._cluster.stop()

    def close(self) -> None:
        """Close the connections to the cluster; the job goes on."""
        self._cluster.close()


class ClusterMixin(DistributedMixin):
    """Runs in a cluster elsewhere."""

    @short_traceback
    def train_cluster(
        self,
        cluster: str,
        timeout: float = -1,
        max_train_count: int = -1,
        players: PlayersType | None = None,
        shuffle_player: bool = True,
        initial_parameter_sharing: bool = True,
        enable_progress: bool = True,
        callbacks: Sequence[RunCallback] = (),
        wait: bool = True,
        name: str = "",
        actor_devices: str | list[str] = "AUTO",
        keys_dir: str = "",
    ) -> ClusterJob | None:
        """Train in a cluster: post a job, wait for its turn and its end, and bring back what was learned.

        Afterwards this runner has the trained Parameter, the state of its Trainer and its train count, as after
        `train_mp`; also when the job was stopped by somebody else. Ctrl-C asks the job to stop and brings back what has
        been learned, before KeyboardInterrupt goes its way; a second one leaves at once.

        What travels is described in docs/training_in_a_cluster.md: the configuration, and the author's files that it
        needs. The Memory stays in the cluster.

        History, checkpoints, MLflow and evaluations are written here, of what the cluster reports and of the snapshots
        that it stores. Rows of a history have the columns time, step, episode, reward0 (the last episode's), train,
        memory and the Trainer's `info`; those of environments and workers, lengths of episodes, and how busy the
        machines are stay in the cluster. Checkpoints have no Memory.

        Args:
            cluster: its address, "redis://host:6379/0" or "dir:///folder" on one machine.
            timeout: seconds of training, from when the job is taken up. 0 or less: no limit.
            max_train_count: updates. 0 or less: no limit. A job without a limit trains until it is stopped.
            players: as in `train`.
            shuffle_player: as in `train`.
            initial_parameter_sharing: begin with this runner's Parameter, Trainer state and train count, else anew.
            enable_progress: show a progress line, and a table at the end.
            callbacks: dataclasses: they are rebuilt in every actor, the learner and the memory service of the cluster,
                and called there. One that returns True ends the run.
            wait: False: return as soon as the job is posted.
            name: for people who look at the cluster's jobs.
            actor_devices: for algorithms that compute on devices.
            keys_dir: folder with a client's password for Redis (`redis.auth`), if the address has none.

        Returns:
            None, and the job with `wait=False`.

        Raises:
            UsageError: the configuration has a part that cannot travel; it says which.
            DistributionError: there is no cluster, or the job has failed: an exception in the author's code, with
                service, hook and its traceback, or something else that a service cannot go on with.
        """
        context = self._new_context(
            "train_cluster",
            training=True,
            distributed=True,
            timeout=timeout,
            max_train_count=max_train_count,
            players=players or [],
            shuffle_player=shuffle_player,
            actor_devices=actor_devices,
            callbacks=list(callbacks),
        )
        job = self._submit(
            cluster, context, name, keys_dir, enable_progress=enable_progress, shares=initial_parameter_sharing
        )
        if not wait:
            return job
        with contextlib.closing(job):
            job.wait()
        return None

    @short_traceback
    def follow_cluster(
        self, cluster: str, job_id: str, *, enable_progress: bool = True, keys_dir: str = ""
    ) -> ClusterJob:
        """Return a job that was posted before, perhaps by another process, to wait for it and to bring it back.

        This runner must have the environment and the configuration that the job was made with.
        Raises DistributionError when there is no cluster, or no such job.
        """
        from services.clusters.remote_cluster import RemoteCluster

        context = self._new_context("train_cluster", training=True, distributed=True)
        records = self._cluster_records(context, 0, _written_here, enable_progress=enable_progress)
        with as_distribution_error():
            remote = RemoteCluster.follow(cluster, job_id, records.progress.print, keys_dir)
        return ClusterJob(self, remote, records, 0)

    def _submit(
        self, cluster: str, context: RunContext, name: str, keys_dir: str, *, enable_progress: bool, shares: bool
    ) -> ClusterJob:
        from services.clusters.remote_cluster import RemoteCluster
        from services.jobs.job import Job

        trainer = self.trainer if shares else None
        begun_count = trainer.train_count if trainer is not None else 0
        with as_distribution_error():
            job = Job.of(counted_from(begun_count, context), travels=True, name=name)
            records = self._cluster_records(context, begun_count, _written_here, enable_progress=enable_progress)
            remote = RemoteCluster.submit(cluster, job, records.progress.print, trainer, keys_dir)
        if enable_progress:
            records.progress.print(f"job {remote.entry.id} is posted: {job.name}")
        return ClusterJob(self, remote, records, begun_count)


def _written_here(records: ClusterRecords, history: HistoryLog) -> None:
    """Let the rows be written of what the services report."""
    records.rows = ReportedHistory(history)


@contextlib.contextmanager
def as_distribution_error() -> Iterator[None]:
    """Let what is wrong in the cluster, or on the way there, be the runner's error."""
    from srl_common.errors import ClusterError

    try:
        yield
    except ClusterError as error:
        raise DistributionError(str(error)) from None
