"""Evaluations of a history: rows of their own, in a file of their own, whoever trains."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srl.base.run.callback import RunCallback
from srl.runner.checkpoint import standing
from srl.runner.history_file import HistoryFile
from srl.runner.interval import Interval

if TYPE_CHECKING:
    from srl.base.context import RunContext, RunState, RunStateActor
    from srl.runner.evaluation import Evaluation
    from srl.runner.history_log import HistoryLog


class HistoryEvaluation(RunCallback):
    """Evaluates at each interval of the history, or at its own; while playing, at the end of an episode."""

    def __init__(self, history: HistoryLog, evaluation: Evaluation, interval_s: float) -> None:
        self._begun_s = history.begun_s
        self._evaluation = evaluation
        self._file = HistoryFile(Path(history.save_dir) / "eval.txt")
        own = interval_s > 0
        self._interval = Interval(interval_s) if own else Interval(history.interval, history.interval_mode)

    def on_episode_end(self, context: RunContext, state: RunStateActor) -> None:
        if self.is_due(state.total_step):
            self._evaluate(context, state, state.total_step)

    def on_train_after(self, context: RunContext, state: RunState) -> None:
        if self.is_due(state.train_count):
            self._evaluate(context, state, state.train_count)

    def _evaluate(self, context: RunContext, state: RunState, count: int) -> None:
        self.restart(count)
        assert state.parameter is not None
        past = standing(context, state)
        self.evaluate(context, state.parameter.backup(serialized=True), past.total_step, past.train_count)

    def is_due(self, count: int) -> bool:
        """Tell whether it is time, after so many steps or updates."""
        return self._interval.is_due(count)

    def restart(self, count: int) -> None:
        """Begin to wait for the next evaluation."""
        self._interval.restart(count)

    def evaluate(self, context: RunContext, parameter_backup: Any, step: int, train: int) -> None:
        """Evaluate a Parameter that so many steps and updates have made, and write a row."""
        at_s = time.time() - self._begun_s
        rewards = self._evaluation.rewards(context, parameter_backup)
        named = {f"eval_reward{i}": reward for i, reward in enumerate(rewards)}
        self._file.append({"name": "eval", "time": at_s, "step": step, "train": train, **named})
