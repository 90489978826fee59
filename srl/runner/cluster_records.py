"""Checkpoints and evaluations of a cluster, made here of the snapshots that its learner stores: training goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from srl.base.run.past import Past
from srl.runner.checkpoint import Checkpoint, save_checkpoint
from srl.runner.interval import Interval

if TYPE_CHECKING:
    from services.snapshot import LearnerState
    from srl.base.context import RunContext
    from srl.runner.checkpointing import CheckpointOptions
    from srl.runner.cluster_progress import ClusterProgress
    from srl.runner.evaluation import Evaluation
    from srl.runner.history_evaluation import HistoryEvaluation
    from srl.runner.mlflow_recorder import MlflowRecorder
    from srl.runner.observed_cluster import ObservedCluster
    from srl.runner.reported_history import ReportedHistory


@dataclass
class ClusterRecords:
    """What is kept of a run in a cluster, besides what each service writes itself."""

    context: RunContext
    past: Past
    progress: ClusterProgress
    """It knows how many steps and episodes the actors have played."""
    checkpoints: CheckpointOptions | None = None
    evaluation: Evaluation | None = None
    """For checkpoints."""
    history: HistoryEvaluation | None = None
    mlflow: MlflowRecorder | None = None
    rows: ReportedHistory | None = None
    """For services that cannot write their own rows where the history is."""

    def __post_init__(self) -> None:
        self._next_checkpoint = Interval(self.checkpoints.interval_s if self.checkpoints is not None else 0.0)
        self._has_begun = False

    def begin(self) -> None:
        """Begin a run where runs are written to."""
        if self.mlflow is not None:
            self.mlflow.begin(self.context)

    def update(self, cluster: ObservedCluster) -> None:
        """Write what is due."""
        if self.rows is not None:
            self.rows.update(cluster)
        if self.mlflow is not None and self.mlflow.is_due():
            self._update(self.mlflow, cluster)
        if self.checkpoints is not None and (self._next_checkpoint.is_due() or not self._has_begun):
            self._save(self.checkpoints, cluster)
        if self.history is not None and self.history.is_due(self.progress.steps):
            self._evaluate(self.history, cluster)

    def finish(self, cluster: ObservedCluster) -> None:
        """Write the last checkpoint; the services must have ended."""
        if self.rows is not None:
            self.rows.update(cluster, last=True)
        if self.mlflow is not None:
            self._update(self.mlflow, cluster, last=True)
            self.mlflow.end(finished=True)
        if self.checkpoints is not None:
            self._save(self.checkpoints, cluster, last=True)

    def _save(self, options: CheckpointOptions, cluster: ObservedCluster, *, last: bool = False) -> None:
        learned = cluster.learner_state()
        if learned is None:
            return
        self._has_begun = True
        self._next_checkpoint.restart()
        memory = cluster.memory_checkpoint()["memory"] if last else None
        checkpoint = Checkpoint(learned.parameter, learned.trainer, self._standing(learned), memory)
        rewards = self.evaluation.rewards(self.context, learned.parameter) if self.evaluation is not None else ()
        save_checkpoint(options.save_dir, checkpoint, rewards, last=last)

    def close(self) -> None:
        """End what `finish` has not ended, after an error."""
        if self.mlflow is not None:
            self.mlflow.end(finished=False)

    def _update(self, mlflow: MlflowRecorder, cluster: ObservedCluster, *, last: bool = False) -> None:
        learned = cluster.learner_state()
        if learned is not None:
            checkpoint = Checkpoint(learned.parameter, learned.trainer, self._standing(learned))
            mlflow.update(self.context, checkpoint, last=last)

    def _evaluate(self, history: HistoryEvaluation, cluster: ObservedCluster) -> None:
        learned = cluster.learner_state()
        if learned is not None:
            history.restart(self.progress.steps)
            past = self._standing(learned)
            history.evaluate(self.context, learned.parameter, past.total_step, past.train_count)

    def _standing(self, learned: LearnerState) -> Past:
        """Return how far the cluster is. Its actors draw no numbers that another run could draw again."""
        return Past(
            train_count=learned.train_count,
            total_step=self.past.total_step + self.progress.steps,
            episode_count=self.past.episode_count + self.progress.episodes,
            elapsed_s=self.past.elapsed_s + learned.elapsed_s,
        )
