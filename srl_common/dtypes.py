"""A numpy dtype as plain data, and back: text for a simple one, a dict for a structured or a sub-array one.

A description is `dtype.str` ("<f4", "|S5", "<M8[25s]"), or {"names", "formats", "offsets", "itemsize",
"titles", "aligned"} with the meaning that `numpy.dtype` gives to these words, or {"base", "shape"}.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

import numpy as np

DType: TypeAlias = np.dtype[Any]

NESTING_MAX = 16
"""Structured dtypes inside each other."""

_SIMPLE = re.compile(r"\|b1|[<>|][iufcSUV]\d{1,10}|[<>][mM]8(\[[0-9A-Za-z]{1,24}\])?|[<>][qQ]")


def describe(dtype: DType) -> Any:
    """Return the plain description of `dtype`. Raises ValueError when `build` cannot make the same of it."""
    if dtype.hasobject:
        raise ValueError("its dtype holds Python objects")
    description = _describe(dtype)
    made = build(description)
    if made != dtype or made.type is not dtype.type:
        raise ValueError(f"its dtype {dtype} has no description")
    return description


def build(description: Any) -> DType:
    """Return the dtype that `description` describes. Raises ValueError, whatever it is given."""
    try:
        return _build(description, NESTING_MAX)
    except (TypeError, KeyError, OverflowError) as error:
        raise ValueError(f"no dtype: {error}") from None


def _describe(dtype: DType) -> Any:
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return {"base": _describe(base), "shape": list(shape)}
    if dtype.names is not None:
        return _describe_fields(dtype, dtype.names)
    # Two integer types can have one text ("<i8"): the second is told by its letter.
    return dtype.str if np.dtype(dtype.str).type is dtype.type else dtype.str[0] + dtype.char


def _describe_fields(dtype: DType, names: tuple[str, ...]) -> dict[str, Any]:
    fields: list[Any] = [dtype.fields[name] for name in names] if dtype.fields else []
    titles = [field[2] if len(field) > 2 else None for field in fields]
    return {
        "names": list(names),
        "formats": [_describe(field[0]) for field in fields],
        "offsets": [field[1] for field in fields],
        "itemsize": dtype.itemsize,
        "titles": titles if any(titles) else None,
        "aligned": dtype.isalignedstruct,
    }


def _build(description: Any, nesting: int) -> DType:
    if nesting == 0:
        raise ValueError(f"a dtype has more than {NESTING_MAX} levels")
    if type(description) is str:
        return _build_simple(description)
    if type(description) is not dict:
        raise ValueError(f"no dtype: a {type(description).__name__}")
    if "base" in description:
        return _build_subarray(description, nesting)
    return _build_fields(description, nesting)


def _build_simple(text: str) -> DType:
    if not _SIMPLE.fullmatch(text):
        raise ValueError(f"no dtype: {text[:40]!r}")
    return np.dtype(text)


def _build_subarray(description: dict[str, Any], nesting: int) -> DType:
    shape = description["shape"]
    if not _are_counts(shape) or not shape:
        raise ValueError("a sub-array dtype has no shape")
    return np.dtype((_build(description["base"], nesting - 1), tuple(shape)))


def _build_fields(description: dict[str, Any], nesting: int) -> DType:
    names, titles, itemsize = description["names"], description["titles"], description["itemsize"]
    if not _are(str, names) or not _are_counts(description["offsets"]) or not _are_counts([itemsize]):
        raise ValueError("a structured dtype has fields without name or place")
    if titles is not None and not all(title is None or type(title) is str for title in titles):
        raise ValueError("a structured dtype has a title that is no text")
    fields = {
        "names": names,
        "formats": [_build(each, nesting - 1) for each in description["formats"]],
        "offsets": description["offsets"],
        "itemsize": itemsize,
    }
    if titles is not None:
        fields["titles"] = titles
    return np.dtype(fields, align=bool(description["aligned"]))  # type: ignore[call-overload, no-any-return]


def _are(kind: type, values: Any) -> bool:
    return type(values) is list and all(type(value) is kind for value in values)


def _are_counts(values: Any) -> bool:
    return _are(int, values) and all(value >= 0 for value in values)
