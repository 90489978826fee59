"""The files of a history: one JSON object a line, one file a process that plays or trains.

A line that a kill left unfinished is skipped by the reader, and the next writer begins a new one.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger("srl")

Row = dict[str, Any]


class HistoryFile:
    """Appends rows to a file. When the disk refuses, rows are missing, and the run goes on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._failing = False
        self.last: Row = {}
        """The newest row that was there before."""
        if path.exists():
            self.last = (read_rows(path) or [{}])[-1]
            self._end_torn_line()

    def append(self, row: Row) -> None:
        """Write one row, so that it survives a kill of this process."""
        self._write(json.dumps(row, default=_to_json) + "\n")

    def _end_torn_line(self) -> None:
        if not self._path.read_bytes().endswith(b"\n"):
            self._write("\n")

    def _write(self, text: str) -> None:
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(text)
            self._failing = False
        except OSError as error:
            if not self._failing:
                log.warning("history is not written to %s: %s", self._path, error.strerror)
            self._failing = True


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a file in the order in which they were written."""
    rows = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows


def read_folder(folder: Path) -> list[Row]:
    """Return the rows of all files of a history, the oldest first."""
    rows = [row for path in row_files(folder) for row in read_rows(path)]
    return sorted(rows, key=lambda row: float(row.get("time", 0.0)))


def row_files(folder: Path) -> list[Path]:
    """Return the files that rows are in."""
    return [*sorted(folder.glob("actor*.txt")), *sorted(folder.glob("trainer.txt")), *sorted(folder.glob("eval.txt"))]


def _to_json(value: Any) -> Any:
    """Return a number of numpy or torch as Python's, anything else as text."""
    if hasattr(value, "item") and getattr(value, "size", 1) == 1:
        return value.item()
    return str(value)
