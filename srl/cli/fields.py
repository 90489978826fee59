"""Fields of a configuration set by text: `-s lr=0.01 -s memory.capacity=5000`."""

import dataclasses
import difflib
import enum
import sys
import types
from collections.abc import Iterable, Sequence
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from srl.utils.usage import UsageError

_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_NAMES: dict[type, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def set_fields(config: Any, settings: Sequence[str], option: str = "-s") -> None:
    """Set fields of a dataclass from "name=value" texts; "a.b=value" sets a field of a field.

    Raises UsageError that names the field, what it may be, and the nearest name for an unknown one.
    """
    for setting in settings:
        path, value = split(setting, option)
        *parents, name = path.split(".")
        owner = config
        for parent in parents:
            _check_known(owner, parent)
            owner = getattr(owner, parent)
        _check_known(owner, name)
        setattr(owner, name, _read(value, field_type(type(owner), name), f"{option} {setting}: {_title(owner, name)}"))


def split(setting: str, option: str) -> tuple[str, str]:
    """Return (name, value) of "name=value". Raises UsageError for other texts."""
    name, equals, value = setting.partition("=")
    if not equals or not name:
        raise UsageError(f"{option} {setting}: write name=value, such as {option} lr=0.01")
    return name, value


def plain_values(settings: Sequence[str], option: str) -> dict[str, Any]:
    """Return values by name, each read as YAML: numbers, true and false, [lists], texts."""
    import yaml

    pairs = [split(setting, option) for setting in settings]
    try:
        return {name: yaml.safe_load(value) for name, value in pairs}
    except yaml.YAMLError as error:
        raise UsageError(f"{option}: a value is no YAML: {error}") from None


def field_type(cls: type, name: str) -> Any:
    """Return the type of a dataclass's field; None when its annotation is not to be had while the program runs."""
    owner = next(each for each in cls.__mro__ if name in vars(each).get("__annotations__", {}))
    annotation = types.SimpleNamespace(__annotations__={name: owner.__annotations__[name]})
    try:
        return get_type_hints(annotation, vars(sys.modules[owner.__module__]))[name]
    except NameError:
        return None


def _check_known(owner: Any, name: str) -> None:
    known = [each.name for each in dataclasses.fields(owner)] if dataclasses.is_dataclass(owner) else []
    if name in known and not name.startswith("_"):
        return
    public = [each for each in known if not each.startswith("_")]
    near = difflib.get_close_matches(name, public, n=1)
    hint = f"did you mean {near[0]}?" if near else f"its fields: {', '.join(public)}" if public else "it has no fields"
    raise UsageError(f"{_title(owner)} has no field '{name}': {hint}")


def _title(owner: Any, name: str = "") -> str:
    module = type(owner).__module__.rpartition(".")[2]
    title = f"{module}.{type(owner).__name__}"
    return f"{title}.{name}" if name else title


def _read(text: str, wanted: Any, where: str) -> Any:
    try:
        return _convert(text, wanted)
    except (ValueError, KeyError):
        raise UsageError(f"{where} is {_name(wanted)}") from None
    except TypeError:
        raise UsageError(f"{where} cannot be set by text: write a job file in Python, which can") from None


def _convert(text: str, wanted: Any) -> Any:
    """Return the value that `text` stands for. Raises ValueError or KeyError; TypeError: no text can."""
    origin, arguments = get_origin(wanted), get_args(wanted)
    if origin in {Union, types.UnionType}:
        return _first(text, arguments)
    if origin is Literal:
        return {str(choice): choice for choice in arguments}[text]
    if wanted in {list, tuple} or origin in {list, tuple}:
        return _sequence(text, origin or wanted, arguments)
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        return wanted[text.upper()]
    return _scalar(text, wanted)


def _scalar(text: str, wanted: Any) -> Any:
    if wanted is bool:
        return _WORDS[text.lower()]
    if wanted is int:
        return int(text)
    if wanted is float:
        return float(text)
    if wanted in {str, Any}:
        return text
    if wanted is type(None) and text.lower() in {"none", "null", ""}:
        return None
    if wanted is type(None):
        raise ValueError(text)
    raise TypeError(wanted)


def _first(text: str, choices: Iterable[Any]) -> Any:
    """Return what the first type that can makes of it; a text is what is left over."""
    failures: list[Exception] = []
    for wanted in sorted(choices, key=lambda each: each is str):
        try:
            return _convert(text, wanted)
        except (ValueError, KeyError, TypeError) as error:
            failures.append(error)
    only_types = all(isinstance(failure, TypeError) for failure in failures)
    raise TypeError(text) if only_types else ValueError(text)


def _sequence(text: str, kind: Any, arguments: tuple[Any, ...]) -> Any:
    parts = [part.strip() for part in text.strip("[]() ").split(",") if part.strip()]
    if kind is tuple and arguments and arguments[-1] is not ...:
        return tuple(_convert(part, wanted) for part, wanted in zip(parts, arguments, strict=True))
    wanted = arguments[0] if arguments else str
    return kind(_convert(part, wanted) for part in parts)


def _name(wanted: Any) -> str:
    origin, arguments = get_origin(wanted), get_args(wanted)
    if origin is Literal:
        return f"one of {', '.join(map(repr, arguments))}"
    if origin in {Union, types.UnionType}:
        return " or ".join("none" if each is type(None) else _name(each) for each in arguments)
    if origin in {list, tuple}:
        return f"a list such as {arguments[0].__name__},{arguments[0].__name__}" if arguments else "a list"
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        return f"one of {', '.join(wanted.__members__)}"
    return _NAMES.get(wanted, str(wanted))
