"""The newest items of one schema in a ring of preallocated arrays, one a field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from srl.rl.memories.batch import ColumnBatch
from srl.rl.memories.rows import Reader
from srl.rl.memories.schema import Array, Field, Schema, SchemaError, converted, schema_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


class ColumnStore:
    """Items by number: number n lies in row n % rows, until number n + rows takes its place.

    Args:
        schema: of the items; an int field becomes a float field when a float comes.
        capacity: how many items there is room for...
        max_bytes: ...if they fit into so many bytes (0: any number); there is room for one in any case.
    """

    def __init__(self, schema: Schema, capacity: int, max_bytes: int) -> None:
        self.schema = schema
        self.rows = schema.fitting(capacity, max_bytes) if max_bytes else capacity
        self._adopt(schema, schema.allocate(self.rows))

    def put(self, number: int, item: Any) -> bool:
        """Copy an item in; False, and nothing has changed, when it does not fit."""
        values = self._reader.values(item)
        if values is None:
            values = self._reader.values(item) if self._widen_for(item) else None
        if values is None:
            return False
        row = number % self.rows
        for cells, value in zip(self._cells, values, strict=True):
            cells[row] = value
        return True

    def extend(self, number: int, schema: Schema, columns: Sequence[Array]) -> bool:
        """Copy in items that come as columns, the first one as `number`; False when they do not fit."""
        values = columns if schema is self.schema else self._merge(schema, columns)
        if values is None:
            return False
        start = number % self.rows
        end = start + len(values[0])
        if end <= self.rows:
            self._write(values, slice(start, end))
        else:
            self._write_around(values, start)
        return True

    def gather(self, numbers: npt.NDArray[np.int64]) -> ColumnBatch:
        """Return copies of the items of these numbers."""
        rows = numbers % self.rows
        return ColumnBatch(self.schema, [column.take(rows, axis=0) for column in self._columns])

    def first_kept(self, first: int, end: int) -> int:
        """Return the oldest number that is still there when those up to `end` have come."""
        return max(first, end - self.rows)

    def _write(self, values: Sequence[Array], rows: slice) -> None:
        for column, new in zip(self._columns, values, strict=True):
            column[rows] = new

    def _write_around(self, values: Sequence[Array], start: int) -> None:
        """Copy values into the ring, beginning at row `start`, the last ones that there is room for."""
        skipped = max(0, len(values[0]) - self.rows)
        start = (start + skipped) % self.rows
        split = skipped + self.rows - start
        self._write([column[skipped:split] for column in values], slice(start, self.rows))
        self._write([column[split:] for column in values], slice(0, len(values[0]) - split))

    def _merge(self, schema: Schema, columns: Sequence[Array]) -> Sequence[Array] | None:
        """Return columns in the types of this store, which may become wider; None when they do not fit."""
        merged = self.schema.merged(schema)
        values = converted(columns, merged) if merged is not None else None
        if merged is None or values is None or not self._widen(merged):
            return None
        return values

    def _widen_for(self, item: Any) -> bool:
        try:
            merged = self.schema.merged(schema_of(item))
        except SchemaError:
            return False
        return merged is not None and self._widen(merged)

    def _widen(self, merged: Schema) -> bool:
        """Turn int fields into float fields where `merged` has those; False when that would lose digits."""
        if merged != self.schema:
            columns = converted(self._columns, merged)
            if columns is None:
                return False
            self._adopt(merged, columns)
        return True

    def _adopt(self, schema: Schema, columns: list[Array]) -> None:
        self.schema = schema
        self._columns = columns
        self._cells = [_cells(column, field) for column, field in zip(columns, schema.fields, strict=True)]
        self._reader = Reader(schema)


def _cells(column: Array, field: Field) -> Array:
    """Return a column for writing one value: an array is one cell there, which takes bytes in half the time."""
    if not field.is_array:
        return column
    if not field.bytes:
        return np.zeros(len(column), "V1")  # for the empty bytes of arrays without elements
    return column.reshape(len(column), -1).view(f"V{field.bytes}").reshape(-1)
