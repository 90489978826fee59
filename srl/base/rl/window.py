"""A window: the last n values as one."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from srl.base.spaces.space import SpaceBase


class Window:
    """The last `length` values of a space, full of its defaults at first."""

    def __init__(self, space: SpaceBase[Any], length: int) -> None:
        self._space = space
        self.values: deque[Any] = deque([space.get_default() for _ in range(length)], maxlen=length)

    def push(self, value: Any) -> Any:
        """Take in the newest value; return the stack of all, oldest first."""
        self.values.append(value)
        return self._space.encode_stack(list(self.values))
