"""Checkpoints during a run: at its start, at intervals, and at its end."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from srl.base.run.callback import RunCallback
from srl.runner.checkpoint import Checkpoint, save_checkpoint
from srl.runner.evaluation import Evaluation, EvaluationOptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from srl.base.context import RunContext, RunState


@dataclass(frozen=True)
class CheckpointOptions:
    """When and where checkpoints are written; see Runner.set_checkpoint."""

    save_dir: Path
    interval_s: float = 600
    evaluation: EvaluationOptions = field(default_factory=EvaluationOptions)


class CheckpointWriter(RunCallback):
    """Writes the checkpoints of a run in this process.

    While playing, one that is due waits for the end of the episode: nothing of an episode needs to be in it.
    """

    def __init__(self, options: CheckpointOptions, evaluation: Evaluation | None) -> None:
        self._options = options
        self._evaluation = evaluation
        self._next_s = 0.0

    def on_episodes_begin(self, context: RunContext, state: RunState, **_kwargs: Any) -> None:
        self._save(context, state)

    def on_episode_end(self, context: RunContext, state: RunState) -> None:
        self._save_if_due(context, state)

    def on_episodes_end(self, context: RunContext, state: RunState, **_kwargs: Any) -> None:
        self._save(context, state, last=True)

    def on_trainer_start(self, context: RunContext, state: RunState, **_kwargs: Any) -> None:
        self._save(context, state)

    def on_train_after(self, context: RunContext, state: RunState) -> None:
        self._save_if_due(context, state)

    def on_trainer_end(self, context: RunContext, state: RunState, **_kwargs: Any) -> None:
        self._save(context, state, last=True)

    def _save_if_due(self, context: RunContext, state: RunState) -> None:
        if time.monotonic() >= self._next_s:
            self._save(context, state)

    def _save(self, context: RunContext, state: RunState, *, last: bool = False) -> None:
        assert state.parameter is not None
        checkpoint = Checkpoint.of(context, state, state.parameter)
        save_checkpoint(self._options.save_dir, checkpoint, self._rewards(context, checkpoint.parameter), last=last)
        self._next_s = time.monotonic() + self._options.interval_s

    def _rewards(self, context: RunContext, parameter_backup: Any) -> Sequence[float]:
        return self._evaluation.rewards(context, parameter_backup) if self._evaluation is not None else ()
