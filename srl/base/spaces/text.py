"""Text of a bounded length."""

from __future__ import annotations

import random
import string
from typing import Any

import numpy as np

from srl.base.define import SpaceTypes
from srl.base.spaces.space import SpaceBase


class TextSpace(SpaceBase[str]):
    """Texts of `min_length` to `max_length` characters out of `charset`.

    `max_length` -1 is no limit, an empty `charset` is every character (samples are then letters).
    `padding` fills texts up where a fixed length is needed. Raises ValueError if the lengths contradict.
    """

    def __init__(self, max_length: int = -1, min_length: int = 0, charset: str = "", padding: str = " ") -> None:
        super().__init__()
        if min_length < 0 or 0 <= max_length < min_length:
            raise ValueError(f"TextSpace: no text has {min_length} to {max_length} characters")
        if len(padding) != 1:
            raise ValueError(f"TextSpace: padding must be one character, not {padding!r}")
        self.max_length = max_length
        self.min_length = min_length
        self.charset = charset
        self.padding = padding

    @property
    def stype(self) -> SpaceTypes:
        return SpaceTypes.TEXT

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.str_)

    def arguments(self) -> dict[str, Any]:
        return {
            "max_length": self.max_length,
            "min_length": self.min_length,
            "charset": self.charset,
            "padding": self.padding,
        }

    def __str__(self) -> str:
        return f"Text({self.min_length}, {self.max_length})"

    def sample(self, mask: list[str] | None = None) -> str:
        longest = self.max_length if self.max_length >= 0 else self.min_length + 10
        length = random.randint(self.min_length, longest)
        return "".join(random.choices(self.charset or string.ascii_letters, k=length))

    def sanitize(self, val: Any) -> str:
        text = str(val)[: self.max_length] if self.max_length >= 0 else str(val)
        if self.charset:
            text = "".join(c if c in self.charset else self.padding for c in text)
        return text.ljust(self.min_length, self.padding)

    def check_val(self, val: Any) -> bool:
        if not isinstance(val, str) or len(val) < self.min_length:
            return False
        fits = self.max_length < 0 or len(val) <= self.max_length
        return fits and (not self.charset or set(val) <= {*self.charset, self.padding})

    def to_str(self, val: str) -> str:
        return val

    def get_default(self) -> str:
        return self.padding * self.min_length

    def create_stack_space(self, length: int) -> TextSpace:
        longest = self.max_length * length if self.max_length >= 0 else -1
        return TextSpace(longest, self.min_length * length, self.charset, self.padding)

    def encode_stack(self, val: list[str]) -> str:
        return "".join(val)
