"""Draw the answer and some panels of the dashboard without Grafana: `python -m ops.picture SERVER FILE`.

It puts the same queries to the Prometheus at SERVER, such as http://127.0.0.1:9090, and draws what comes back with
matplotlib; it is no picture of Grafana.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from ops.dashboard import ANSWER, ROWS
from ops.panels import NOTHING_YET
from ops.queries import VARIABLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

    from ops.panels import Panel, Query

PANELS = (
    "Reward of episodes", "Env steps by actor", "Updates",
    "Actors", "Learner", "Memory service",
    "Waiting", "Samples per insert", "Actors behind the learner",
)  # fmt: skip
COLUMNS = 3
SPAN_S = 240.0
STEP_S = 2.0
UNITS = {"ops": "a second", "percentunit": "part of the time", "short": ""}
"""What the units of these panels are called here."""
COLORS = {"green": "#73bf69", "yellow": "#f2cc0c", "orange": "#ff9830", "blue": "#5794f2", "purple": "#b877d9",
          "red": "#f2495c"}  # fmt: skip
"""Grafana's."""


def main(server: str, file: str) -> None:
    figure = Figure(figsize=(15, 10), layout="constrained")
    figure.suptitle("From Prometheus, with the queries of the dashboard; drawn with matplotlib, not by Grafana")
    parts: Any = figure.subfigures(2, 1, height_ratios=(1, 9))
    answer, rest = parts
    _draw_answer(answer, server)
    for number, title in enumerate(PANELS, 1):
        _draw(rest.add_subplot(len(PANELS) // COLUMNS, COLUMNS, number), _panel(title), server)
    figure.savefig(file, dpi=80)


def _panel(title: str) -> Panel:
    """Return the graph of that name."""
    return next(p for row in ROWS for p in row.panels if p.title == title and p.kind != "stat")


# --- the first row


def _draw_answer(figure: SubFigure, server: str) -> None:
    widths = [panel.width for panel in ANSWER.panels]
    for axes, panel in zip(figure.subplots(1, len(widths), width_ratios=widths), ANSWER.panels, strict=True):
        (query,) = panel.queries
        values = [float(each["value"][1]) for each in _ask(server, "query", query=_filled(query))]
        text, color = _shown(panel, values[0]) if values else (NOTHING_YET, "")
        axes.set_axis_off()
        axes.set_title(panel.title, fontsize=9)
        axes.text(0.5, 0.5, text, color=COLORS.get(color, "black"), fontsize=14, ha="center", va="center")


def _shown(panel: Panel, value: float) -> tuple[str, str]:
    """Return what a stat shows of a value, and in which color."""
    if panel.texts:
        color, text = panel.texts[int(value)]
        return text, color
    color = next((color for limit, color in reversed(panel.limits) if value >= limit), "green" if panel.limits else "")
    if panel.unit == "percentunit":
        return f"{value:.0%}", color
    return f"{value:.{panel.decimals or 0}f} {UNITS[panel.unit]}", color


# --- graphs


def _draw(axes: Axes, panel: Panel, server: str) -> None:
    lines = [(query, *line) for query in panel.queries for line in _lines(server, query)]
    if panel.kind == "stack":
        at = lines[0][2]
        heights = [_values_at(at, times, values) for _, _, times, values in lines]
        colors = [_color(query, number) for number, (query, *_) in enumerate(lines)]
        axes.stackplot(at, heights, labels=[line[1] for line in lines], colors=colors)
        axes.set_ylim(0, 1)
    else:
        for number, (query, legend, times, values) in enumerate(lines):
            axes.plot(times, values, label=legend, color=_color(query, number), linewidth=query.line_width)
        if panel.floor is not None:
            axes.set_ylim(panel.floor, 1.05 * axes.get_ylim()[1])
    unit = UNITS[panel.unit]
    axes.set_title(f"{panel.title} ({unit})" if unit else panel.title, fontsize=10)
    axes.set_xlabel("seconds ago", fontsize=8)
    axes.set_xlim(-SPAN_S, 0)
    axes.legend(fontsize=7, loc="upper left")


def _color(query: Query, number: int) -> str:
    """Return the color of a query's series, or one of matplotlib's by the number of the series."""
    return COLORS.get(query.color, query.color or f"C{number}")


def _values_at(times: list[float], own: list[float], values: list[float]) -> list[float]:
    """Return the values of a series at other times; 0 where it has none."""
    known = dict(zip(own, values, strict=True))
    return [known.get(each, 0.0) for each in times]


def _lines(server: str, query: Query) -> list[tuple[str, list[float], list[float]]]:
    """Return (legend, seconds ago, values) of each series of a query."""
    now_s = time.time()
    answer = _ask(server, "query_range", query=_filled(query), start=now_s - SPAN_S, end=now_s, step=STEP_S)
    lines = []
    for series in answer:
        times = [round(float(at) - now_s, 1) for at, _ in series["values"]]
        lines.append((_legend(query.legend, series["metric"]), times, [float(v) for _, v in series["values"]]))
    return lines


def _filled(query: Query) -> str:
    expr = query.expr
    for name, value in VARIABLES.items():
        expr = expr.replace(name, value)
    return expr


def _legend(text: str, labels: dict[str, str]) -> str:
    for name, value in labels.items():
        text = text.replace(f"{{{{{name}}}}}", value)
    return text


def _ask(server: str, what: str, **parameters: Any) -> list[dict[str, Any]]:
    url = f"{server}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310  the server that the user named
        data: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return data


if __name__ == "__main__":
    main(*sys.argv[1:])
