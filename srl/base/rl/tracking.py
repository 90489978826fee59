"""A worker's notebook of one episode: what algorithms with sequences look back at."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


class Tracking:
    """Rows of named values in the order they were added; the oldest are forgotten beyond `max_size`."""

    def __init__(self) -> None:
        self.rows: deque[dict[str, Any]] = deque()

    def set_max_size(self, max_size: int) -> None:
        """Keep at most so many rows; -1 keeps all."""
        self.rows = deque(self.rows, maxlen=max_size if max_size >= 0 else None)

    def add(self, row: Mapping[str, Any]) -> None:
        self.rows.append(dict(row))

    def column(self, key: str, size: int | None, dummy: Any) -> list[Any]:
        """Return the newest `size` values of `key` (None: all), filled up at the head with `dummy`.

        Where a row has no such key, its value is None.
        """
        values = [row.get(key) for row in self.rows]
        if size is None:
            return values
        return [dummy] * (size - len(values)) + _newest(values, size)

    def table(
        self,
        keys: list[str] | None,
        size: int,
        padding_data: Mapping[str, Any],
        padding_direct: Literal["head", "tail"],
    ) -> list[list[Any]]:
        """Return the newest `size` rows (0: all) as lists in the order of `keys` (None: all keys).

        Missing rows are filled up from `padding_data`, at the head or at the tail.
        """
        keys = keys if keys is not None else list({key: None for row in self.rows for key in row})
        rows = [[row.get(key) for key in keys] for row in self.rows]
        if size <= 0:
            return rows
        padding = [[padding_data.get(key) for key in keys] for _ in range(size - len(rows))]
        newest = _newest(rows, size)
        return padding + newest if padding_direct == "head" else newest + padding


def _newest(values: list[Any], size: int) -> list[Any]:
    return values[max(0, len(values) - size) :]
