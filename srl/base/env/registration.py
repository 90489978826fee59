"""Which environment an id stands for."""

from __future__ import annotations

import difflib
import importlib.util
import inspect
import logging
import sys
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


_GYMNASIUM = "gymnasium"
_PETTINGZOO = "pettingzoo:"
_PETTINGZOO_WRAPPER = "srl.base.env.pettingzoo_wrapper:PettingZooWrapper"

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
    entry = None if config.gym_make_func else _find(config.id)
    if entry is None:
        return _make_gymnasium(config)
    if config.gym_wrapper is not None:
        raise UsageError(f"EnvConfig.gym_wrapper is for environments of gymnasium, and '{config.id}' is none")
    return _make_registered(config, entry)


def _make_registered(config: EnvConfig, entry: _Entry) -> EnvBase[Any, Any, Any, Any]:
    cls = load_module(entry.entry_point)
    arguments = {**entry.kwargs, **config.kwargs}
    _check_arguments(config.id, cls, arguments)
    env = cls(**arguments)
    if not isinstance(env, EnvBase):
        raise UsageError(f"environment '{config.id}': {entry.entry_point} is not a subclass of EnvBase")
    if not hasattr(env, "next_player"):
        raise UsageError(
            f"environment '{config.id}': {cls.__name__} does not call super().__init__() "
            "(a dataclass calls it in __post_init__)"
        )
    return env


def _check_arguments(env_id: str, cls: Any, arguments: Mapping[str, Any]) -> None:
    """Raise UsageError for arguments that the environment cannot be made with."""
    signature = inspect.signature(cls)
    try:
        signature.bind(**arguments)
    except TypeError as error:
        known = ", ".join(signature.parameters) or "none"
        raise UsageError(f"environment '{env_id}': {error}; its arguments are: {known}") from None


def _make_gymnasium(config: EnvConfig) -> EnvBase[Any, Any, Any, Any]:
    from srl.base.env.gymnasium_wrapper import GymnasiumWrapper

    return GymnasiumWrapper(config)


def describe(env_id: str) -> dict[str, Any]:
    """Return, as plain data, what makes the id known in another process by `make_known`.

    {} if it is known there anyway, because a package registers it. Raises UsageError for an environment of
    gymnasium that another process cannot import.
    """
    entry = _registry.get(env_id)
    if entry is not None:
        return {"id": env_id, "entry_point": entry.entry_point, "kwargs": dict(entry.kwargs)}
    return _describe_gymnasium(env_id) if "gymnasium" in sys.modules else {}


def make_known(description: Mapping[str, Any]) -> None:
    """Register what `describe` described elsewhere, unless it is registered here already."""
    if not description or describe(description["id"]):
        return
    if _GYMNASIUM in description:
        _register_gymnasium(description)
    else:
        register(**description)


def _describe_gymnasium(env_id: str) -> dict[str, Any]:
    from srl.base.env.gymnasium_wrapper import describe_spec

    settings = describe_spec(env_id)
    return {"id": env_id, **settings, _GYMNASIUM: True} if settings else {}


def _register_gymnasium(description: Mapping[str, Any]) -> None:
    import gymnasium

    gymnasium.register(**{name: value for name, value in description.items() if name != _GYMNASIUM})


def _find(env_id: str) -> _Entry | None:
    """Return what is registered here; None for an environment of gymnasium."""
    if env_id in _registry:
        return _registry[env_id]
    if env_id in BUILT_IN:
        entry_point, kwargs = BUILT_IN[env_id]
        return _Entry(entry_point, kwargs)
    if env_id.startswith(_PETTINGZOO):
        return _Entry(_PETTINGZOO_WRAPPER, {"env": env_id.removeprefix(_PETTINGZOO)})
    if _has_gymnasium() and _is_gymnasiums(env_id):
        return None
    raise UndefinedError(f"there is no environment '{env_id}'. {_suggest(env_id)}")


def _has_gymnasium() -> bool:
    return importlib.util.find_spec("gymnasium") is not None


def _is_gymnasiums(env_id: str) -> bool:
    from srl.base.env.gymnasium_wrapper import find_spec

    return find_spec(env_id) is not None


def _gymnasium_ids() -> list[str]:
    from srl.base.env.gymnasium_wrapper import known_ids

    return known_ids()


def _suggest(env_id: str) -> str:
    known = sorted({*_registry, *BUILT_IN})
    others = _gymnasium_ids() if _has_gymnasium() else []
    near = difflib.get_close_matches(env_id, [*known, *others], n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    theirs = (
        f"and {len(others)} of gymnasium" if others else "and, with pip install 'srl-cluster[gymnasium]', gymnasium's"
    )
    return (
        f"{hint}Known: {', '.join(known)}, {theirs}. Your own: srl.base.env.registration.register(id, 'module:Class')"
    )
