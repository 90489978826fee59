"""The state of an environment of another package that has no backup of its own: what its objects hold.

Such an environment is layers of wrappers around it, each with the next one in its attribute `env`.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from srl.base.exception import NotSupportedError

if TYPE_CHECKING:
    from collections.abc import Iterable

_SETTINGS = {"spec", "metadata", "action_space", "observation_space", "action_spaces", "observation_spaces"}
"""Attributes that no step changes, so that copies share them."""

State = dict[str, Any]
"""The attributes of a layer."""


class _Place:
    """Stands for a layer where a copied attribute refers to it."""


@dataclass(frozen=True)
class LayersBackup:
    """What the layers of an environment held, outermost first."""

    places: list[_Place]
    states: list[State]


def backup_layers(env: Any) -> LayersBackup:
    """Return a copy of the attributes of each layer, random numbers included.

    Raises NotSupportedError if something in them cannot be copied.
    """
    layers = _layers(env)
    places = [_Place() for _ in layers]
    try:
        return LayersBackup(places, _copied([vars(layer) for layer in layers], layers, places))
    except (TypeError, AttributeError, ValueError, RecursionError) as error:
        raise NotSupportedError(
            f"{type(env.unwrapped).__name__} cannot be copied ({error}): give it methods backup() and restore(data)"
        ) from error


def restore_layers(env: Any, backup: LayersBackup) -> None:
    """Put back what `backup_layers` returned, into the same environment or one made alike, as often as wanted."""
    layers = _layers(env)
    states = _copied(backup.states, backup.places, layers)
    for layer, state in zip(layers, states, strict=True):
        vars(layer).clear()
        vars(layer).update(state)


def _layers(env: Any) -> list[Any]:
    layers = [env]
    while (inner := vars(layers[-1]).get("env")) is not None:
        layers.append(inner)
    return layers


def _copied(states: list[State], old: Iterable[Any], new: Iterable[Any]) -> list[State]:
    """Deepcopy attributes with `new` in the place of `old`; settings, and what draws (pygame), are shared."""
    shared = [v for state in states for name, v in state.items() if name in _SETTINGS or _draws(v)]
    memo = {id(each): each for each in shared}
    memo.update({id(before): after for before, after in zip(old, new, strict=True)})
    return copy.deepcopy(states, memo)


def _draws(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "pygame"
