"""Single numbers out of what an author's code returns, and their text."""

from __future__ import annotations

from typing import Any

import numpy as np

WHOLE = (int, np.integer)
"""The types of whole numbers."""
FRACTIONAL = (float, np.floating)
"""The types of numbers with fractions."""

_NO_BOUND = float(np.finfo(np.float32).max)


def is_bound(x: float) -> bool:
    """Tell whether a number bounds anything: float32's largest, which some environments give, does not."""
    return abs(x) < _NO_BOUND


def as_float(val: Any) -> float:
    """Return a number, or the only element of a list or array. Raises ValueError if there is none."""
    try:
        number = float(np.asarray(val).item())
    except (TypeError, ValueError) as err:
        raise ValueError(f"{val!r} is not one number") from err
    if np.isnan(number):
        raise ValueError(f"{val!r} is not one number")
    return number


def as_int(val: Any) -> int:
    """Return a number, or the only element of a list or array, rounded. Raises ValueError for others."""
    try:
        return round(as_float(val))
    except OverflowError as err:
        raise ValueError(f"{val!r} is not a whole number") from err


def as_row(val: Any, size: int) -> list[Any]:
    """Return a list, tuple or array as a flat list. Raises ValueError unless it has `size` numbers."""
    row: list[Any] = np.asarray(val).reshape(-1).tolist()
    if len(row) != size:
        raise ValueError(f"{val!r} has {len(row)} numbers, not {size}")
    return row


def float_to_str(val: float) -> str:
    """Return "2" for 2.0 and "1.5" for 1.5."""
    number = float(val)
    return str(int(number)) if number.is_integer() else str(number)


def spread(bound: Any, size: int, convert: type[int | float]) -> list[Any]:
    """Return one bound for each axis, from a number or a list. Raises ValueError on another length."""
    row = np.asarray(bound).reshape(-1).tolist()
    row = row * size if len(row) == 1 else row
    if len(row) != size:
        raise ValueError(f"{len(row)} bounds for {size} axes: {bound!r}")
    return [convert(x) for x in row]
