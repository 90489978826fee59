"""Keywords that the framework offers to a hook, and the author's method may leave out."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def accepted(hook: Callable[..., Any], flags: dict[str, bool]) -> dict[str, bool]:
    """Return those of `flags` that `hook` can be called with."""
    parameters = inspect.signature(hook).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return flags
    return {name: value for name, value in flags.items() if name in parameters}
