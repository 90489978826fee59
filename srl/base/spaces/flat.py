"""Spaces of numbers seen alike: a row of numbers with bounds, and the way there and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from srl.base.spaces.array_continuous import ArrayContinuousSpace
from srl.base.spaces.array_discrete import ArrayDiscreteSpace
from srl.base.spaces.arrays import BoundedArraySpace
from srl.base.spaces.continuous import ContinuousSpace
from srl.base.spaces.discrete import DiscreteSpace

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from srl.base.define import SpaceTypes
    from srl.base.spaces.space import SpaceBase

Row = list[Any]


def same(value: Any) -> Any:
    """Return the value itself; `chain` leaves it out."""
    return value


def chain(first: Callable[[Any], Any], then: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the function that calls one after the other, without a call for `same`."""
    if first is same:
        return then
    if then is same:
        return first
    return lambda value: then(first(value))


def repair_to(space: SpaceBase[Any]) -> Callable[[Any], Any]:
    """Return the function that brings a value into a space; one that is in it stays the same object."""
    check, sanitize = space.check_val, space.sanitize  # most values are right, and checking is the cheaper
    return lambda value: value if check(value) else sanitize(value)


@dataclass(frozen=True)
class Flat:
    """How a space of numbers looks as a row.

    Attributes:
        low: lowest number on each axis; a Discrete space starts at 0 here, whatever its `start`.
        high: highest number on each axis, included.
        integer: whether the numbers are whole.
        shape: shape of the array that `to_array` returns.
        stype: what the numbers mean.
        dtype: numpy type of the numbers.
        to_row: turns a value into a list of Python numbers.
        from_row: turns such a list back into a value.
        to_array: turns a value into an array of `shape`, whose dtype may be any.
        from_array: turns such an array back into a value.
    """

    low: list[float]
    high: list[float]
    integer: bool
    shape: tuple[int, ...]
    stype: SpaceTypes
    dtype: np.dtype[Any]
    to_row: Callable[[Any], Row]
    from_row: Callable[[Row], Any]
    to_array: Callable[[Any], NDArray[Any]]
    from_array: Callable[[NDArray[Any]], Any]

    @property
    def size(self) -> int:
        return len(self.low)

    @property
    def is_finite(self) -> bool:
        return not any(map(math.isinf, (*self.low, *self.high)))


def flatten(space: SpaceBase[Any]) -> Flat:
    """Return the view of a space of numbers. Raises TypeError for any other space."""
    match space:
        case DiscreteSpace():
            return _flat_discrete(space)
        case ArrayDiscreteSpace() | ArrayContinuousSpace():
            return _flat_list(space)
        case ContinuousSpace():
            return _flat_continuous(space)
        case BoundedArraySpace():
            return _flat_array(space)
    raise TypeError(f"{space} is not a space of numbers")


def _flat_discrete(space: DiscreteSpace) -> Flat:
    start = space.start
    return Flat(
        [0],
        [space.n - 1],
        integer=True,
        shape=(1,),
        stype=space.stype,
        dtype=space.dtype,
        to_row=lambda value: [value - start],
        from_row=lambda row: int(row[0]) + start,
        to_array=lambda value: np.array([value - start]),
        from_array=lambda array: int(array[0]) + start,
    )


def _flat_list(space: ArrayDiscreteSpace | ArrayContinuousSpace) -> Flat:
    return Flat(
        list(space.low),
        list(space.high),
        integer=space.is_discrete(),
        shape=(space.size,),
        stype=space.stype,
        dtype=space.dtype,
        to_row=same,
        from_row=same,
        to_array=np.array,
        from_array=lambda array: array.tolist(),
    )


def _flat_continuous(space: ContinuousSpace) -> Flat:
    return Flat(
        [space.low],
        [space.high],
        integer=False,
        shape=(1,),
        stype=space.stype,
        dtype=space.dtype,
        to_row=lambda value: [value],
        from_row=lambda row: float(row[0]),
        to_array=lambda value: np.array([value]),
        from_array=lambda array: float(array[0]),
    )


def _flat_array(space: BoundedArraySpace) -> Flat:
    shape, dtype = space.shape, space.dtype
    number = np.dtype(np.int8) if dtype.kind == "b" else dtype  # True and False count as 1 and 0
    return Flat(
        space.low.reshape(-1).tolist(),
        space.high.reshape(-1).tolist(),
        integer=space.is_integer(),
        shape=shape,
        stype=space.stype,
        dtype=dtype,
        to_row=lambda value: np.asarray(value, number).reshape(-1).tolist(),
        from_row=lambda row: np.array(row, dtype).reshape(shape),
        to_array=same,
        from_array=lambda array: np.asarray(array, dtype),
    )
