"""Files that are there as a whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_whole(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Let a file have `data`: a crash or a loss of power leaves the old or the new one, an error nothing besides.

    Args:
        path: one writer at a time.
        data: is on the disk when this returns.
        mode: of the file, less what the process's umask takes away. Raises OSError.
    """
    new = path.with_name(f"{path.name}.tmp")
    new.unlink(missing_ok=True)  # left by one who was killed
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        _force_folder(path.parent)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def _force_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
