"""A program that a test starts, and that does not outlive it."""

from __future__ import annotations

import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERRUPTED = frozenset({130, -signal.SIGINT})
"""How Ctrl-C ends `srl`. A shell says 130 of both: Python itself ends by the signal where that broke off an `exec`."""


@contextmanager
def started(command: list[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Start it, and wait for its end after the block; a block that fails, or takes too long, ends it."""
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
            process.wait()
        finally:
            process.kill()
