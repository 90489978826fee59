"""Where the author's code ends and ours begins, told from a traceback: whose exception is it, and in which hook."""

from __future__ import annotations

import os
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import srl
import srl_common
from srl.base.exception import SRLError
from srl_common.errors import AuthorError, ClusterError, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

_OURS = tuple(
    f"{Path(module).parent.resolve()}{os.sep}" for module in (str(srl.__file__), str(srl_common.__file__), __file__)
)
_AUTHORED = f"{Path(str(srl.__file__)).parent.resolve() / 'algorithms'}{os.sep}"
"""The built-in algorithms are written as an author would: an exception there is one of an author's code."""


@contextmanager
def authored(service: str) -> Iterator[None]:
    """Around all of a service's work: an exception in the author's code becomes an AuthorError that names the hook.

    So does `sys.exit`: it would end the service, and not the job.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        explained = explain(error, service)
        if explained is error:
            raise
        raise explained from error


def explain(error: Exception | SystemExit, service: str) -> Exception | SystemExit:
    """Return what to raise instead of `error`: an AuthorError when it came out of an author's hook.

    A mistake that `srl` itself reports becomes a UserError; anything else is returned as it is, a bug of ours.
    """
    if isinstance(error, ClusterError):
        return error
    entries = _entries(error.__traceback__)
    if entries:
        hook = entries[-1].tb_frame.f_code.co_qualname
        text = "".join(traceback.format_exception(type(error), error, entries[0]))
        return AuthorError(service, hook, text.rstrip())
    if isinstance(error, SRLError | AssertionError):
        return UserError(str(error))
    return error


def _entries(step: TracebackType | None) -> list[TracebackType]:
    """Return the steps where code of ours called code of the author's, outermost first: the last one is the hook.

    What lies between two steps of the author's and is neither (a library that calls back) makes no entry.
    """
    entries, was_authors = [], False
    while step is not None:
        file = step.tb_frame.f_code.co_filename
        now_authors = is_authors(file)
        if now_authors and not was_authors:
            entries.append(step)
        if now_authors or _is_ours(_resolved(file)):
            was_authors = now_authors
        step = step.tb_next
    return entries


def is_authors(file: str) -> bool:
    """Tell whether the code in `file` is an author's: neither ours nor a part of Python or of an installed package."""
    path = _resolved(file)
    if path.startswith(_AUTHORED):
        return True
    return not (_is_ours(path) or path.startswith("<") or _is_installed(path) or _is_standard(path))


def _is_ours(path: str) -> bool:
    return path.startswith(_OURS) and not path.startswith(_AUTHORED)


def _is_installed(path: str) -> bool:
    return "site-packages" in path or "dist-packages" in path


def _is_standard(path: str) -> bool:
    return path.startswith(f"{Path(traceback.__file__).parent.resolve()}{os.sep}")


def _resolved(file: str) -> str:
    return file if file.startswith("<") else str(Path(file).resolve())
