"""Items that no memory looks into: pickled once by the Worker's process, and unpickled once by the Trainer's."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Opaque:
    """An item in the form in which it came."""

    data: bytes
    """Its pickle."""


def unwrap(item: Any) -> Any:
    """Return an item itself, whichever form it has."""
    return pickle.loads(item.data) if type(item) is Opaque else item  # noqa: S301  made by the Worker's memory


def wrap(item: Any) -> bytes:
    """Return the bytes of an item, whichever form it has."""
    return item.data if type(item) is Opaque else pickle.dumps(item)


def backup(items: list[Any]) -> Any:
    """Return a copy of items that can be saved, and can travel if they came from another process."""
    return ("opaque", [wrap(item) for item in items]) if any(type(item) is Opaque for item in items) else items[:]


def restored(data: Any) -> list[Any]:
    """Return the items that `backup` saved."""
    if isinstance(data, tuple):
        return [Opaque(each) for each in data[1]]
    return list(data)
