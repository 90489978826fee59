"""Spaces: what the actions and observations of an environment are, and how an algorithm gets them."""

from srl.base.spaces.any_space import AnySpace
from srl.base.spaces.array_continuous import ArrayContinuousSpace
from srl.base.spaces.array_discrete import ArrayDiscreteSpace
from srl.base.spaces.box import BoxSpace
from srl.base.spaces.continuous import ContinuousSpace
from srl.base.spaces.discrete import DiscreteSpace
from srl.base.spaces.multi import MultiSpace
from srl.base.spaces.np_array import NpArraySpace
from srl.base.spaces.space import SpaceBase, SpaceEncodeOptions
from srl.base.spaces.text import TextSpace

__all__ = [
    "AnySpace",
    "ArrayContinuousSpace",
    "ArrayDiscreteSpace",
    "BoxSpace",
    "ContinuousSpace",
    "DiscreteSpace",
    "MultiSpace",
    "NpArraySpace",
    "SpaceBase",
    "SpaceEncodeOptions",
    "TextSpace",
]
