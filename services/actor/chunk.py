"""The calls of one worker function that wait to leave together, in one of the forms of the wire."""

from __future__ import annotations

from typing import Any, Protocol

from services.hosting.endpoints import blobs_body
from srl.rl.memories.rows import RowBuffer
from srl.rl.memories.schema import SchemaError, schema_of
from srl_common.messages import Form

ITEM_OVERHEAD_BYTES = 64
"""What a container is taken to weigh, besides the bytes and arrays in it."""


class Chunk(Protocol):
    """What every form of a chunk has."""

    endpoint: str
    form: str
    count: int
    """Of the items."""
    bytes: int
    """About how many there will be on the wire."""

    def add(self, form: str, item: Any) -> bool:
        """Take in one more item; False when it needs a chunk of another form."""

    def body(self) -> Any:
        """Return what travels as `Call.body`."""


class ItemChunk:
    """Items one by one: byte strings, tuples, or (args, kwargs)."""

    def __init__(self, endpoint: str, form: str) -> None:
        self.endpoint = endpoint
        self.form = form
        self.count = 0
        self.bytes = 0
        self._items: list[Any] = []

    def add(self, form: str, item: Any) -> bool:
        """Take in an item of that form."""
        if form != self.form:
            return False
        self._items.append(item)
        self.count += 1
        self.bytes += len(item) if form == Form.BLOBS else _weight(item)
        return True

    def body(self) -> Any:
        """Return the items, byte strings joined."""
        return blobs_body(self._items) if self.form == Form.BLOBS else self._items


class ColumnChunk:
    """Dicts of one schema, as columns.

    Args:
        endpoint: the worker function.
        first: the item whose schema all must have; it is not taken in yet. Raises SchemaError when it has none.
        capacity_items: how many items there is room for...
        capacity_bytes: ...if they fit into so many bytes; there is room for one in any case.
    """

    form = Form.COLUMNS

    def __init__(self, endpoint: str, first: Any, capacity_items: int, capacity_bytes: int) -> None:
        schema = schema_of(first)
        if schema.kind != "dict":
            raise SchemaError("columns have names, so an item must be a dict")
        self.endpoint = endpoint
        self.count = 0
        self.bytes = 0
        self._names = schema.names
        self._item_bytes = schema.item_bytes
        self._rows = RowBuffer(schema, schema.fitting(capacity_items, capacity_bytes))

    def add(self, form: str, item: Any) -> bool:
        """Take in a copy of an item of the same schema."""
        if form != Form.COLUMNS or not self._rows.append(item):
            return False
        self.count += 1
        self.bytes += self._item_bytes
        return True

    def body(self) -> Any:
        """Return the columns."""
        return dict(zip(self._names, self._rows.columns(), strict=True))


def _weight(value: Any) -> int:
    if isinstance(value, bytes | str):
        return len(value)
    if isinstance(value, tuple | list):
        return ITEM_OVERHEAD_BYTES + sum(map(_weight, value))
    if isinstance(value, dict):
        return ITEM_OVERHEAD_BYTES + sum(map(_weight, value.values()))
    return int(getattr(value, "nbytes", 0))
