"""Items of one fixed schema as columns: one array a field, filled as items come.

An item is a dict whose values are bool, int, float, numpy scalars or numpy arrays; the first one gives the schema.
Items are copied into the columns, so that their author may change them afterwards; sending costs nothing an item.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable

Columns: TypeAlias = dict[str, npt.NDArray[Any]]
"""By field, an array of shape (items, *shape of the field)."""

_SCALARS: dict[type, Any] = {bool: np.bool_, int: np.int64, float: np.float64}
_INT64 = np.iinfo(np.int64)


class ColumnBuffer:
    """Columns with room for a number of items.

    Args:
        first: the item whose schema all must have; it is not taken in yet. Raises ValueError when it has none.
        capacity_items: how many items there is room for...
        capacity_bytes: ...if they fit into so many bytes; there is room for one in any case.
    """

    def __init__(self, first: Any, capacity_items: int, capacity_bytes: int) -> None:
        if type(first) is not dict or not first:
            raise ValueError("only a dict has a schema")
        layouts = [_layout(name, value) for name, value in first.items()]
        self.item_bytes = sum(dtype.itemsize * math.prod(shape) for dtype, shape in layouts)
        self._capacity_items = max(1, min(capacity_items, capacity_bytes // max(1, self.item_bytes)))
        self._names = tuple(first)
        self._columns = [np.empty((self._capacity_items, *shape), dtype) for dtype, shape in layouts]
        self._checks = [_checker(value) for value in first.values()]
        self.count = 0

    @property
    def is_full(self) -> bool:
        return self.count == self._capacity_items

    def append(self, item: Any) -> bool:
        """Take in a copy of `item`; False, and nothing is changed, when it has another schema or there is no room."""
        if self.is_full or type(item) is not dict or tuple(item) != self._names:
            return False
        row = self.count
        for column, fits, value in zip(self._columns, self._checks, item.values(), strict=True):
            if not fits(value):
                return False
            column[row] = value
        self.count = row + 1
        return True

    def columns(self) -> Columns:
        """Return the filled part of each column; it shares the buffer's memory."""
        return {name: column[: self.count] for name, column in zip(self._names, self._columns, strict=True)}


def _layout(name: Any, value: Any) -> tuple[np.dtype[Any], tuple[int, ...]]:
    if type(name) is not str:
        raise ValueError(f"the name of a field is a string, not {name!r}")
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind not in "biufcmM":
            raise ValueError(f"values of {value.dtype} have no fixed layout")
        return value.dtype, value.shape
    if type(value) not in _SCALARS:
        raise ValueError(f"a {type(value).__name__} has no fixed layout")
    return np.dtype(_SCALARS[type(value)]), ()


def _checker(first: Any) -> Callable[[Any], bool]:
    """Return what tells whether a value is laid out as `first` is."""
    kind = type(first)
    if kind is np.ndarray:
        dtype, shape = first.dtype, first.shape
        return lambda value: type(value) is np.ndarray and value.dtype == dtype and value.shape == shape
    if kind is int:
        return lambda value: type(value) is int and _INT64.min <= value <= _INT64.max
    return lambda value: type(value) is kind


def check_columns(columns: Any, count: int) -> str:
    """Return what is wrong with columns of `count` items that came from elsewhere, "" when nothing is."""
    if type(columns) is not dict:
        return f"columns are a dict, not a {type(columns).__name__}"
    for name, column in columns.items():
        if type(name) is not str or type(column) is not np.ndarray or column.ndim == 0 or len(column) != count:
            return f"the column {name!r} is no array of {count} items"
    return ""
