"""Items without a schema as bytes: their pickle, compressed or not, which the bytes themselves tell."""

from __future__ import annotations

import pickle
import zlib
from typing import Any

_PICKLE_MARK = 0x80
"""The first byte of a pickle of any protocol in use; zlib data never begins with it."""


def pack(item: Any, *, compress: bool = False, level: int = -1) -> bytes:
    """Return an item as bytes; `level` is zlib's, from 0 (none) to 9 (most), -1 for its default."""
    data = pickle.dumps(item)
    return zlib.compress(data, level) if compress else data


def unpack(data: bytes) -> Any:
    """Return the item that `pack` made bytes of. It unpickles: give it only what your own Workers sent."""
    return pickle.loads(data if data[0] == _PICKLE_MARK else zlib.decompress(data))  # noqa: S301  made by `pack`
