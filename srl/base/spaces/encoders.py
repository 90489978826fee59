"""THE table of conversions: which space becomes which base type, cheapest first, and by which function.

A new conversion is a function (space, options) -> Encoder and one line here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from srl.base.define import RLBaseTypes, SpaceTypes
from srl.base.exception import NotSupportedError
from srl.base.spaces import multi_encoders, number_encoders, text_encoders
from srl.base.spaces.any_space import AnySpace
from srl.base.spaces.array_continuous import ArrayContinuousSpace
from srl.base.spaces.array_discrete import ArrayDiscreteSpace
from srl.base.spaces.box import BoxSpace
from srl.base.spaces.continuous import ContinuousSpace
from srl.base.spaces.discrete import DiscreteSpace
from srl.base.spaces.flat import same
from srl.base.spaces.multi import MultiSpace
from srl.base.spaces.np_array import NpArraySpace
from srl.base.spaces.space import Encoder, SpaceBase, SpaceEncodeOptions
from srl.base.spaces.text import TextSpace

MakeEncoder = Callable[[Any, SpaceEncodeOptions], Encoder]
Table = dict[RLBaseTypes, MakeEncoder]

_D, _AD = RLBaseTypes.DISCRETE, RLBaseTypes.ARRAY_DISCRETE
_C, _AC = RLBaseTypes.CONTINUOUS, RLBaseTypes.ARRAY_CONTINUOUS
_NP, _BOX = RLBaseTypes.NP_ARRAY, RLBaseTypes.BOX
_TEXT, _MULTI = RLBaseTypes.TEXT, RLBaseTypes.MULTI


def make_encoder(space: SpaceBase[Any], required: RLBaseTypes, options: SpaceEncodeOptions) -> Encoder:
    """Return the encoder of a space to the cheapest of the required types."""
    if required == RLBaseTypes.NONE:
        return Encoder(space.copy(), same, same)
    table = encoders_of(space)
    for base_type, make in table.items():
        if base_type & required:
            return make(space, options)
    possible = ", ".join(str(base_type.name) for base_type in table)
    raise NotSupportedError(
        f"{space} cannot become {required.name}; it can become: {possible or 'nothing else'}. Change "
        "override_observation_type or override_action_type, or the type that the algorithm asks for"
    )


def encoders_of(space: SpaceBase[Any]) -> Table:
    """Return what a space can become, cheapest first, and how."""
    for cls, order in _ORDERS.items():
        if isinstance(space, cls):
            return {base_type: _makers(space)[base_type] for base_type in order(space)}
    raise NotSupportedError(f"there is no conversion from {type(space).__name__}")


def _wrap(space: SpaceBase[Any], _options: SpaceEncodeOptions) -> Encoder:
    return Encoder(MultiSpace([space.copy()]), lambda value: [value], lambda parts: parts[0])


_FROM_NUMBERS: Table = {
    _D: number_encoders.to_discrete,
    _AD: number_encoders.to_array_discrete,
    _C: number_encoders.to_continuous,
    _AC: number_encoders.to_array_continuous,
    _NP: number_encoders.to_np_array,
    _BOX: number_encoders.to_box,
    _TEXT: number_encoders.to_text,
    _MULTI: _wrap,
}
_FROM_TEXT: Table = {
    _TEXT: text_encoders.to_text,
    _AD: text_encoders.to_array_discrete,
    _AC: text_encoders.to_array_continuous,
    _NP: text_encoders.to_np_array,
    _BOX: text_encoders.to_box,
    _MULTI: _wrap,
}
_FROM_MULTI: Table = {
    _MULTI: multi_encoders.to_multi,
    _BOX: multi_encoders.to_box,
    _NP: multi_encoders.to_np_array,
    _AC: multi_encoders.to_array_continuous,
    _AD: multi_encoders.to_array_discrete,
    _D: multi_encoders.to_discrete,
    _TEXT: multi_encoders.to_text,
}


def _makers(space: SpaceBase[Any]) -> Table:
    if isinstance(space, MultiSpace):
        return _FROM_MULTI
    return _FROM_TEXT if isinstance(space, TextSpace) else _FROM_NUMBERS


def _order_list(one: list[RLBaseTypes], size: int) -> list[RLBaseTypes]:
    return [base_type for base_type in one if base_type != _C or size == 1]


def _order_array_discrete(space: Any) -> list[RLBaseTypes]:
    return _order_list([_AD, _D, _NP, _AC, _BOX, _C, _TEXT, _MULTI], space.size)


def _order_array_continuous(space: Any) -> list[RLBaseTypes]:
    return _order_list([_AC, _NP, _BOX, _AD, _C, _D, _TEXT, _MULTI], space.size)


def _order_np_array(space: Any) -> list[RLBaseTypes]:
    if space.is_discrete():
        return [_NP, _AD, _AC, _BOX, _D, _TEXT, _MULTI]
    return [_NP, _AC, _BOX, _AD, _D, _TEXT, _MULTI]


def _order_box(space: Any) -> list[RLBaseTypes]:
    if space.stype == SpaceTypes.DISCRETE:
        return [_BOX, _NP, _AD, _AC, _TEXT, _D, _MULTI]
    return [_BOX, _NP, _AC, _AD, _TEXT, _D, _MULTI]


def _order_text(space: Any) -> list[RLBaseTypes]:
    return [_TEXT, _AD, _AC, _NP, _BOX, _MULTI] if space.max_length >= 0 else [_TEXT, _MULTI]


def _order_multi(space: Any) -> list[RLBaseTypes]:
    of_all_parts = [t for t in (_BOX, _NP, _AC, _AD, _D, _TEXT) if all(t in p.get_encode_list() for p in space.spaces)]
    return [_MULTI, *of_all_parts]


_ORDERS: dict[type[SpaceBase[Any]], Callable[[Any], list[RLBaseTypes]]] = {
    DiscreteSpace: lambda _: [_D, _AD, _NP, _C, _AC, _BOX, _TEXT, _MULTI],
    ArrayDiscreteSpace: _order_array_discrete,
    ContinuousSpace: lambda _: [_C, _AC, _NP, _BOX, _D, _AD, _TEXT, _MULTI],
    ArrayContinuousSpace: _order_array_continuous,
    NpArraySpace: _order_np_array,
    BoxSpace: _order_box,
    TextSpace: _order_text,
    MultiSpace: _order_multi,
    AnySpace: lambda _: [],
}
