"""Writes a training to MLflow while it goes on: the rows of its history, and checkpoints."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from srl.base.run.callback import RunCallback
from srl.runner.checkpoint import Checkpoint
from srl.runner.evaluation import Evaluation, EvaluationOptions
from srl.runner.history_file import read_rows, row_files
from srl.runner.interval import Interval
from srl.runner.mlflow_store import MlflowRun, mlflow_error

if TYPE_CHECKING:
    from pathlib import Path

    from srl.base.context import RunContext, RunState
    from srl.runner.history_file import Row

log = logging.getLogger("srl")


@dataclass(frozen=True)
class MlflowOptions:
    """Where and when it is written; see Runner.set_mlflow."""

    experiment_name: str
    run_name: str
    tags: dict[str, str]
    tracking_uri: str
    interval_s: float
    checkpoint_interval_s: float
    enable_checkpoint: bool
    evaluation: EvaluationOptions = field(default_factory=EvaluationOptions)


class MlflowRecorder(RunCallback):
    """Follows the history in a folder. When MLflow is away, what could not be written is tried again.

    Args:
        options: where and when.
        folder: of the history.
        begun_s: seconds since 1970 that the history's times count from.
        evaluation: for checkpoints.
    """

    def __init__(self, options: MlflowOptions, folder: Path, begun_s: float, evaluation: Evaluation | None) -> None:
        self._options = options
        self._rows = _NewRows(folder)
        self._begun_s = begun_s
        self._evaluation = evaluation
        self._next = Interval(options.interval_s)
        self._next_checkpoint = Interval(options.checkpoint_interval_s)
        self._run: MlflowRun | None = None
        self._failing = False

    # --- in this process

    def on_start(self, context: RunContext, **_kwargs: Any) -> None:
        self.begin(context)

    def on_episode_end(self, context: RunContext, state: RunState) -> None:
        if self.is_due():
            self._update(context, state)

    def on_train_after(self, context: RunContext, state: RunState) -> None:
        if self.is_due():
            self._update(context, state)

    def on_end(self, context: RunContext, **kwargs: Any) -> None:
        state: RunState = kwargs["state"]
        if state.end_reason:
            self._update(context, state, last=True)
        self.end(finished=bool(state.end_reason))

    def _update(self, context: RunContext, state: RunState, *, last: bool = False) -> None:
        assert state.parameter is not None
        self.update(context, Checkpoint.of(context, state, state.parameter, with_memory=False), last=last)

    # --- wherever training is

    def begin(self, context: RunContext) -> None:
        """Begin a run in MLflow. Raises MlflowException when there is no MLflow, UsageError without its package."""
        options = self._options
        self._run = MlflowRun.begin(options.tracking_uri, options.experiment_name, options.run_name, options.tags)
        self._run.log_settings(context)

    def is_due(self) -> bool:
        """Tell whether there is something to write."""
        return self._next.is_due() or self._is_checkpoint_due()

    def update(self, context: RunContext, checkpoint: Checkpoint, *, last: bool = False) -> None:
        """Write the new rows, and a checkpoint if one is due."""
        assert self._run is not None
        self._next.restart()
        try:
            self._run.log_rows(self._rows.peek(), self._begun_s)
            self._rows.take()
            if self._is_checkpoint_due() or (last and self._options.enable_checkpoint):
                self._next_checkpoint.restart()
                self._run.log_checkpoint(checkpoint, self._rewards(context, checkpoint), last=last)
            self._failing = False
        except mlflow_error() as error:
            if not self._failing:
                log.warning("not written to MLflow: %s", error)
            self._failing = True

    def end(self, *, finished: bool) -> None:
        """End the run in MLflow."""
        run, self._run = self._run, None
        if run is None:
            return
        try:
            run.end("FINISHED" if finished else "FAILED")
        except mlflow_error() as error:
            log.warning("the run is not ended in MLflow: %s", error)

    def _is_checkpoint_due(self) -> bool:
        return self._options.enable_checkpoint and self._next_checkpoint.is_due()

    def _rewards(self, context: RunContext, checkpoint: Checkpoint) -> list[float]:
        return self._evaluation.rewards(context, checkpoint.parameter) if self._evaluation is not None else []


class _NewRows:
    """The rows of a history that were not taken yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: dict[str, int] = {}
        self.peek()
        self.take()

    def peek(self) -> list[Row]:
        """Return the new rows."""
        rows = {path.name: read_rows(path) for path in row_files(self._folder)}
        self._seen = {name: len(each) for name, each in rows.items()}
        return [row for name, each in rows.items() for row in each[self._taken.get(name, 0) :]]

    def take(self) -> None:
        """Count those that `peek` has returned as old."""
        self._taken = self._seen
