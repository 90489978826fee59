"""What is checked before a run, so that it is not played in vain."""

from __future__ import annotations

from pathlib import Path

from srl.utils.usage import UsageError


def check_scale(scale: float) -> None:
    """Raise UsageError unless the scale is above 0."""
    if not scale > 0:
        raise UsageError(f"render_scale is {scale}; it must be above 0")


def writable(path: str | Path) -> Path:
    """Make the folder of a file to be written. Raises UsageError when the file cannot be written there."""
    target = Path(path)
    existed = target.exists()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("ab"):
            pass
        if not existed:
            target.unlink()
    except OSError as error:
        raise UsageError(f"'{path}' cannot be written: {error.strerror}. Choose another path") from error
    return target
