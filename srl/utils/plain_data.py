"""Configurations as plain data: None, bool, int, float, str, list and dict, and nothing else.

What is none of these is a dict with the key "_target_", which names the class as "module:Class":

| value                 | plain form                                                   |
|-----------------------|--------------------------------------------------------------|
| dataclass             | {"_target_": "module:Class", field: value, ...}              |
| enum, flag            | {"_target_": "module:Class", "name": "MEMBER" or "A|B"}      |
| tuple                 | {"_target_": "builtins:tuple", "items": [...]}               |
| class, function       | {"_target_": "builtins:type", "name": "module:Class"}        |
| numpy array           | {"_target_": "numpy:ndarray", "dtype": name, "items": [...]} |
| numpy dtype           | {"_target_": "numpy:dtype", "name": name}                    |
| space                 | {"_target_": "module:Class", argument: value, ...}           |

What has a method `arguments`, as spaces do, is made anew with what that returns.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import operator
import types
from typing import TYPE_CHECKING, Any

import numpy as np

from srl.utils.entry_point import entry_point_of, load_module
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

TARGET = "_target_"
_TUPLE = "builtins:tuple"
CLASS = "builtins:type"
_ARRAY = "numpy:ndarray"
_DTYPE = "numpy:dtype"
_NUMBERS = "biuf"
"""Kinds of numpy dtypes: bool, int, unsigned int, float."""


def to_plain(value: Any, where: str = "value") -> Any:
    """Return the plain form of `value`. Raises UsageError that names the place of a part that has none."""
    if value is None or type(value) in {bool, int, float, str}:
        return value
    if isinstance(value, np.generic) and not isinstance(value, np.void):
        return to_plain(value.item(), where)
    if type(value) is list:
        return [to_plain(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if type(value) is tuple:
        return {TARGET: _TUPLE, "items": to_plain(list(value), where)}
    if type(value) is dict:
        return {_plain_key(key, where): to_plain(item, f"{where}[{key!r}]") for key, item in value.items()}
    return _tagged(value, where)


def from_plain(value: Any) -> Any:
    """Return the value that `to_plain` made this form of.

    It imports the modules that the form names, so load only files that you trust as much as code.
    """
    if isinstance(value, list):
        return [from_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if TARGET not in value:
        return {key: from_plain(item) for key, item in value.items()}
    return _from_tagged(value)


def fields_to_plain(instance: Any, leave_out: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return the plain form of a dataclass instance; fields whose name begins with "_" are left out."""
    cls = type(instance)
    names = [f.name for f in dataclasses.fields(instance) if not f.name.startswith("_") and f.name not in leave_out]
    values = {name: to_plain(getattr(instance, name), f"{cls.__name__}.{name}") for name in names}
    return {TARGET: entry_point_of(cls), **values}


def set_fields(instance: Any, plain: dict[str, Any]) -> None:
    """Set fields of a dataclass instance from their plain forms. Raises UsageError for an unknown one."""
    known = {field.name for field in dataclasses.fields(instance)}
    for name, value in plain.items():
        if name == TARGET:
            continue
        if name not in known:
            raise UsageError(f"{type(instance).__name__} has no field '{name}'. Its fields: {', '.join(sorted(known))}")
        object.__setattr__(instance, name, from_plain(value))


def _tagged(value: Any, where: str) -> dict[str, Any]:
    match value:
        case enum.Enum():
            return {TARGET: entry_point_of(type(value)), "name": value.name}
        case type() | types.FunctionType() if value.__name__ != "<lambda>":
            return {TARGET: CLASS, "name": entry_point_of(value)}
        case np.ndarray() if value.dtype.kind in _NUMBERS:
            return {TARGET: _ARRAY, "dtype": value.dtype.name, "items": value.tolist()}
        case np.dtype():
            return {TARGET: _DTYPE, "name": value.name}
    return _by_arguments(value, where)


def _by_arguments(value: Any, where: str) -> dict[str, Any]:
    if dataclasses.is_dataclass(value):
        return fields_to_plain(value)
    if hasattr(value, "arguments"):
        return {TARGET: entry_point_of(type(value)), **to_plain(value.arguments(), where)}
    raise UsageError(
        f"{where} is {value!r} of type {type(value).__name__}, which a configuration file cannot hold. "
        "Use None, bool, int, float, str, list, tuple, dict, an enum, a space or a dataclass."
    )


_FROM_TAGGED: dict[str, Callable[[dict[str, Any]], Any]] = {
    _TUPLE: lambda plain: tuple(from_plain(plain["items"])),
    CLASS: lambda plain: load_module(plain["name"]),
    _ARRAY: lambda plain: np.array(plain["items"], plain["dtype"]),
    _DTYPE: lambda plain: np.dtype(plain["name"]),
}


def _from_tagged(plain: dict[str, Any]) -> Any:
    if plain[TARGET] in _FROM_TAGGED:
        return _FROM_TAGGED[plain[TARGET]](plain)
    cls = load_module(plain[TARGET])
    if isinstance(cls, type) and issubclass(cls, enum.Enum):
        return functools.reduce(operator.or_, [cls[name] for name in plain["name"].split("|")])
    if dataclasses.is_dataclass(cls) and isinstance(cls, type):
        return _new(cls, plain)
    if isinstance(cls, type) and hasattr(cls, "arguments"):
        return cls(**{name: from_plain(value) for name, value in plain.items() if name != TARGET})
    raise UsageError(f"'{plain[TARGET]}' is neither a dataclass nor an enum nor a space")


def _new(cls: type[Any], plain: dict[str, Any]) -> Any:
    init_names = {field.name for field in dataclasses.fields(cls) if field.init}
    instance = cls(**{name: from_plain(value) for name, value in plain.items() if name in init_names})
    set_fields(instance, {name: value for name, value in plain.items() if name not in init_names})
    return instance


def _plain_key(key: Any, where: str) -> str | int:
    if type(key) not in {str, int}:
        raise UsageError(f"{where} has the key {key!r} of type {type(key).__name__}. Keys must be str or int.")
    return key  # type: ignore[no-any-return]
