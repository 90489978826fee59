"""Training with several actors: the services of a cluster as children of this process."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from srl.base.context import RunStateTrainer
from srl.base.exception import DistributionError
from srl.base.run.past import Past
from srl.runner.checkpoint import has_backup
from srl.runner.cluster_progress import ClusterProgress
from srl.runner.cluster_records import ClusterRecords
from srl.runner.records import RecordsMixin
from srl.utils.usage import UsageError, short_traceback

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from services.clusters.local import Options
    from srl.base.context import RunContext
    from srl.base.define import PlayersType
    from srl.base.rl.memory import RLMemory
    from srl.base.rl.trainer import RLTrainer
    from srl.base.run.callback import RunCallback
    from srl.runner.history_log import HistoryLog
    from srl.runner.observed_cluster import ObservedCluster

_CHUNK_ITEMS_MAX = 250
_WATCH_S = 0.1
"""How long to listen before the children are looked at again."""


class DistributedMixin(RecordsMixin):
    """Runs that use more than this process."""

    @short_traceback
    def train_mp(
        self,
        actor_num: int = 1,
        queue_capacity: int = 1000,
        trainer_parameter_send_interval: float = 1,
        actor_parameter_sync_interval: float = 1,
        actor_devices: str | list[str] = "AUTO",
        enable_mp_memory: bool = True,
        train_to_mem_queue_capacity: int = 100,
        mem_to_train_queue_capacity: int = 5,
        return_memory_data: bool = False,
        return_memory_timeout: float = 3600,
        initial_parameter_sharing: bool = True,
        initial_memory_sharing: bool = False,
        timeout: float = -1,
        max_train_count: int = -1,
        players: PlayersType | None = None,
        shuffle_player: bool = True,
        enable_progress: bool = True,
        callbacks: Sequence[RunCallback] = (),
    ) -> None:
        """Train with `actor_num` actors, a memory service and a learner, each a process of its own.

        Afterwards this runner has the trained Parameter and the state of its Trainer (and the Memory, with
        `return_memory_data`). A process that is killed is started again and training goes on. Ctrl-C ends training
        early and brings back what has been learned, before KeyboardInterrupt goes its way.

        Args:
            actor_num: how many actors play.
            queue_capacity: items of an actor that may be under way; with more, its Worker waits.
            trainer_parameter_send_interval: seconds between two snapshots of the Parameter.
            actor_parameter_sync_interval: seconds between an actor's looks for a newer one.
            actor_devices: for algorithms that compute on devices.
            enable_mp_memory: the Memory has a process of its own (asynchronous); else it is in the learner.
            train_to_mem_queue_capacity: calls of the Trainer to the Memory that may be under way.
            mem_to_train_queue_capacity: batches that are prepared ahead.
            return_memory_data: bring the Memory back. Needs its `call_backup`.
            return_memory_timeout: seconds that this may take.
            initial_parameter_sharing: begin with this runner's Parameter, Trainer state and train count, else anew.
            initial_memory_sharing: begin with what this runner's Memory holds. Needs its `call_backup`.
            timeout: seconds of training.
            max_train_count: updates.
            players: as in `train`.
            shuffle_player: as in `train`.
            enable_progress: show a progress line, and a table at the end.
            callbacks: dataclasses: they are rebuilt in every actor, the learner and the memory service, and called
                there. One that returns True ends the run.

        Raises:
            UsageError: no limit is given, a number is too small, or the Memory has no backup where it is needed.
            DistributionError: an exception in the author's code, with service, hook and its traceback; or
                something else that a service cannot go on with.
        """
        _check_positive(
            actor_num=actor_num,
            queue_capacity=queue_capacity,
            train_to_mem_queue_capacity=train_to_mem_queue_capacity,
            mem_to_train_queue_capacity=mem_to_train_queue_capacity,
        )
        context = self._new_context(
            "train_mp",
            training=True,
            distributed=True,
            timeout=timeout,
            max_train_count=max_train_count,
            actor_num=actor_num,
            actor_devices=actor_devices,
            players=players or [],
            shuffle_player=shuffle_player,
            callbacks=list(callbacks),
        )
        context.require_stop_condition("timeout", "max_train_count")
        for setting, wanted in {
            "return_memory_data": return_memory_data,
            "initial_memory_sharing": initial_memory_sharing,
        }.items():
            if wanted:
                _require_backup(self.memory, setting)

        from services.clusters.local import Options

        chunk_items = max(1, min(_CHUNK_ITEMS_MAX, queue_capacity // 4))
        options = Options(
            actor_num=actor_num,
            hosts_memory=enable_mp_memory,
            chunk_items=chunk_items,
            window_calls=max(1, queue_capacity // chunk_items),
            update_window_calls=train_to_mem_queue_capacity,
            prefetch_batches=mem_to_train_queue_capacity,
            snapshot_interval_s=trainer_parameter_send_interval,
            parameter_interval_s=max(actor_parameter_sync_interval, 0.01),
            return_memory=return_memory_data or (self._checkpoints is not None and has_backup(self.memory)),
            memory_timeout_s=return_memory_timeout,
        )
        self._train_in_cluster(
            context,
            options,
            self.trainer if initial_parameter_sharing else None,
            self.memory if initial_memory_sharing or self._has_memory_to_go_on_from() else None,
            return_memory=return_memory_data,
            enable_progress=enable_progress,
        )

    def _train_in_cluster(
        self,
        context: RunContext,
        options: Options,
        trainer: RLTrainer[Any, Any, Any] | None,
        memory: RLMemory[Any] | None,
        *,
        return_memory: bool,
        enable_progress: bool,
    ) -> None:
        """Train in a cluster that begins where `trainer` stands, None: anew."""
        from services.clusters.local import LocalCluster
        from services.jobs.job import Job
        from srl_common.errors import ClusterError

        begun_count = trainer.train_count if trainer is not None else 0
        records = self._cluster_records(context, begun_count, _written_by_services, enable_progress=enable_progress)
        progress = records.progress
        try:
            job = Job.of(counted_from(begun_count, context))
            with LocalCluster(job, options, progress.print, trainer, memory) as cluster:
                self._follow(cluster, records, begun_count)
                if return_memory:
                    self.memory.restore(cluster.memory_checkpoint()["memory"])
        except ClusterError as error:
            raise DistributionError(str(error)) from None
        finally:
            records.close()
            progress.finish()

    def _cluster_records(
        self,
        context: RunContext,
        begun_count: int,
        add_history: Callable[[ClusterRecords, HistoryLog], None],
        *,
        enable_progress: bool,
    ) -> ClusterRecords:
        """Return what writes the records of a run; `add_history` sees to it that its history gets rows."""
        shown, checkpoints = self._progress_options, self._checkpoints
        evaluation = self._evaluation(shown.evaluation) if enable_progress else None
        progress = ClusterProgress(context, shown, begun_count, evaluation, enable=enable_progress)
        records = ClusterRecords(context, self._take_past() or Past(), progress, checkpoints)
        if checkpoints is not None:
            records.evaluation = self._evaluation(checkpoints.evaluation)
        history = self._history_log(context)
        if history is not None:
            add_history(records, history)
            records.history = self._history_evaluation(history)
            records.mlflow = self._mlflow_recorder(history)
        return records

    def _has_memory_to_go_on_from(self) -> bool:
        """Tell whether a checkpoint was loaded whose Memory the cluster is to go on with."""
        return self._past is not None and has_backup(self.memory)

    def _follow(self, cluster: ObservedCluster, records: ClusterRecords, begun_count: int) -> None:
        """Wait for the end of training, and take over what was learned, however it ended."""
        try:
            self._watch(cluster, records)
        finally:
            self._take_over(cluster, begun_count)

    def _watch(self, cluster: ObservedCluster, records: ClusterRecords) -> None:
        """Wait for the end of training, and end the services in order."""
        progress = records.progress
        records.begin()
        progress.begin()
        try:
            while True:
                cluster.watch(_WATCH_S)
                progress.update(cluster)
                records.update(cluster)
                if cluster.end_reason:
                    break
        except KeyboardInterrupt:
            progress.print(cluster.interrupt_text)
            self._end(cluster, records)
            raise
        self._end(cluster, records)

    def _end(self, cluster: ObservedCluster, records: ClusterRecords) -> None:
        cluster.drain()
        records.progress.update(cluster)
        records.finish(cluster)

    def _take_over(self, cluster: ObservedCluster, begun_count: int) -> bool:
        """Take over what was learned, however training ended; False: there is nothing."""
        learned = cluster.learner_state()
        if learned is None:
            return False
        self.parameter.restore(learned.parameter, from_serialized=True)
        self.trainer.train_count = learned.train_count
        self.trainer.restore(learned.trainer)
        self.state = RunStateTrainer(
            trainer=self.trainer,
            parameter=self.parameter,
            train_count=learned.train_count - begun_count,
            end_reason=cluster.end_reason,
        )
        of_worker = cluster.worker_parameter() if self.rl_config.use_update_parameter_from_worker() else None
        if of_worker is not None:
            other = self.rl_config.make_parameter(self.env)
            other.restore(of_worker, from_serialized=True, from_worker=True)
            self.parameter.update_from_worker_parameter(other)
        return True


def _written_by_services(records: ClusterRecords, history: HistoryLog) -> None:
    """Let each service write the rows of its own."""
    records.context.callbacks.append(history)


def counted_from(begun_count: int, context: RunContext) -> RunContext:
    """Return the context of a job whose learner counts on from `begun_count`."""
    if context.max_train_count <= 0:
        return context
    return replace(context, max_train_count=begun_count + context.max_train_count)


def _require_backup(memory: RLMemory[Any], setting: str) -> None:
    if not has_backup(memory):
        name = type(memory).__name__
        raise UsageError(f"train_mp: {setting} needs {name}.call_backup and {name}.call_restore: define both")


def _check_positive(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise UsageError(f"train_mp: {name} is {number}, it must be 1 or more")
