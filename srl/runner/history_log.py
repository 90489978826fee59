"""The history of a run: a row of values at each interval, written where the run plays or trains."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srl.base.context import RunContext, RunState, RunStateActor
from srl.base.run.callback import RunCallback
from srl.runner.history_file import HistoryFile, Row
from srl.runner.interval import Interval, IntervalMode
from srl.utils.system_load import SystemLoad

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class HistoryLog(RunCallback):
    """Writes the rows of one process. As plain data it reaches every service, and each writes a file of its own.

    A row's rewards, lengths and times of episodes are means over those that ended since the row before.
    """

    save_dir: str
    interval: float = 1
    """Seconds, or steps (when only training, updates)."""
    interval_mode: IntervalMode = "time"
    write_system: bool = False
    begun_s: float = 0.0
    """Seconds since 1970 that the column "time" counts from, in all processes."""

    def on_start(self, context: RunContext, **_kwargs: Any) -> None:
        only_trains = context.train_only or context.run_name == "trainer"
        self._name = "trainer" if only_trains else f"actor{context.actor_id}"
        self._file = HistoryFile(Path(self.save_dir) / f"{self._name}.txt")
        self._load = SystemLoad() if self.write_system else None
        self._episodes = _Episodes()
        self._written_at = 0
        """The count of steps or updates that the newest row says."""
        self._interval = Interval(self.interval, self.interval_mode)

    def on_step_end(self, context: RunContext, state: RunStateActor) -> None:
        self._write_if_due(state, state.total_step)

    def on_episode_end(self, context: RunContext, state: RunStateActor) -> None:
        self._episodes.note(state)

    def on_train_after(self, context: RunContext, state: RunState) -> None:
        self._write_if_due(state, state.train_count)

    def on_episodes_end(self, context: RunContext, state: RunStateActor, **_kwargs: Any) -> None:  # type: ignore[override]
        self._write_rest(state, state.total_step)

    def on_trainer_end(self, context: RunContext, state: RunState, **_kwargs: Any) -> None:
        self._write_rest(state, state.train_count)

    def _write_if_due(self, state: RunState, count: int) -> None:
        if self._interval.is_due(count):
            self._write(state, count)

    def _write_rest(self, state: RunState, count: int) -> None:
        if count > self._written_at:
            self._write(state, count)

    def _write(self, state: RunState, count: int) -> None:
        self._written_at = count
        self._interval.restart(count)
        row: Row = {"name": self._name, "time": time.time() - self.begun_s}
        if isinstance(state, RunStateActor):
            row |= self._acting(state) | self._episodes.take()
        row |= _training(state)
        if self._load is not None:
            row |= self._load.values()
        self._file.append(row)

    def _acting(self, state: RunStateActor) -> Row:
        """Return what a run that plays has done, with what this process did in earlier lives."""
        past, before = state.past, self._file.last
        row = {
            "step": state.total_step + (past.total_step or before.get("step", 0)),
            "episode": state.episode_count + (past.episode_count or before.get("episode", 0)),
            "sync": state.sync_actor,
            **_named("env", state.env.info),
        }
        for i, worker in enumerate(state.workers):
            row |= _named(f"worker{i}", worker.info)
        return row


class _Episodes:
    """What ended episodes were like, since the last row."""

    def __init__(self) -> None:
        self._count = 0
        self._sums: Row = {}

    def note(self, state: RunStateActor) -> None:
        self._count += 1
        self._add("episode_time", state.last_episode_time)
        self._add("episode_step", state.last_episode_step)
        for i, reward in enumerate(state.last_episode_rewards):
            self._add(f"reward{i}", reward)

    def take(self) -> Row:
        means = {name: value / self._count for name, value in self._sums.items()}
        self._count, self._sums = 0, {}
        return means

    def _add(self, name: str, value: float) -> None:
        self._sums[name] = self._sums.get(name, 0.0) + value


def _training(state: RunState) -> Row:
    row: Row = {"train": state.train_count + state.past.train_count}
    if state.trainer is not None:
        row |= {"train": state.trainer.train_count, **_named("trainer", state.trainer.info)}
        row.setdefault("sync", state.sync_trainer)
    if state.memory is not None and (length := state.memory.length()) >= 0:
        row["memory"] = length
    return row


def _named(prefix: str, info: Mapping[str, Any]) -> Row:
    return {f"{prefix}_{name}": value for name, value in info.items()}
