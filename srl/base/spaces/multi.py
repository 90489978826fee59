"""A list of values of other spaces."""

from __future__ import annotations

import itertools
import math
import random
from typing import TYPE_CHECKING, Any

from srl.base.define import SpaceTypes
from srl.base.exception import NotSupportedError
from srl.base.spaces.lattice import require_listable
from srl.base.spaces.space import SpaceBase

if TYPE_CHECKING:
    import numpy as np


class MultiSpace(SpaceBase[list[Any]]):
    """Lists with one value of each of `spaces`, in this order. Raises ValueError if there is no space."""

    def __init__(self, spaces: list[SpaceBase[Any]]) -> None:
        super().__init__()
        if not spaces:
            raise ValueError("MultiSpace: give at least one space")
        self.spaces = spaces

    @property
    def space_size(self) -> int:
        """How many parts a value has."""
        return len(self.spaces)

    @property
    def stype(self) -> SpaceTypes:
        return SpaceTypes.MULTI

    @property
    def dtype(self) -> np.dtype[Any]:
        raise NotSupportedError("a MultiSpace has no dtype of its own: ask its parts, `spaces[i].dtype`")

    def arguments(self) -> dict[str, Any]:
        return {"spaces": self.spaces}

    def copy(self, **override: Any) -> MultiSpace:
        return MultiSpace(**{"spaces": [part.copy() for part in self.spaces], **override})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MultiSpace) and self.spaces == other.spaces

    __hash__ = None

    def __str__(self) -> str:
        return f"Multi({', '.join(map(str, self.spaces))})"

    def create_division_tbl(self, division_num: int, max_size: int = 100_000, max_byte: int = 1 << 30) -> None:
        super().create_division_tbl(division_num)
        for part in self.spaces:
            part.create_division_tbl(division_num)

    def sample(self, mask: list[list[Any]] | None = None) -> list[Any]:
        if not mask:
            return [part.sample() for part in self.spaces]
        return self._sample_unmasked(mask)

    def _sample_unmasked(self, mask: list[list[Any]]) -> list[Any]:
        allowed = self.get_valid_actions(mask)
        if not allowed:
            raise ValueError(f"all values of {self} are masked: nothing is left to draw")
        return random.choice(allowed)

    def sanitize(self, val: Any) -> list[Any]:
        if len(val) != self.space_size:
            raise ValueError(f"{val!r} has {len(val)} parts, not {self.space_size}")
        return [part.sanitize(x) for part, x in zip(self.spaces, val, strict=True)]

    def check_val(self, val: Any) -> bool:
        return (
            isinstance(val, list)
            and len(val) == self.space_size
            and all(part.check_val(x) for part, x in zip(self.spaces, val, strict=True))
        )

    def to_str(self, val: list[Any]) -> str:
        return "_".join(part.to_str(x) for part, x in zip(self.spaces, val, strict=True))

    def get_default(self) -> list[Any]:
        return [part.get_default() for part in self.spaces]

    def copy_value(self, v: list[Any]) -> list[Any]:
        return [part.copy_value(x) for part, x in zip(self.spaces, v, strict=True)]

    def get_valid_actions(self, masks: list[list[Any]] | None = None) -> list[list[Any]]:
        banned = {self.to_str(m) for m in masks or ()}
        parts = [part.get_valid_actions() for part in self.spaces]
        require_listable(self, math.prod(map(len, parts)))
        every = map(list, itertools.product(*parts))
        return [value for value in every if self.to_str(value) not in banned]

    def get_onehot(self, x: list[Any]) -> list[Any]:
        return [part.get_onehot(value) for part, value in zip(self.spaces, x, strict=True)]

    def create_stack_space(self, length: int) -> MultiSpace:
        return MultiSpace([part.create_stack_space(length) for part in self.spaces])

    def encode_stack(self, val: list[list[Any]]) -> list[Any]:
        columns = zip(*val, strict=True)
        return [part.encode_stack(list(column)) for part, column in zip(self.spaces, columns, strict=True)]
