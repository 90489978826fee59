"""Which keys play which action."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from srl.base.env.env_run import EnvRun

Combination = frozenset[int]
"""Codes of keys that are down together; none is for when no key is."""


class KeyBind:
    """Actions by the keys that are down.

    In `bind`, a key is a name ("a", "left", "space"), a code of pygame, or several of them in a tuple, to be pressed
    together; "ab" is short for ("a", "b"). "" or () stands for no key. Raises UsageError for an unknown key or an
    action that is not in the action space.
    """

    def __init__(self, pygame: Any, bind: Mapping[Any, Any], env: EnvRun) -> None:
        if not bind:
            raise UsageError("key_bind is empty: give it a key for each action, or leave it out for a menu")
        self._pygame = pygame
        self._env = env
        self._actions = {_combination(pygame, key): _action(action, env) for key, action in bind.items()}

    @property
    def has_idle(self) -> bool:
        """Whether there is an action for when no key is down: then the game goes on by itself."""
        return frozenset() in self._actions

    @property
    def idle(self) -> Any:
        """The action for when no key is down."""
        return self._actions[frozenset()]

    def action(self, down: Collection[int], newest: int | None = None) -> Any | None:
        """Return the action of the largest combination of keys that are down, or None if there is none.

        `down` is in the order of pressing: of combinations as large, the one with the key pressed last counts.
        With `newest`, that key must be one of them.
        """
        order = {key: at for at, key in enumerate(down)}
        found = [keys for keys in self._actions if keys and keys <= order.keys() and (newest is None or newest in keys)]
        if not found:
            return None
        return self._actions[max(found, key=lambda keys: (len(keys), max(order[key] for key in keys)))]

    def lines(self) -> list[str]:
        """Return the keys of each action, a line each."""
        return [f"{self._name(keys)}: {self._env.action_to_str(action)}" for keys, action in self._actions.items()]

    def _name(self, keys: Combination) -> str:
        return "+".join(self._pygame.key.name(key) for key in sorted(keys)) or "(no key)"


def _action(action: Any, env: EnvRun) -> Any:
    """Return the action in the form of its space: a list of numbers may stand for an array."""
    space = env.action_space
    if space.check_val(action):
        return action
    try:
        value = space.sanitize(action)
        is_same = np.allclose(value, action)
    except (TypeError, ValueError):
        is_same = False
    if not is_same:
        raise UsageError(f"key_bind has the action {action!r}, which is not in {space}")
    return value


def _combination(pygame: Any, key: Any) -> Combination:
    if isinstance(key, int):
        return frozenset({key})
    if isinstance(key, str):
        return _of_name(pygame, key)
    if isinstance(key, tuple | list | frozenset):
        return frozenset().union(*(_combination(pygame, part) for part in key))
    raise UsageError(f"key_bind has {key!r}, which is neither a key's name, nor its code, nor a tuple of them")


def _of_name(pygame: Any, name: str) -> Combination:
    if not name:
        return frozenset()
    try:
        return frozenset({pygame.key.key_code(name)})
    except ValueError as error:
        if len(name) == 1 or not name.isalnum() or len(set(name)) != len(name):
            raise UsageError(f"key_bind has '{name}', which is no key: names are like 'a', 'left', 'space'") from error
        return frozenset().union(*(_of_name(pygame, char) for char in name))
