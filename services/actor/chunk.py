"""The calls of one worker function that wait to leave together, in one of the forms of the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from services.endpoints import blobs_body
from srl_common.messages import Form

if TYPE_CHECKING:
    from srl_common.columns import ColumnBuffer

ITEM_OVERHEAD_BYTES = 64
"""What a container is taken to weigh, besides the bytes and arrays in it."""


class Chunk(Protocol):
    """What every form of a chunk has."""

    endpoint: str
    form: str
    bytes: int
    """About how many there will be on the wire."""

    @property
    def count(self) -> int: ...

    def add(self, form: str, item: Any) -> bool:
        """Take in one more item; False when it needs a chunk of another form."""

    def body(self) -> Any:
        """Return what travels as `Call.body`."""


class ItemChunk:
    """Items one by one: byte strings, tuples, or (args, kwargs)."""

    def __init__(self, endpoint: str, form: str) -> None:
        self.endpoint = endpoint
        self.form = form
        self.bytes = 0
        self._items: list[Any] = []

    @property
    def count(self) -> int:
        return len(self._items)

    def add(self, form: str, item: Any) -> bool:
        """Take in an item of that form."""
        if form != self.form:
            return False
        self._items.append(item)
        self.bytes += len(item) if form == Form.BLOBS else _weight(item)
        return True

    def body(self) -> Any:
        """Return the items, byte strings joined."""
        return blobs_body(self._items) if self.form == Form.BLOBS else self._items


class ColumnChunk:
    """Items of one schema, as columns."""

    form = Form.COLUMNS

    def __init__(self, endpoint: str, buffer: ColumnBuffer) -> None:
        self.endpoint = endpoint
        self.bytes = 0
        self._buffer = buffer

    @property
    def count(self) -> int:
        return self._buffer.count

    def add(self, form: str, item: Any) -> bool:
        """Take in a copy of an item of the same schema."""
        if form != Form.COLUMNS or not self._buffer.append(item):
            return False
        self.bytes += self._buffer.item_bytes
        return True

    def body(self) -> Any:
        """Return the columns."""
        return self._buffer.columns()


def _weight(value: Any) -> int:
    if isinstance(value, bytes | str):
        return len(value)
    if isinstance(value, tuple | list):
        return ITEM_OVERHEAD_BYTES + sum(map(_weight, value))
    if isinstance(value, dict):
        return ITEM_OVERHEAD_BYTES + sum(map(_weight, value.values()))
    return int(getattr(value, "nbytes", 0))
