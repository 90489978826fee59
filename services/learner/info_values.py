"""What the Trainer shows of itself: the numbers in its info, as others may see them."""

from __future__ import annotations

import logging
from numbers import Real
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger("srl")

NAMES_MAX = 32
"""Each name is a time series for ever: a Trainer that makes up new ones is cut off."""


class InfoValues:
    """The newest numbers by name, of the first `NAMES_MAX` names that there ever were."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}
        self._names: set[str] = set()
        self._warned = False

    def update(self, info: Mapping[str, Any]) -> None:
        """Look at a Trainer's info; what is no number is left out."""
        numbers = {str(name): float(value) for name, value in info.items() if isinstance(value, Real)}
        for name in numbers:
            if name not in self._names:
                self._admit(name)
        self.values = {name: value for name, value in numbers.items() if name in self._names}

    def _admit(self, name: str) -> None:
        if len(self._names) < NAMES_MAX:
            self._names.add(name)
        elif not self._warned:
            self._warned = True
            log.warning("the Trainer's info has more than %d names: '%s' and others are not shown", NAMES_MAX, name)
