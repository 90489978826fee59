"""Values that nothing is known about."""

from __future__ import annotations

from typing import Any

import numpy as np

from srl.base.define import SpaceTypes
from srl.base.spaces.space import SpaceBase


class AnySpace(SpaceBase[Any]):
    """Any value at all. It can be carried and printed, but neither drawn at random nor converted."""

    @property
    def stype(self) -> SpaceTypes:
        return SpaceTypes.UNKNOWN

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.object_)

    def arguments(self) -> dict[str, Any]:
        return {}

    def __str__(self) -> str:
        return "Any"

    def sample(self, mask: list[Any] | None = None) -> Any:
        return self.get_default()

    def sanitize(self, val: Any) -> Any:
        return val

    def check_val(self, val: Any) -> bool:
        return True

    def to_str(self, val: Any) -> str:
        return str(val)

    def get_default(self) -> Any:
        return None

    def create_stack_space(self, length: int) -> AnySpace:
        return AnySpace()

    def encode_stack(self, val: list[Any]) -> Any:
        return list(val)
