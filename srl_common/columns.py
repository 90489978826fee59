"""Items of one fixed schema as columns, one array a field: what a message that brings them must be."""

from __future__ import annotations

from typing import Any

import numpy as np


def check_columns(columns: Any, count: int) -> str:
    """Return what is wrong with columns of `count` items that came from elsewhere, "" when nothing is."""
    if type(columns) is not dict or not columns:
        return f"columns are a dict of one array a field, not {str(columns)[:40]}"
    for name, column in columns.items():
        if type(name) is not str or type(column) is not np.ndarray or column.ndim == 0 or len(column) != count:
            return f"the column {name!r} is no array of {count} items"
    return ""
