"""Conversions of several parts: each part is converted by its own space, then the results are joined."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from srl.base.define import RLBaseTypes
from srl.base.spaces import number_encoders
from srl.base.spaces.array_continuous import ArrayContinuousSpace
from srl.base.spaces.array_discrete import ArrayDiscreteSpace
from srl.base.spaces.box import BoxSpace
from srl.base.spaces.flat import same
from srl.base.spaces.lattice import Lattice
from srl.base.spaces.np_array import NpArraySpace
from srl.base.spaces.space import Encoder, SpaceEncodeOptions
from srl.base.spaces.text import TextSpace

if TYPE_CHECKING:
    from collections.abc import Callable

    from srl.base.spaces.multi import MultiSpace

_TEXT_SEPARATOR = "_"


def to_multi(space: MultiSpace, _options: SpaceEncodeOptions) -> Encoder:
    """Give the parts as they are."""
    return Encoder(space.copy(), same, same)


def to_discrete(space: MultiSpace, options: SpaceEncodeOptions) -> Encoder:
    """Number the combinations of the parts' numbers."""
    parts = _encoders(space, RLBaseTypes.DISCRETE, options)
    lattice = Lattice([0] * len(parts), [part.space.n - 1 for part in parts])  # type: ignore[attr-defined]
    return _joined(number_encoders.count_all(space, lattice), parts, lattice.index, lattice.row)


def to_array_discrete(space: MultiSpace, options: SpaceEncodeOptions) -> Encoder:
    """List the whole numbers of all parts, one after the other."""
    return _concatenated(space, options, RLBaseTypes.ARRAY_DISCRETE, ArrayDiscreteSpace)


def to_array_continuous(space: MultiSpace, options: SpaceEncodeOptions) -> Encoder:
    """List the numbers of all parts, one after the other."""
    return _concatenated(space, options, RLBaseTypes.ARRAY_CONTINUOUS, ArrayContinuousSpace)


def _concatenated(
    space: MultiSpace, options: SpaceEncodeOptions, base_type: RLBaseTypes, make_space: Callable[..., Any]
) -> Encoder:
    parts = _encoders(space, base_type, options)
    spaces: list[Any] = [part.space for part in parts]
    target = make_space(
        sum(part.size for part in spaces),
        list(itertools.chain.from_iterable(part.low for part in spaces)),
        list(itertools.chain.from_iterable(part.high for part in spaces)),
    )
    cuts = _cuts([part.size for part in spaces])
    return _joined(
        target,
        parts,
        lambda rows: list(itertools.chain.from_iterable(rows)),
        lambda row: [row[a:b] for a, b in itertools.pairwise(cuts)],
    )


def to_np_array(space: MultiSpace, options: SpaceEncodeOptions) -> Encoder:
    """Give the numbers of all parts as one array of one dimension."""
    parts = _encoders(space, RLBaseTypes.NP_ARRAY, options)
    spaces: list[Any] = [part.space for part in parts]
    low = np.concatenate([part.low for part in spaces])
    high = np.concatenate([part.high for part in spaces])
    dtype = np.result_type(*(part.dtype for part in spaces))
    cuts = _cuts([part.size for part in spaces])
    return _joined(
        NpArraySpace(len(low), low, high, dtype),
        parts,
        lambda arrays: np.concatenate(arrays).astype(dtype),
        lambda array: [array[a:b] for a, b in itertools.pairwise(cuts)],
    )


def to_box(space: MultiSpace, options: SpaceEncodeOptions) -> Encoder:
    """Stack the parts' arrays on a new first axis if their shapes are equal, else lay them end to end."""
    parts = _encoders(space, RLBaseTypes.BOX, options)
    spaces: list[Any] = [part.space for part in parts]
    if len({part.shape for part in spaces}) > 1:
        flat = to_np_array(space, options)
        target: Any = flat.space
        box = BoxSpace((target.size,), target.low, target.high, target.dtype, target.stype)
        return Encoder(box, flat.encode, flat.decode)
    low, high = np.stack([part.low for part in spaces]), np.stack([part.high for part in spaces])
    dtype = np.result_type(*(part.dtype for part in spaces))
    return _joined(BoxSpace(low.shape, low, high, dtype), parts, lambda arrays: np.stack(arrays).astype(dtype), list)


def to_text(space: MultiSpace, options: SpaceEncodeOptions) -> Encoder:
    """Write the parts with "_" between them. Parts that are text must not hold a "_" to come back whole."""
    parts = _encoders(space, RLBaseTypes.TEXT, options)
    return _joined(TextSpace(), parts, _TEXT_SEPARATOR.join, lambda text: text.split(_TEXT_SEPARATOR))


def _encoders(space: MultiSpace, base_type: RLBaseTypes, options: SpaceEncodeOptions) -> list[Encoder]:
    from srl.base.spaces.encoders import make_encoder

    return [make_encoder(part, base_type, options) for part in space.spaces]


def _joined(target: Any, parts: list[Encoder], join: Callable[[Any], Any], split: Callable[[Any], Any]) -> Encoder:
    def encode(values: list[Any]) -> Any:
        return join([part.encode(value) for part, value in zip(parts, values, strict=True)])

    def decode(joined: Any) -> list[Any]:
        return [part.decode(value) for part, value in zip(parts, split(joined), strict=True)]

    return Encoder(target, encode, decode)


def _cuts(sizes: list[int]) -> list[int]:
    return [0, *itertools.accumulate(sizes)]
