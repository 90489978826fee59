"""What commands print: tables for people, JSON for scripts."""

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

STYLES = {
    **dict.fromkeys(("ok", "running", "ended"), "green"),
    **dict.fromkeys(("warning", "stopping"), "yellow"),
    **dict.fromkeys(("problem", "failed"), "red"),
}
"""Of words that say how something is."""

SHORT = 14
"""Columns whose texts are not longer keep them in one line; each of the others has so much of a terminal at least."""
GAP = 2
"""Between two columns."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def print_json(value: Any) -> None:
    """Print plain data, so that other programs can read it."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; where there is no terminal its lines are as long as they are, and without colours."""
    from rich.box import SIMPLE, SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        print_columns(headings, rows)
        return
    has_head = any(headings)
    shown, short = _fitting(headings, rows := list(rows), console.width)
    table = Table(box=SIMPLE_HEAD if has_head else SIMPLE, show_header=has_head, pad_edge=False, padding=(0, 1, 0, 0))
    for i in shown:
        table.add_column(headings[i], overflow="fold", no_wrap=i == 0 or i in short)
    for row in rows:
        table.add_row(*(Text(row[i], style=STYLES.get(row[i], "")) for i in shown))
    console.print(table)


def _fitting(headings: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> tuple[list[int], set[int]]:
    """Return which columns to show, and which of them keep their texts in one line.

    The last short ones are left out as long as too little of the width is left for the others.
    """
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    shown = list(range(len(headings)))
    short = [i for i in shown if widths[i] <= SHORT]
    while len(short) > 1 and sum(min(widths[i], SHORT) + GAP for i in shown) > width + GAP:
        shown.remove(short.pop())
    return shown, set(short)


def print_columns(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table as text: columns at least two spaces apart."""
    lines = [*([list(headings)] if any(headings) else []), *(list(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def number_text(value: float | None) -> str:
    """Return a number as people read it: 12,345 or 0.123; "-" for none."""
    if value is None:
        return "-"
    is_whole = float(value).is_integer() or abs(value) >= 1000
    return f"{value:,.0f}" if is_whole else f"{value:.3g}"


def count_text(number: int, noun: str) -> str:
    """Return how many there are of something, such as "1 job" or "3 jobs"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def bytes_text(count: float | None) -> str:
    """Return a size in bytes with its unit: 512 B, 3.4 MiB."""
    if count is None:
        return "-"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(count) < 1024:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def ago_text(seconds: float | None) -> str:
    """Return how long something took or is ago: 5 s, 12 min, 3.4 h, 2.1 d; "-" for unknown."""
    if seconds is None:
        return "-"
    for unit, length_s, limit_s in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800)):
        if seconds < limit_s:
            return f"{seconds / length_s:.1f} {unit}" if unit == "h" else f"{max(seconds, 0) / length_s:.0f} {unit}"
    return f"{seconds / 86_400:.1f} d"
