"""Conversions of text: as it is, or as the code points of its characters, padded to the longest length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srl.base.spaces import number_encoders
from srl.base.spaces.array_discrete import ArrayDiscreteSpace
from srl.base.spaces.flat import chain, same
from srl.base.spaces.space import Encoder, SpaceBase, SpaceEncodeOptions

if TYPE_CHECKING:
    from srl.base.spaces.text import TextSpace

_HIGHEST_CODE_POINT = 0x10FFFF


def to_text(space: TextSpace, _options: SpaceEncodeOptions) -> Encoder:
    """Give the text as it is."""
    return Encoder(space.copy(), same, same)


def to_array_discrete(space: TextSpace, _options: SpaceEncodeOptions) -> Encoder:
    """List `max_length` code points. The padding at the end is lost on the way back."""
    length, padding = space.max_length, space.padding
    highest = max(map(ord, space.charset + padding)) if space.charset else _HIGHEST_CODE_POINT

    def encode(text: str) -> list[int]:
        return [ord(c) for c in text[:length].ljust(length, padding)]

    def decode(points: list[int]) -> str:
        text = "".join(map(chr, points)).rstrip(padding)
        return text.ljust(space.min_length, padding)

    return Encoder(ArrayDiscreteSpace(length, 0, highest), encode, decode)


def to_array_continuous(space: TextSpace, options: SpaceEncodeOptions) -> Encoder:
    """List `max_length` code points as floats."""
    return _via_code_points(space, options, number_encoders.to_array_continuous)


def to_np_array(space: TextSpace, options: SpaceEncodeOptions) -> Encoder:
    """Give `max_length` code points as an array."""
    return _via_code_points(space, options, number_encoders.to_np_array)


def to_box(space: TextSpace, options: SpaceEncodeOptions) -> Encoder:
    """Give `max_length` code points as an array."""
    return _via_code_points(space, options, number_encoders.to_box)


def _via_code_points(space: TextSpace, options: SpaceEncodeOptions, make: Any) -> Encoder:
    first = to_array_discrete(space, options)
    then: Encoder = make(first.space, options)
    target: SpaceBase[Any] = then.space
    return Encoder(target, chain(first.encode, then.encode), chain(then.decode, first.decode))
