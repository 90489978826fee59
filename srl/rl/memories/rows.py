"""Items of one schema, value by value: checked when they come, and made into columns when there are many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from srl.rl.memories.schema import (
    BOOL,
    FLOAT,
    INT,
    INT64_MAX,
    INT64_MIN,
    Array,
    Field,
    Schema,
    SchemaError,
    is_exact,
    schema_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_CONTAINERS: dict[str, Any] = {"dict": dict, "tuple": tuple, "list": list}
_PLAIN: dict[np.dtype[Any], tuple[type, ...]] = {
    BOOL: (bool, np.bool_),
    INT: (int, np.int64),
    FLOAT: (float, np.float64),
}
"""The types of the numbers that come back as Python's own, by the type of their column."""


class Reader:
    """Takes the values out of items, if they can lie in columns of a schema without loss.

    Args:
        schema: of the columns.
    """

    def __init__(self, schema: Schema) -> None:
        fields = schema.fields
        self._container = _CONTAINERS.get(schema.kind)
        self._names = schema.names
        self._allowed = [_types_of(field) for field in fields]
        self._types = [types[0] for types in self._allowed]
        self._floats = {place for place, field in enumerate(fields) if field == Field(FLOAT, ())}
        self._ints = [place for place, field in enumerate(fields) if field == Field(INT, ())]
        self._arrays = [(place, field.dtype, field.shape) for place, field in enumerate(fields) if field.is_array]

    def values(self, item: Any) -> list[Any] | None:
        """Return copies of the values of an item, arrays as their bytes; None when it does not fit."""
        container = self._container
        if container is None:
            return self._checked([item])
        if type(item) is not container:
            return None
        if container is dict:
            return self._checked(list(item.values())) if tuple(item) == self._names else None
        return self._checked(list(item)) if len(item) == len(self._types) else None

    def _checked(self, values: list[Any]) -> list[Any] | None:
        types = list(map(type, values))
        if types != self._types and not self._admits(types, values):
            return None
        for place in self._ints:
            if not INT64_MIN <= values[place] <= INT64_MAX:
                return None
        for place, dtype, shape in self._arrays:
            value = values[place]
            if (value.dtype is not dtype and value.dtype != dtype) or value.shape != shape:
                return None
            values[place] = value.tobytes()
        return values

    def _admits(self, types: list[type], values: list[Any]) -> bool:
        """Tell whether values of other types than those of the last item fit: numpy's numbers, ints among floats."""
        others = [place for place, kind in enumerate(types) if kind not in self._allowed[place]]
        if not others:
            self._types = types
        return all(place in self._floats and is_exact(values[place]) for place in others)


class RowBuffer:
    """Copies of items of one schema, given out as columns. Per item, that is cheaper than filling columns.

    Args:
        schema: of the items.
        capacity: how many items there is room for.
    """

    def __init__(self, schema: Schema, capacity: int) -> None:
        self.schema = schema
        self._reader = Reader(schema)
        self._capacity = capacity
        self._rows: list[list[Any]] = []

    def append(self, item: Any) -> bool:
        """Take in a copy of `item`; False, and nothing is changed, when it does not fit or there is no room."""
        rows = self._rows
        values = self._reader.values(item) if len(rows) < self._capacity else None
        if values is None:
            return False
        rows.append(values)
        return True

    def columns(self) -> list[Array]:
        """Return one array a field, of shape (items, *shape of the field)."""
        columns = zip(*self._rows, strict=True)
        return [_column(field, values) for field, values in zip(self.schema.fields, columns, strict=True)]


def stack(items: Sequence[Any]) -> tuple[Schema, list[Array]]:
    """Return items as columns. Raises SchemaError when there are none, or they have no common schema."""
    if not items:
        raise SchemaError("no items have no schema")
    schema: Schema | None = schema_of(items[0])
    for item in items:
        schema = schema and schema.merged(schema_of(item))
    if schema is not None:
        rows = RowBuffer(schema, len(items))
        if all(map(rows.append, items)):
            return schema, rows.columns()
    raise SchemaError("the items differ in their fields, types or shapes")


def _column(field: Field, values: Sequence[Any]) -> Array:
    """Return the values of a field, arrays among which come as bytes, as one array."""
    if field.is_array:
        return np.frombuffer(bytearray().join(values), field.dtype).reshape(len(values), *field.shape)
    return np.array(values, field.dtype)


def _types_of(field: Field) -> tuple[type, ...]:
    if field.shape:
        return (np.ndarray,)
    return _PLAIN.get(field.dtype, (field.dtype.type,))
