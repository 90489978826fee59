"""The newest items, whatever they are, by number: as columns while they have one schema, and as bytes otherwise.

Numbers begin at 0 and only grow, so a number never means another item than the one it was given to.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from srl.rl.memories.batch import Batch, ColumnBatch, PackedBatch, decode_batch
from srl.rl.memories.column_store import ColumnStore
from srl.rl.memories.packed import pack
from srl.rl.memories.packed_store import PackedStore
from srl.rl.memories.rows import stack
from srl.rl.memories.schema import Array, Schema, SchemaError, schema_of, schema_of_dict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

logger = logging.getLogger(__name__)


class ItemStore:
    """A ring of items.

    Args:
        capacity: how many items there is room for...
        max_bytes: ...if they fit into so many bytes (0: any number).
        compress: compress items that have no schema...
        compress_level: ...by zlib at this level.
    """

    def __init__(self, capacity: int, max_bytes: int = 0, compress: bool = False, compress_level: int = -1) -> None:
        self._capacity = capacity
        self._max_bytes = max_bytes
        self._compress = compress
        self._level = compress_level
        self._first = self._end = 0
        self._store: ColumnStore | PackedStore | None = None

    def __len__(self) -> int:
        return self._end - self._first

    @property
    def numbers(self) -> range:
        """Of the items held."""
        return range(self._first, self._end)

    def begin_at(self, number: int) -> None:
        """Give the next item this number; there must be none yet."""
        self._first = self._end = number

    def add(self, item: Any) -> None:
        """Take in a copy of an item."""
        store = self._store or self._begun(item)
        if isinstance(store, ColumnStore):
            end = self._end
            if store.put(end, item):
                self._end = end + 1
                if end - self._first >= store.rows:
                    self._first += 1
                return
            store = self._repacked()
        store.put(self._end, self.pack(item))
        self._took(1, store)

    def add_packed(self, data: bytes) -> None:
        """Take in an item that `pack` made bytes of, without looking into it."""
        store = self._store if isinstance(self._store, PackedStore) else self._repacked()
        store.put(self._end, data)
        self._took(1, store)

    def add_columns(self, columns: Mapping[str, Array]) -> None:
        """Take in items that are dicts and come as columns, each of shape (items, ...)."""
        store, arrays = self._store, list(columns.values())
        if isinstance(store, ColumnStore) and store.schema.is_of(columns):
            store.extend(self._end, store.schema, arrays)
            self._took(len(arrays[0]), store)
        else:
            self._extend_columns(schema_of_dict(columns), arrays)

    def extend(self, batch: Batch) -> None:
        """Take in copies of many items."""
        if isinstance(batch, ColumnBatch):
            self._extend_columns(batch.schema, batch.arrays)
        else:
            self._extend_packed(batch.packed())

    def gather(self, numbers: npt.NDArray[np.int64]) -> Batch:
        """Return the items of these numbers, all of which must be held."""
        return self._store.gather(numbers) if self._store is not None else PackedBatch([])

    def pack(self, item: Any) -> bytes:
        """Return an item as the bytes that `add_packed` takes."""
        return pack(item, compress=self._compress, level=self._level)

    def batch_of(self, items: Sequence[Any]) -> Batch:
        """Return copies of items in a form that `extend` takes: columns if they have a common schema, else bytes."""
        try:
            return ColumnBatch(*stack(items))
        except SchemaError:
            return PackedBatch(list(map(self.pack, items)))

    def clear(self) -> None:
        """Forget all items, and what they looked like."""
        self._first = self._end
        self._store = None

    def backup(self) -> Any:
        """Return the items as plain data, oldest first."""
        return self.gather(np.arange(self._first, self._end)).encoded()

    def restore(self, data: Any) -> None:
        """Replace the items by those of a backup; the newest ones if there is no room for all."""
        self.clear()
        self.extend(decode_batch(data))

    def _begun(self, item: Any) -> ColumnStore | PackedStore:
        try:
            self._store = self._columns_of(schema_of(item))
        except SchemaError:
            self._store = PackedStore(self._capacity, self._max_bytes)
        return self._store

    def _columns_of(self, schema: Schema) -> ColumnStore:
        return ColumnStore(schema, self._capacity, self._max_bytes)

    def _extend_columns(self, schema: Schema, arrays: list[Array]) -> None:
        store = self._store or self._columns_of(schema)
        if isinstance(store, ColumnStore) and store.extend(self._end, schema, arrays):
            self._took(len(arrays[0]), store)
        else:
            self._extend_packed([self.pack(item) for item in ColumnBatch(schema, arrays)])

    def _extend_packed(self, packed: Sequence[bytes]) -> None:
        store = self._store if isinstance(self._store, PackedStore) else self._repacked()
        for number, data in enumerate(packed, self._end):
            store.put(number, data)
        self._took(len(packed), store)

    def _repacked(self) -> PackedStore:
        """Return a store of bytes with all items held."""
        store = PackedStore(self._capacity, self._max_bytes)
        if len(self):
            logger.warning("items differ in their fields, types or shapes: kept one by one from now on, more slowly")
        items = self.gather(np.arange(self._first, self._end))
        for number, item in zip(self.numbers, items, strict=True):
            store.put(number, self.pack(item))
        return store

    def _took(self, count: int, store: ColumnStore | PackedStore) -> None:
        self._store = store
        self._end += count
        self._first = store.first_kept(self._first, self._end)
