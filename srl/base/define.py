"""The words that environments and algorithms share: types of values, reasons for an end, ways to render."""

from __future__ import annotations

import enum
from typing import Any, Literal, TypeAlias

RenderModeType: TypeAlias = Literal["", "terminal", "rgb_array", "window"]

EnvActionType: TypeAlias = Any
EnvObservationType: TypeAlias = Any
RLActionType: TypeAlias = Any
RLObservationType: TypeAlias = Any
SpaceType: TypeAlias = Any
KeyBindType: TypeAlias = dict[Any, EnvActionType] | None
PlayerType: TypeAlias = Any
"""None (this run's algorithm), "name" or ("name", kwargs) of a rule-based player, or another RLConfig."""
PlayersType: TypeAlias = list[PlayerType]


class RLBaseTypes(enum.Flag):
    """What an algorithm wants its actions or observations to be. `A | B` means either, whichever costs least."""

    NONE = 0
    DISCRETE = enum.auto()
    ARRAY_DISCRETE = enum.auto()
    CONTINUOUS = enum.auto()
    ARRAY_CONTINUOUS = enum.auto()
    NP_ARRAY = enum.auto()
    BOX = enum.auto()
    TEXT = enum.auto()
    MULTI = enum.auto()

    @staticmethod
    def from_str(name: str | RLBaseTypes) -> RLBaseTypes:
        """Return the member of that name, whatever its case. Raises ValueError that lists the members."""
        if isinstance(name, RLBaseTypes):
            return name
        found = RLBaseTypes.__members__.get(name.upper())
        if found is None:
            raise ValueError(f"'{name}' is not one of {', '.join(RLBaseTypes.__members__)}")
        return found

    @staticmethod
    def to_list(flag: RLBaseTypes) -> list[RLBaseTypes]:
        """Return the single members that `flag` is made of."""
        return [member for member in RLBaseTypes if member in flag]


class SpaceTypes(enum.Enum):
    """What the numbers of a space mean: a picture is processed otherwise than a feature map."""

    UNKNOWN = enum.auto()
    DISCRETE = enum.auto()
    CONTINUOUS = enum.auto()
    GRAY_HW = enum.auto()
    GRAY_HW1 = enum.auto()
    RGB = enum.auto()
    IMAGE_MAP = enum.auto()
    FEATURE_MAP = enum.auto()
    TEXT = enum.auto()
    MULTI = enum.auto()

    @staticmethod
    def is_image(stype: SpaceTypes) -> bool:
        """Tell whether a space of this type can be shown as a picture."""
        return stype in {SpaceTypes.GRAY_HW, SpaceTypes.GRAY_HW1, SpaceTypes.RGB}


class DoneTypes(enum.Enum):
    """Why an episode is over, or that it is not."""

    NONE = enum.auto()
    RESET = enum.auto()
    TERMINATED = enum.auto()
    TRUNCATED = enum.auto()
    ABORT = enum.auto()

    @staticmethod
    def from_val(value: bool | str | DoneTypes) -> DoneTypes:
        """Return the done type of a flag (True is TERMINATED), of a name, or of itself."""
        if isinstance(value, DoneTypes):
            return value
        if isinstance(value, str):
            found = DoneTypes.__members__.get(value.upper())
            if found is None:
                raise ValueError(f"'{value}' is not one of {', '.join(DoneTypes.__members__)}")
            return found
        return DoneTypes.TERMINATED if value else DoneTypes.NONE
