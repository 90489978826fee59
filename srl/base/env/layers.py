"""The state of an environment of another package that has no backup of its own: what its objects hold.

Such an environment is layers of wrappers around it, each with the next one in its attribute `env`.
"""

from __future__ import annotations

import copy
from typing import Any

from srl.base.exception import NotSupportedError

_SETTINGS = {"spec", "metadata", "action_space", "observation_space", "action_spaces", "observation_spaces"}
"""Attributes that no step changes, so that copies share them."""


def backup_layers(env: Any) -> list[dict[str, Any]]:
    """Return a copy of the attributes of each layer, random numbers included.

    Raises NotSupportedError if something in them cannot be copied.
    """
    return _copied(env, [vars(layer) for layer in _layers(env)])


def restore_layers(env: Any, data: list[dict[str, Any]]) -> None:
    """Put back what `backup_layers` returned; the same backup may be restored several times."""
    for layer, attributes in zip(_layers(env), _copied(env, data), strict=True):
        vars(layer).clear()
        vars(layer).update(attributes)


def _layers(env: Any) -> list[Any]:
    layers = [env]
    while (inner := vars(layers[-1]).get("env")) is not None:
        layers.append(inner)
    return layers


def _copied(env: Any, states: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Deepcopy attributes; the layers themselves, settings, and what draws (pygame) are shared."""
    shared = [*_layers(env)]
    for state in states:
        shared += [value for name, value in state.items() if name in _SETTINGS or _draws(value)]
    try:
        return copy.deepcopy(states, {id(each): each for each in shared})
    except (TypeError, AttributeError, ValueError, RecursionError) as error:
        raise NotSupportedError(
            f"{type(env).__name__} cannot be copied ({error}): give it methods backup() and restore(data)"
        ) from error


def _draws(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "pygame"
