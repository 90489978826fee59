"""Conversions of numbers to each base type.

The numbers come as Discrete, ArrayDiscrete, Continuous, ArrayContinuous, NpArray or Box. Each
function takes a space and the options, and returns the encoder to one kind of space.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from srl.base.define import SpaceTypes
from srl.base.exception import NotSupportedError
from srl.base.spaces.array_continuous import ArrayContinuousSpace
from srl.base.spaces.array_discrete import ArrayDiscreteSpace
from srl.base.spaces.arrays import BoundedArraySpace
from srl.base.spaces.box import BoxSpace
from srl.base.spaces.continuous import ContinuousSpace
from srl.base.spaces.discrete import DiscreteSpace
from srl.base.spaces.flat import Flat, Row, chain, flatten, repair_to, same
from srl.base.spaces.lattice import Lattice, Quantizer, points_per_axis
from srl.base.spaces.np_array import NpArraySpace
from srl.base.spaces.scaling import Scaling
from srl.base.spaces.space import Encoder, SpaceBase, SpaceEncodeOptions
from srl.base.spaces.text import TextSpace

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def to_discrete(space: SpaceBase[Any], _options: SpaceEncodeOptions) -> Encoder:
    """Number the values: whole numbers exactly, numbers with fractions by the nearest point of a grid."""
    if isinstance(space, DiscreteSpace):
        return _drop_start(space)
    flat = flatten(space)
    return _count_integers(space, flat) if flat.integer else _count_grid(space, flat)


def _drop_start(space: DiscreteSpace) -> Encoder:
    start, target = space.start, DiscreteSpace(space.n)
    if start == 0:
        return Encoder(target, same, same)
    return Encoder(target, lambda value: value - start, lambda value: value + start)


def _count_integers(space: SpaceBase[Any], flat: Flat) -> Encoder:
    if not flat.is_finite:
        _refuse_infinite(space, "DISCRETE")
    lattice = Lattice([round(x) for x in flat.low], [round(x) for x in flat.high])
    return Encoder(count_all(space, lattice), chain(flat.to_row, lattice.index), chain(lattice.row, flat.from_row))


def count_all(space: SpaceBase[Any], lattice: Lattice) -> DiscreteSpace:
    """Return the space of the numbers of a lattice. Raises NotSupportedError if they exceed 64 bits."""
    if lattice.size > np.iinfo(np.int64).max:
        raise NotSupportedError(
            f"{space} has more than 2**63 values, which DISCRETE cannot number. Choose another type "
            "(override_observation_type or override_action_type), fewer numbers (a processor), or round each "
            "number on its own (ARRAY_DISCRETE with observation_division_num or action_division_num 0)"
        )
    return DiscreteSpace(lattice.size)


def _count_grid(space: SpaceBase[Any], flat: Flat) -> Encoder:
    if space.division_num < 1:
        raise NotSupportedError(
            f"{space} has numbers with fractions: to make it discrete, say into how many points to divide it "
            f"(action_division_num or observation_division_num, now {space.division_num}; at least 1)"
        )
    count = points_per_axis(space.division_num, flat.size)
    grid = Quantizer(flat.low, flat.high, count)
    lattice = Lattice([0] * flat.size, [count - 1] * flat.size)
    return Encoder(
        count_all(space, lattice),
        lambda value: lattice.index(grid.nearest(flat.to_row(value))),
        lambda index: flat.from_row(grid.point(lattice.row(index))),
    )


def _refuse_infinite(space: SpaceBase[Any], wanted: str) -> NoReturn:
    raise NotSupportedError(
        f"{space} has infinite bounds, and so too many whole numbers to become {wanted}. Divide numbers with fractions "
        "(observation_division_num or action_division_num above 0), give finite bounds (override_observation_space "
        "or override_action_space of EnvConfig), or choose another type (override_observation_type or "
        "override_action_type of the algorithm's config)"
    )


def to_array_discrete(space: SpaceBase[Any], options: SpaceEncodeOptions) -> Encoder:
    """List whole numbers as they are; of numbers with fractions, list the one number of their grid point.

    With `division_num` 0 or less, numbers with fractions are rounded, each on its own.
    """
    flat = flatten(space)
    if not flat.integer and space.division_num > 0:
        single = to_discrete(space, options)
        target = ArrayDiscreteSpace(1, 0, single.space.n - 1)  # type: ignore[attr-defined]
        return Encoder(target, lambda v: [single.encode(v)], lambda row: single.decode(row[0]))
    if not flat.is_finite:
        _refuse_infinite(space, "ARRAY_DISCRETE")
    return _list_integers(flat) if flat.integer else _round_each(space, flat)


def _list_integers(flat: Flat) -> Encoder:
    target = ArrayDiscreteSpace(flat.size, [round(x) for x in flat.low], [round(x) for x in flat.high])
    return Encoder(target, flat.to_row, flat.from_row)


def _round_each(space: SpaceBase[Any], flat: Flat) -> Encoder:
    low, high = [math.ceil(x) for x in flat.low], [math.floor(x) for x in flat.high]
    if any(a > b for a, b in zip(low, high, strict=True)):
        raise NotSupportedError(
            f"{space} has an axis without a whole number to round to. "
            "Set observation_division_num or action_division_num to 2 or more"
        )
    target = ArrayDiscreteSpace(flat.size, low, high)
    return Encoder(target, chain(flat.to_row, target.sanitize), chain(_float_row, flat.from_row))


def _round_row(row: Row) -> list[int]:
    return [round(x) for x in row]


def to_continuous(space: SpaceBase[Any], _options: SpaceEncodeOptions) -> Encoder:
    """Give the only number as float. Raises NotSupportedError if there are several."""
    flat = flatten(space)
    if flat.size != 1:
        raise NotSupportedError(f"{space} has {flat.size} numbers: CONTINUOUS is one, use ARRAY_CONTINUOUS")
    decode = chain(_round_row, flat.from_row) if flat.integer else flat.from_row
    target = ContinuousSpace(flat.low[0], flat.high[0])
    return Encoder(target, lambda value: float(flat.to_row(value)[0]), lambda x: decode([x]))


def to_array_continuous(space: SpaceBase[Any], _options: SpaceEncodeOptions) -> Encoder:
    """List the numbers as floats."""
    flat = flatten(space)
    target = ArrayContinuousSpace(flat.size, flat.low, flat.high)
    if not flat.integer:
        return Encoder(target, flat.to_row, flat.from_row)
    return Encoder(target, chain(flat.to_row, _float_row), chain(_round_row, flat.from_row))


def _float_row(row: Row) -> list[float]:
    return [float(x) for x in row]


def to_np_array(space: SpaceBase[Any], options: SpaceEncodeOptions) -> Encoder:
    """Give all numbers as an array of one dimension."""
    return _to_array(space, options, one_dimension=True)


def to_box(space: SpaceBase[Any], options: SpaceEncodeOptions) -> Encoder:
    """Give all numbers as an array of their shape."""
    return _to_array(space, options, one_dimension=False)


def _to_array(space: SpaceBase[Any], options: SpaceEncodeOptions, *, one_dimension: bool) -> Encoder:
    flat = flatten(space)
    shape = (flat.size,) if one_dimension else flat.shape
    scaling = Scaling.of(space, flat, options)
    low, high = (scaling.forward(_array(bound, flat.shape)).reshape(shape) for bound in (flat.low, flat.high))
    stype = _array_stype(flat.stype, options)
    target: SpaceBase[Any] = (
        NpArraySpace(flat.size, low, high, scaling.dtype, stype)
        if one_dimension
        else BoxSpace(shape, low, high, scaling.dtype, stype)
    )
    to_shape, to_flat_shape = (same, same) if shape == flat.shape else (_reshape(shape), _reshape(flat.shape))
    encode = chain(flat.to_array, chain(scaling.forward, to_shape))
    decode = chain(to_flat_shape, chain(scaling.backward, flat.from_array))
    is_exact = isinstance(space, BoundedArraySpace) and scaling.keeps(space.dtype)
    return Encoder(target, encode, decode if is_exact else chain(decode, repair_to(space)))


def _reshape(shape: tuple[int, ...]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    return lambda array: array.reshape(shape)


def _array(row: Row, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return np.array(row, np.float64).reshape(shape)


def _array_stype(stype: SpaceTypes, options: SpaceEncodeOptions) -> SpaceTypes:
    scaled = stype == SpaceTypes.DISCRETE and options.np_norm_type
    return SpaceTypes.CONTINUOUS if scaled else stype


def to_text(space: SpaceBase[Any], _options: SpaceEncodeOptions) -> Encoder:
    """Write the numbers with commas between them."""
    flat = flatten(space)
    parse = int if flat.integer else float
    return Encoder(
        TextSpace(min_length=1),
        lambda value: ",".join(map(str, flat.to_row(value))),
        lambda text: flat.from_row([parse(x) for x in text.split(",")]),
    )
