"""The host of the Memory is killed at named points of its work: each life at one, when it has come there often."""

import os
import signal
from pathlib import Path

TIMES = 100
FOLDER = Path(os.environ.get("DIE_FOLDER", "/nonexistent"))
POINT = next((point for point in os.environ.get("DIE_AT", "").split(",") if not (FOLDER / point).exists()), "")
"""The first one that no life has died at."""


class Point:
    """Counts the passes, and kills this process at the last one."""

    def __init__(self, times):
        self.left = times

    def passed(self):
        self.left -= 1
        if self.left == 0:
            (FOLDER / POINT).touch()
            os.kill(os.getpid(), signal.SIGKILL)


def around(owner, name, before=None, after=None):
    """Let a method pass a point before or after it runs; `before` and `after` say for which arguments."""
    function, point = getattr(owner, name), Point(2 if "checkpoint" in name else TIMES)

    def wrapped(*args, **kwargs):
        if before is not None and before(*args):
            point.passed()
        result = function(*args, **kwargs)
        if after is not None and after(*args):
            point.passed()
        return result

    setattr(owner, name, wrapped)


def always(*_args):
    return True


def is_call(_journal, frames):
    return frames[0][:1] == b"C"


def is_sample(_journal, frames):
    return frames[0][:1] == b"S"


if POINT:
    from services.hosting.durable_memory import DurableMemory
    from services.hosting.host import MemoryHost
    from srl_common.journal import Journal

    {
        "before a call is written": lambda: around(Journal, "append", before=is_call),
        "after a call is written": lambda: around(Journal, "append", after=is_call),
        "before an acknowledgement": lambda: around(MemoryHost, "acknowledge", before=always),
        "before a batch is written": lambda: around(Journal, "append", before=is_sample),
        "after a batch is written": lambda: around(Journal, "append", after=is_sample),
        "before a checkpoint": lambda: around(Journal, "_write_checkpoint", before=always),
        "after a checkpoint's rename": lambda: around(Journal, "_write_checkpoint", after=always),
        "after a release": lambda: around(DurableMemory, "release", after=always),
    }[POINT]()
