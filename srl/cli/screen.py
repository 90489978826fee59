"""What `srl top` shows of a cluster on a terminal."""

import time
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any

from srl.cli.output import bytes_text, number_text
from srl.cli.view import Cluster, Row

BYTES = frozenset({"size", "journal"})
"""Columns whose values are bytes."""
FIRST_WIDTH = 10
"""Of the column with the names, at least."""
GAP = 2
"""Between two columns."""
BARS = "▁▂▃▄▅▆▇█"


def screen(cluster: Cluster, width: int, height: int) -> Any:
    """Return what fits on a screen of so many characters."""
    from rich.console import Group
    from rich.text import Text

    used = 14 + len(cluster.memories) + len(cluster.learners) + min(len(cluster.errors), 5)
    return Group(
        Text(_headline(cluster), style="bold", no_wrap=True, overflow="ellipsis"),
        Text(reward_line(cluster, width), style="green", no_wrap=True, overflow="crop"),
        Text(cluster.waiting, style="yellow"),
        *_tables(cluster, width, max(height - used, 2)),
        *(Text(line, style="red", no_wrap=True, overflow="ellipsis") for line in cluster.errors[:5]),
        Text("q ends this", style="dim"),
    )


def _headline(cluster: Cluster) -> str:
    steps = cluster.total(cluster.actors, "steps/s")
    updates = cluster.total(cluster.learners, "updates/s")
    job = ", ".join(cluster.jobs) or "no job"
    parts = [job, f"{number_text(steps)} env steps/s"]
    parts += [f"{number_text(updates)} updates/s", f"{len(cluster.pages)} services", time.strftime("%H:%M:%S")]
    return " | ".join(parts)


def reward_line(cluster: Cluster, width: int) -> str:
    """Return the mean reward, and how it went between the lowest and the highest that were seen."""
    if not cluster.rewards:
        return "reward -"
    now, low, high = map(number_text, (cluster.rewards[-1], min(cluster.rewards), max(cluster.rewards)))
    text = f"reward {now} ({low} to {high}) "
    return text + sparkline(cluster.rewards, max(width - len(text), 0))


def _tables(cluster: Cluster, width: int, actor_lines: int) -> Iterable[Any]:
    for title, rows, lines in (
        ("learner", cluster.learners, 9),
        ("memory", cluster.memories, 9),
        ("actor", cluster.actors, actor_lines),
    ):
        if rows:
            yield _table(title, rows, width, lines)
    if cluster.idle:
        from rich.text import Text

        yield Text(f"waiting for a job: {', '.join(cluster.idle)}", style="dim")


def _table(title: str, rows: list[Row], width: int, lines: int) -> Any:
    """Return a table of the first columns, the most important ones, as far as they fit."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    texts = [[row.name, *cells(row)] for row in rows[:lines]]
    headings = [title, *rows[0].cells]
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(title, no_wrap=True, style="cyan", min_width=FIRST_WIDTH)
    for heading in headings[1 : _fitting(headings, texts, width)]:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in texts:
        table.add_row(*row[: len(table.columns)])
    if len(rows) > lines:
        table.add_row(f"and {len(rows) - lines} more")
    return table


def _fitting(headings: Sequence[str], texts: Sequence[Sequence[str]], width: int) -> int:
    """Return how many of the columns fit beside each other, one at least."""
    widths = [max(map(len, column)) for column in zip(headings, *texts, strict=True)]
    ends = accumulate([max(widths[0], FIRST_WIDTH), *widths[1:]], lambda end, next_width: end + GAP + next_width)
    return max(sum(end <= width for end in ends), 1)


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
