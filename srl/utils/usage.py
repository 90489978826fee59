"""The error for a user's mistake, and how it reaches the terminal without a stack of internals."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from srl.base.exception import DistributionError, NotSupportedError, SRLError, UndefinedError

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


class UsageError(SRLError, AssertionError):
    """A call or a registration that cannot mean anything. The text says what to write instead."""


def short_traceback(function: Callable[P, R]) -> Callable[P, R]:
    """Let a user's mistake, or Ctrl-C, show the user's own line only; other errors keep their stack.

    What happened in another process brings the stack of that process in its text.
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (UsageError, UndefinedError, NotSupportedError, DistributionError, KeyboardInterrupt) as error:
            raise error.with_traceback(None) from None

    return wrapper
