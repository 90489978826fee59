"""Sampled items: a sequence to go through one by one, and columns to compute with all at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any, overload

import numpy as np

from srl.rl.memories.packed import pack, unpack
from srl.rl.memories.rows import stack
from srl.rl.memories.schema import Array, Schema, schema_of_columns


class Batch(Sequence[Any], ABC):
    """Items in an order of their own. It equals the list of its items, and prints like it.

    It belongs to whoever sampled it: its arrays are copies of what the memory holds.
    """

    @property
    @abstractmethod
    def columns(self) -> Any:
        """All items, field by field, each an array of shape (items, *shape of the field).

        A dict by name for items that are dicts, a tuple or list for items that are those, and one array for items
        that are a single value. Raises ValueError when the items do not all have the same fields and shapes.
        """

    @abstractmethod
    def packed(self) -> list[bytes]:
        """Return each item as the bytes of its pickle, perhaps compressed."""

    @abstractmethod
    def encoded(self) -> Any:
        """Return plain data that can travel, for `decode_batch`."""

    @property
    @abstractmethod
    def _items(self) -> list[Any]: ...

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, list | Batch) and _same(self._items, list(other))

    __hash__ = None  # type: ignore[assignment]  # as for a list

    def __repr__(self) -> str:
        return repr(self._items)


class ColumnBatch(Batch):
    """Items of one schema, which exist as columns until someone asks for one.

    Args:
        schema: of the items.
        columns: one array a field, of shape (items, *shape of the field).
    """

    def __init__(self, schema: Schema, columns: list[Array]) -> None:
        self.schema = schema
        self.arrays = columns

    @property
    def columns(self) -> Any:
        """See Batch. It costs nothing: the arrays are there."""
        return self.schema.collected(self.arrays)

    def packed(self) -> list[bytes]:
        """See Batch."""
        return [pack(item) for item in self._items]

    def encoded(self) -> Any:
        """See Batch."""
        return self.schema.kind, list(self.schema.names), self.arrays

    @cached_property
    def _items(self) -> list[Any]:
        return self.schema.items(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays[0])


class PackedBatch(Batch):
    """Items as bytes, which are unpacked when someone asks for one.

    Args:
        packed: the bytes of each item.
    """

    def __init__(self, packed: list[bytes]) -> None:
        self._packed = packed

    @property
    def columns(self) -> Any:
        """See Batch. Each item is looked at."""
        schema, columns = stack(self._items)
        return schema.collected(columns)

    def packed(self) -> list[bytes]:
        """See Batch."""
        return self._packed

    def encoded(self) -> Any:
        """See Batch."""
        return self._packed

    @cached_property
    def _items(self) -> list[Any]:
        return [unpack(data) for data in self._packed]

    def __len__(self) -> int:
        return len(self._packed)


class SliceBatch(Batch):
    """Slices of episodes: each item is a list of as many successive steps.

    Args:
        steps: of all slices, one slice after the other.
        length: of a slice.
    """

    def __init__(self, steps: Batch, length: int) -> None:
        self._steps = steps
        self._length = length

    @property
    def columns(self) -> Any:
        """See Batch: of a step's fields, each of shape (slices, steps of a slice, *shape of the field)."""
        columns = self._steps.columns
        if isinstance(columns, dict):
            return {name: self._cut(column) for name, column in columns.items()}
        if isinstance(columns, list | tuple):
            return type(columns)(map(self._cut, columns))
        return self._cut(columns)

    def packed(self) -> list[bytes]:
        """See Batch."""
        return [pack(item) for item in self._items]

    def encoded(self) -> Any:
        """Return plain data that can travel, for `decode_slices`."""
        return self._steps.encoded(), self._length

    def _cut(self, column: Array) -> Array:
        return column.reshape(-1, self._length, *column.shape[1:])

    @cached_property
    def _items(self) -> list[Any]:
        return [self._steps[first : first + self._length] for first in range(0, len(self._steps), self._length)]


def decode_slices(data: Any) -> SliceBatch:
    """Return the slices that `encoded` made data of."""
    steps, length = data
    return SliceBatch(decode_batch(steps), length)


def decode_batch(data: Any) -> Batch:
    """Return the batch that `encoded` made data of."""
    if isinstance(data, list):
        return PackedBatch(data)
    kind, names, columns = data
    return ColumnBatch(schema_of_columns(kind, names, columns), columns)


def joined(first: Batch, second: Batch) -> Batch:
    """Return a batch of the items of both."""
    if isinstance(first, ColumnBatch) and isinstance(second, ColumnBatch) and first.schema == second.schema:
        pairs = zip(first.arrays, second.arrays, strict=True)
        return ColumnBatch(first.schema, [np.concatenate(pair) for pair in pairs])
    return PackedBatch(first.packed() + second.packed())


def _same(a: Any, b: Any) -> bool:
    """Compare as == does, but arrays as a whole."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return type(a) is type(b) and bool(np.array_equal(a, b))
    if isinstance(a, list | tuple) and type(a) is type(b):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(value, b[name]) for name, value in a.items())
    return bool(a == b)
