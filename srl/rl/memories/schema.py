"""What items have in common, so that many of them can lie in memory as one array a field.

An item is a dict, tuple or list of numbers and arrays, or a single number or array. Numbers come back as bool, int and
float where their type is that wide (bool, int64, float64), and as numpy scalars otherwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Array: TypeAlias = npt.NDArray[Any]
Kind: TypeAlias = Literal["dict", "tuple", "list", "value"]

BOOL, INT, FLOAT = np.dtype(np.bool_), np.dtype(np.int64), np.dtype(np.float64)
_NUMBERS: dict[type, np.dtype[Any]] = {bool: BOOL, int: INT, float: FLOAT}
_KINDS: dict[type, Kind] = {dict: "dict", tuple: "tuple", list: "list"}
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
_EXACT = 2**53
"""Up to here a float64 holds every integer."""


_DTYPE_AND_SHAPE = attrgetter("dtype", "shape")


class SchemaError(ValueError):
    """An item has no schema, or not that of the others."""


@dataclass(frozen=True, slots=True)
class Field:
    """The type and shape of one value of every item."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def is_array(self) -> bool:
        """Tell whether values are arrays, or scalars of numpy's own types, rather than Python's numbers."""
        return bool(self.shape) or self.dtype not in {BOOL, INT, FLOAT}

    @property
    def bytes(self) -> int:
        """How much memory one value takes."""
        return self.dtype.itemsize * math.prod(self.shape)

    def merged(self, other: Field) -> Field | None:
        """Return what holds the values of both, None when nothing does: an int and a float give a float."""
        if self == other:
            return self
        if self.shape == other.shape == () and {self.dtype, other.dtype} == {INT, FLOAT}:
            return Field(FLOAT, ())
        return None


@dataclass(frozen=True)
class Schema:
    """How all items of a store are laid out."""

    kind: Kind
    """The container of an item's values; "value" for items that are one value themselves."""
    names: tuple[str, ...]
    """The keys of a dict, in order; empty for other kinds."""
    fields: tuple[Field, ...]

    @property
    def item_bytes(self) -> int:
        """How much memory one item takes."""
        return sum(field.bytes for field in self.fields)

    def fitting(self, items: int, max_bytes: int) -> int:
        """Return for how many items there is room, within a number of items and one of bytes; for one in any case."""
        return max(1, min(items, max_bytes // max(1, self.item_bytes)))

    def is_of(self, columns: Mapping[str, Array]) -> bool:
        """Tell whether this is the schema of dicts that come as columns by name."""
        found = list(map(_DTYPE_AND_SHAPE, columns.values()))
        return tuple(columns) == self.names and found == self._layout(found[0][1][:1])

    def _layout(self, count: tuple[int, ...]) -> list[tuple[np.dtype[Any], tuple[int, ...]]]:
        """Return dtype and shape of each column of so many items."""
        known = self._layouts.get(count)
        if known is None:
            known = self._layouts[count] = [(field.dtype, count + field.shape) for field in self.fields]
        return known

    @cached_property
    def _layouts(self) -> dict[tuple[int, ...], list[tuple[np.dtype[Any], tuple[int, ...]]]]:
        return {}

    def merged(self, other: Schema) -> Schema | None:
        """Return a schema for the items of both, None when there is none."""
        if (self.kind, self.names, len(self.fields)) != (other.kind, other.names, len(other.fields)):
            return None
        fields = [mine.merged(theirs) for mine, theirs in zip(self.fields, other.fields, strict=True)]
        return Schema(self.kind, self.names, tuple(field for field in fields if field)) if all(fields) else None

    def allocate(self, rows: int) -> list[Array]:
        """Return one array a field, of shape (rows, *field.shape), all zero. Memory is taken as rows are filled."""
        return [np.zeros((rows, *field.shape), field.dtype) for field in self.fields]

    def items(self, columns: Sequence[Array]) -> list[Any]:
        """Return the rows of columns as items; arrays in them are views."""
        rows: Iterator[tuple[Any, ...]] = zip(*map(_values_of, columns), strict=True)
        match self.kind:
            case "dict":
                return [dict(zip(self.names, row, strict=True)) for row in rows]
            case "list":
                return [list(row) for row in rows]
            case "tuple":
                return list(rows)
            case _:
                return [row[0] for row in rows]

    def collected(self, columns: Sequence[Array]) -> Any:
        """Return columns in the container of an item: a dict, tuple or list of arrays, or one array."""
        match self.kind:
            case "dict":
                return dict(zip(self.names, columns, strict=True))
            case "tuple":
                return tuple(columns)
            case "list":
                return list(columns)
            case _:
                return columns[0]


def schema_of(item: Any) -> Schema:
    """Return the schema of an item. Raises SchemaError when it has none."""
    kind = _KINDS.get(type(item), "value")
    if kind == "value":
        return Schema("value", (), (_field_of(item),))
    if not item or (kind == "dict" and not all(type(name) is str for name in item)):
        raise SchemaError("an empty item, or one with keys that are no strings, has no schema")
    values = item.values() if kind == "dict" else item
    return Schema(kind, tuple(item) if kind == "dict" else (), tuple(map(_field_of, values)))


def schema_of_columns(kind: Kind, names: Iterable[str], columns: Iterable[Array]) -> Schema:
    """Return the schema of items that come as columns, each of shape (items, ...)."""
    return Schema(kind, tuple(names), tuple(Field(column.dtype, column.shape[1:]) for column in columns))


def schema_of_dict(columns: Mapping[str, Array]) -> Schema:
    """Return the schema of dicts that come as columns by name."""
    return schema_of_columns("dict", columns, columns.values())


def converted(columns: Sequence[Array], schema: Schema) -> list[Array] | None:
    """Return columns in the types of a merged schema, None when a value would lose digits."""
    result = []
    for column, field in zip(columns, schema.fields, strict=True):
        if column.dtype != field.dtype and not _all_exact(column):
            return None
        result.append(column.astype(field.dtype, copy=False))
    return result


def _field_of(value: Any) -> Field:
    if isinstance(value, np.ndarray | np.generic) and type(value) not in _SUBCLASSED:
        if value.dtype.kind not in "biufcmM" or (isinstance(value, np.ndarray) and value.ndim == 0):
            raise SchemaError(f"an array of {value.dtype} and shape {value.shape} has no schema")
        return Field(value.dtype, value.shape)
    if type(value) not in _NUMBERS or (type(value) is int and not INT64_MIN <= value <= INT64_MAX):
        raise SchemaError(f"a {type(value).__name__} has no schema")
    return Field(_NUMBERS[type(value)], ())


_SUBCLASSED = (np.ma.MaskedArray, np.matrix, np.recarray)
"""Arrays that are more than their numbers."""


def _values_of(column: Array) -> Iterable[Any]:
    plain = column.ndim == 1 and column.dtype in {BOOL, INT, FLOAT}
    return cast("Iterable[Any]", column.tolist() if plain else column)


def is_exact(value: Any) -> bool:
    """Tell whether a value is an integer that a float64 holds."""
    return type(value) in {int, np.int64} and -_EXACT <= value <= _EXACT


def _all_exact(column: Array) -> bool:
    return not len(column) or (int(column.min()) >= -_EXACT and int(column.max()) <= _EXACT)
