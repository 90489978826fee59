"""Which environment an id stands for."""

from __future__ import annotations

import difflib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from srl.base.env.base import EnvBase
from srl.base.env.config import EnvConfig
from srl.base.exception import UndefinedError
from srl.envs import BUILT_IN
from srl.utils.entry_point import load_module
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from srl.base.env.env_run import EnvRun

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Entry:
    entry_point: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)


_registry: dict[str, _Entry] = {}


def register(
    id: str,  # noqa: A002  (the specification's name)
    entry_point: str,
    kwargs: Mapping[str, Any] | None = None,
    check_duplicate: bool = True,
) -> None:
    """Let `id` stand for the class at "module.path:ClassName", constructed with `kwargs`.

    The class is imported when the environment is made. Raises UsageError if the id is taken; with
    `check_duplicate=False` the newer one wins.
    """
    if id in _registry:
        if check_duplicate:
            raise UsageError(f"environment '{id}' is registered already. Use another id, or check_duplicate=False")
        logger.warning("environment '%s' is registered anew", id)
    _registry[id] = _Entry(entry_point, dict(kwargs or {}))


def make(config: str | EnvConfig) -> EnvRun:
    """Return the environment of an id or a configuration, ready for `setup`.

    Raises UndefinedError, which lists the nearest ids, if nothing is registered under the id.
    """
    from srl.base.env.env_run import EnvRun

    return EnvRun(config if isinstance(config, EnvConfig) else EnvConfig(config))


def make_base(config: EnvConfig) -> EnvBase[Any, Any, Any, Any]:
    """Return what the author wrote, without the EnvRun around it. Raises UndefinedError like `make`."""
    entry = _find(config.id)
    cls = load_module(entry.entry_point)
    env = cls(**{**entry.kwargs, **config.kwargs})
    if not isinstance(env, EnvBase):
        raise UsageError(f"environment '{config.id}': {entry.entry_point} is not a subclass of EnvBase")
    if not hasattr(env, "next_player"):
        raise UsageError(
            f"environment '{config.id}': {cls.__name__} does not call super().__init__() "
            "(a dataclass calls it in __post_init__)"
        )
    return env


def describe(env_id: str) -> dict[str, Any]:
    """Return the arguments of `register` that make the id known elsewhere; {} if it was not registered."""
    entry = _registry.get(env_id)
    if entry is None:
        return {}
    return {"id": env_id, "entry_point": entry.entry_point, "kwargs": dict(entry.kwargs)}


def _find(env_id: str) -> _Entry:
    if env_id in _registry:
        return _registry[env_id]
    if env_id in BUILT_IN:
        entry_point, kwargs = BUILT_IN[env_id]
        return _Entry(entry_point, kwargs)
    raise UndefinedError(f"there is no environment '{env_id}'. {_suggest(env_id)}")


def _suggest(env_id: str) -> str:
    known = sorted({*_registry, *BUILT_IN})
    near = difflib.get_close_matches(env_id, known, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    return f"{hint}Known: {', '.join(known)}. Your own: srl.base.env.registration.register(id, 'module:Class')"
