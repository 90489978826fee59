"""The spaces of gymnasium as spaces of this package, and their values there and back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from srl.base.define import SpaceTypes
from srl.base.exception import NotSupportedError
from srl.base.spaces.box import BoxSpace
from srl.base.spaces.discrete import DiscreteSpace
from srl.base.spaces.flat import same
from srl.base.spaces.multi import MultiSpace
from srl.base.spaces.text import TextSpace

if TYPE_CHECKING:
    from srl.base.spaces.space import SpaceBase

logger = logging.getLogger(__name__)

GymSpace = spaces.Space[Any]
Function = Callable[[Any], Any]

_WAY_OUT = "say what it is with a GymUserWrapper (EnvConfig.gym_wrapper)"


@dataclass(frozen=True)
class Conversion:
    """A space of gymnasium as one of this package.

    Attributes:
        space: the space of this package.
        from_gym: turns a value of gymnasium's space into one of `space`.
        to_gym: the way back.
    """

    space: SpaceBase[Any]
    from_gym: Function = same
    to_gym: Function = same


def convert_observation_space(space: GymSpace) -> Conversion:
    """Return the conversion; parts without a fixed size (Graph, Sequence) are dropped with a warning.

    Raises NotSupportedError if nothing is left, or for a space that gymnasium cannot flatten.
    """
    return _convert(space, drop=True)


def convert_action_space(space: GymSpace) -> Conversion:
    """Return the conversion. Raises NotSupportedError for a space, or a part of it, that has no fixed size."""
    return _convert(space, drop=False)


def _convert(space: GymSpace, *, drop: bool) -> Conversion:
    node = _node(space, drop=drop)
    if not node.spaces:
        raise NotSupportedError(f"the space {space} of gymnasium has no counterpart here: {_WAY_OUT}")
    if isinstance(space, spaces.Tuple | spaces.Dict):
        return Conversion(MultiSpace(node.spaces), node.split, lambda parts: node.join(iter(parts)))
    return Conversion(node.spaces[0], node.from_gym, node.to_gym)


class _Leaf:
    """A space that is no container."""

    def __init__(self, space: SpaceBase[Any], from_gym: Function = same, to_gym: Function = same) -> None:
        self.spaces = [space]
        self.from_gym = from_gym
        self.to_gym = to_gym

    def split(self, value: Any) -> list[Any]:
        """Return the values of the parts, in the order of `spaces`."""
        return [self.from_gym(value)]

    def join(self, parts: Iterator[Any]) -> Any:
        """Return gymnasium's value, made of the next parts."""
        return self.to_gym(next(parts))


class _Container(_Leaf):
    """A Tuple or Dict of gymnasium: its parts by key, in order."""

    def __init__(self, parts: dict[Any, _Leaf], assemble: Callable[[dict[Any, Any]], Any]) -> None:
        self.parts = parts
        self.spaces = [space for part in parts.values() for space in part.spaces]
        self.assemble = assemble

    def split(self, value: Any) -> list[Any]:
        return [leaf for key, part in self.parts.items() for leaf in part.split(value[key])]

    def join(self, parts: Iterator[Any]) -> Any:
        return self.assemble({key: part.join(parts) for key, part in self.parts.items()})


def _node(space: GymSpace, *, drop: bool) -> _Leaf:
    match space:
        case spaces.Dict():
            keys = sorted(space.spaces, key=str)
            return _Container(_parts({key: space.spaces[key] for key in keys}, drop=drop), same)
        case spaces.Tuple():
            parts = _parts(dict(enumerate(space.spaces)), drop=drop)
            return _Container(parts, lambda values: tuple(values.values()))
        case spaces.Graph() | spaces.Sequence():
            return _without_size(space, drop=drop)
    return _leaf(space)


def _parts(children: dict[Any, GymSpace], *, drop: bool) -> dict[Any, _Leaf]:
    return {key: _node(child, drop=drop) for key, child in children.items()}


def _without_size(space: GymSpace, *, drop: bool) -> _Leaf:
    if not drop:
        raise NotSupportedError(f"{space} has no fixed size, which actions must have: {_WAY_OUT}")
    logger.warning("%s has no fixed size: it is left out of observations. To keep it, %s", space, _WAY_OUT)
    return _Container({}, same)


def _leaf(space: GymSpace) -> _Leaf:
    match space:
        case spaces.Discrete():
            return _Leaf(DiscreteSpace(int(space.n), int(space.start)), int)
        case spaces.Text():
            return _Leaf(TextSpace(space.max_length, space.min_length, "".join(sorted(space.character_set))))
        case spaces.MultiDiscrete() | spaces.MultiBinary() | spaces.Box():
            return _array_leaf(space)
    return _flattened(space)


def _array_leaf(space: spaces.MultiDiscrete | spaces.MultiBinary | spaces.Box) -> _Leaf:
    match space:
        case spaces.MultiDiscrete():
            low = space.start.astype(np.int64)
            box = BoxSpace(space.nvec.shape, low, low + space.nvec.astype(np.int64) - 1, np.int64)
            return _Leaf(box, _to_dtype(np.int64), _to_dtype(space.dtype))
        case spaces.Box() if space.dtype != np.bool_:
            return _Leaf(BoxSpace(space.shape, space.low, space.high, space.dtype, _meaning(space)))
    return _Leaf(BoxSpace(space.shape, 0, 1, np.int8), _to_dtype(np.int8), _to_dtype(space.dtype))


def _to_dtype(dtype: Any) -> Function:
    return lambda value: np.asarray(value, dtype)


def _meaning(space: spaces.Box) -> SpaceTypes:
    """Return what the numbers of a Box mean: unsigned integers with height and width are a picture."""
    if not np.issubdtype(space.dtype, np.unsignedinteger) or len(space.shape) < 2:
        return SpaceTypes.UNKNOWN
    if len(space.shape) == 2:
        return SpaceTypes.GRAY_HW
    by_channels = {1: SpaceTypes.GRAY_HW1, 3: SpaceTypes.RGB}
    return by_channels.get(space.shape[-1], SpaceTypes.FEATURE_MAP) if len(space.shape) == 3 else SpaceTypes.UNKNOWN


def _flattened(space: GymSpace) -> _Leaf:
    try:
        box = spaces.flatten_space(space)
    except (NotImplementedError, ValueError) as error:
        raise NotSupportedError(f"the space {space} of gymnasium has no counterpart here: {_WAY_OUT}") from error
    if not isinstance(box, spaces.Box):
        raise NotSupportedError(f"the space {space} of gymnasium cannot be flattened to a Box: {_WAY_OUT}")
    leaf = _leaf(box)
    return _Leaf(
        leaf.spaces[0],
        lambda value: spaces.flatten(space, value),
        lambda value: spaces.unflatten(space, value),
    )
