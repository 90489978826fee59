"""The history of a run in a cluster elsewhere, of what its services report: they cannot write where it is."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srl.runner.history_file import HistoryFile, Row
from srl.runner.interval import Interval

if TYPE_CHECKING:
    from srl.runner.history_log import HistoryLog
    from srl.runner.observed_cluster import ObservedCluster


class ReportedHistory:
    """Writes the rows that the services would write, as far as their reports say what is in them.

    Actors are numbered in the order in which they are first seen; one that is started anew gets a new number.
    """

    def __init__(self, history: HistoryLog) -> None:
        self._history = history
        self._files: dict[str, _ServiceFile] = {}
        self._actors: dict[str, str] = {}

    def update(self, cluster: ObservedCluster, *, last: bool = False) -> None:
        """Write a row for each service that has reported something new, when one is due, or at the `last`."""
        if cluster.learner:
            self._write("trainer", _trainer_row(cluster), "train", last=last)
        for name, actor in cluster.actors.items():
            self._write(
                self._actors.setdefault(name, f"actor{len(self._actors)}"), _actor_row(actor), "step", last=last
            )

    def _write(self, name: str, row: Row, counted: str, *, last: bool) -> None:
        file = self._files.get(name)
        if file is None:
            file = self._files[name] = _ServiceFile(self._history, name)
        file.write({"name": name, "time": time.time() - self._history.begun_s, **row}, int(row[counted]), last=last)


class _ServiceFile:
    """The rows of one service."""

    def __init__(self, history: HistoryLog, name: str) -> None:
        self._file = HistoryFile(Path(history.save_dir) / f"{name}.txt")
        self._interval = Interval(history.interval, history.interval_mode)
        self._written_at = -1

    def write(self, row: Row, count: int, *, last: bool) -> None:
        if count != self._written_at and (last or self._interval.is_due(count)):
            self._written_at = count
            self._interval.restart(count)
            self._file.append(row)


def _trainer_row(cluster: ObservedCluster) -> Row:
    learner = cluster.learner
    row: Row = {"train": learner.get("train_count", 0)}
    row |= {f"trainer_{name}": value for name, value in learner.get("info", {}).items()}
    length = cluster.view.host.get("memory_length", -1)
    return row | ({"memory": length} if length >= 0 else {})


def _actor_row(actor: dict[str, Any]) -> Row:
    names = {"step": "env_steps", "episode": "episodes", "reward0": "reward", "train": "train_count"}
    return {column: actor.get(counter, 0) for column, counter in names.items()}
