"""A person at the terminal is asked for an action."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from srl.rl.choices import Choices

_GIVE_UP = "q"
_LINE_CHARS = 80


def ask_action(choices: Choices) -> Any | None:
    """Print what can be chosen, and ask until the answer is a name or number of it.

    Return the action, or None when the person gives up, or there is no more input.
    """
    names = {number: choices.name(number) for number in choices.valid()}
    print(_listed(names))
    while (answer := _answer()) != _GIVE_UP:
        number = _number_of(answer, names)
        if number is not None:
            return choices.action(number)
        print(f"'{answer}' is none of them")
    return None


def _answer() -> str:
    try:
        return input(f"action ({_GIVE_UP} gives up): ").strip()
    except EOFError:
        print()
        return _GIVE_UP


def _number_of(answer: str, names: dict[int, str]) -> int | None:
    for number, name in names.items():
        if name == answer:
            return number
    return int(answer) if answer.isdecimal() and int(answer) in names else None


def _listed(names: dict[int, str]) -> str:
    shown = [name if name.isdecimal() else f"{number}:{name}" for number, name in names.items()]
    return textwrap.fill("  ".join(shown), _LINE_CHARS, break_long_words=False, break_on_hyphens=False)
