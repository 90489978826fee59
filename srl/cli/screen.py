"""What `srl top` shows of a cluster on a terminal."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from srl.cli.output import bytes_text, number_text
from srl.cli.view import Cluster, Row

BYTES = frozenset({"size", "journal"})
"""Columns whose values are bytes."""
BARS = "▁▂▃▄▅▆▇█"


def screen(cluster: Cluster, width: int, height: int) -> Any:
    """Return what fits on a screen of so many characters."""
    from rich.console import Group
    from rich.text import Text

    used = 13 + len(cluster.memories) + len(cluster.learners) + min(len(cluster.errors), 5)
    return Group(
        Text(_headline(cluster), style="bold", no_wrap=True, overflow="ellipsis"),
        Text(reward_line(cluster, width), style="green", no_wrap=True, overflow="crop"),
        Text(cluster.waiting, style="yellow"),
        *_tables(cluster, max(height - used, 2)),
        *(Text(line, style="red", no_wrap=True, overflow="ellipsis") for line in cluster.errors[:5]),
    )


def _headline(cluster: Cluster) -> str:
    steps = cluster.total(cluster.actors, "steps/s")
    updates = cluster.total(cluster.learners, "updates/s")
    job = ", ".join(cluster.jobs) or "no job"
    parts = [job, f"{number_text(steps)} env steps/s"]
    parts += [f"{number_text(updates)} updates/s", f"{len(cluster.pages)} services", time.strftime("%H:%M:%S")]
    return " | ".join(parts)


def reward_line(cluster: Cluster, width: int) -> str:
    """Return the mean reward, and how it went."""
    if not cluster.rewards:
        return "reward -"
    text = f"reward {number_text(cluster.rewards[-1])} "
    return text + sparkline(cluster.rewards, max(width - len(text), 0))


def _tables(cluster: Cluster, actor_lines: int) -> Iterable[Any]:
    for title, rows, lines in (
        ("learner", cluster.learners, 9),
        ("memory", cluster.memories, 9),
        ("actor", cluster.actors, actor_lines),
    ):
        if rows:
            yield _table(title, rows, lines)
    if cluster.idle:
        from rich.text import Text

        yield Text(f"waiting for a job: {', '.join(cluster.idle)}", style="dim")


def _table(title: str, rows: list[Row], lines: int) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(title, no_wrap=True, style="cyan", min_width=10)
    for heading in rows[0].cells:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows[:lines]:
        table.add_row(row.name, *cells(row))
    if len(rows) > lines:
        table.add_row(f"and {len(rows) - lines} more")
    return table


def cells(row: Row) -> list[str]:
    """Return the texts of a row's cells."""
    return [_text_of(heading)(value) for heading, value in row.cells.items()]


def _text_of(heading: str) -> Callable[[float | None], str]:
    return bytes_text if heading in BYTES else number_text


def sparkline(values: Sequence[float], width: int) -> str:
    """Return the last `width` values as bars, from the lowest to the highest of them."""
    shown = list(values)[-width:]
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    steps = [(value - low) / (high - low) if high > low else 0.0 for value in shown]
    return "".join(BARS[min(int(step * len(BARS)), len(BARS) - 1)] for step in steps)
