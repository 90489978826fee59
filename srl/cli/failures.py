"""How a command ends that cannot do its work: one line that says why, and an exit code."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from srl.base.exception import SRLError
from srl_common.errors import ClusterError

EXIT_PROBLEMS = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
"""What a shell says of a program that Ctrl-C ended."""
_TRACEBACK = "Traceback (most recent call last)"


@contextmanager
def in_one_line(*, debug: bool) -> Iterator[None]:
    """Turn an error that the user can understand into a line on standard error, below its traceback with `debug`."""
    try:
        yield
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except (SRLError, ClusterError) as error:
        if debug:
            traceback.print_exception(error)
        fail(_text(error), getattr(error, "exit_code", EXIT_USAGE))


def fail(text: str, exit_code: int = EXIT_USAGE) -> NoReturn:
    """Say why the command ends, and end it."""
    print(f"error: {text}", file=sys.stderr)
    raise typer.Exit(exit_code) from None


def _text(error: Exception) -> str:
    """Return the error in one line; the traceback of an author's code, in another process, stays as it is."""
    text = str(error).strip()
    return text if _TRACEBACK in text else " ".join(text.split())
