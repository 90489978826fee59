"""Values in files: pickled, and compressed with xz when asked to."""

from __future__ import annotations

import lzma
import pickle
from pathlib import Path
from typing import Any

_XZ_MAGIC = b"\xfd7zXZ\x00"


def save_file(path: str | Path, value: Any, *, compress: bool = True) -> None:
    """Write a picklable value; its folder is made when absent."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    data = pickle.dumps(value)
    target.write_bytes(lzma.compress(data) if compress else data)


def load_file(path: str | Path) -> Any:
    """Read what `save_file` wrote. It unpickles: load only files that you trust as code."""
    data = Path(path).read_bytes()
    return pickle.loads(lzma.decompress(data) if data.startswith(_XZ_MAGIC) else data)  # noqa: S301
