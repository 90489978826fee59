"""Draw some panels of the dashboard without Grafana: `python -m ops.picture http://127.0.0.1:9090 dashboard.png`.

It puts the same queries to a Prometheus and draws what comes back with matplotlib; it is no picture of Grafana.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from ops.dashboard import ROWS
from ops.queries import VARIABLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ops.panels import Panel, Query

PANELS = (
    "Reward of episodes", "Env steps by actor", "Updates",
    "Actors", "Learner", "Memory service",
    "Waiting", "Samples per insert", "Actors behind the learner",
)  # fmt: skip
COLUMNS = 3
SPAN_S = 240.0
STEP_S = 2.0


def main(server: str, file: str) -> None:
    panels = [_panel(title) for title in PANELS]
    figure = Figure(figsize=(15, 9), layout="constrained")
    figure.suptitle("From Prometheus, with the queries of the dashboard; drawn with matplotlib, not by Grafana")
    for number, panel in enumerate(panels, 1):
        _draw(figure.add_subplot(len(panels) // COLUMNS, COLUMNS, number), panel, server)
    figure.savefig(file, dpi=80)


def _panel(title: str) -> Panel:
    """Return the graph of that name."""
    return next(p for row in ROWS for p in row.panels if p.title == title and p.kind != "stat")


def _draw(axes: Axes, panel: Panel, server: str) -> None:
    lines = [line for query in panel.queries for line in _lines(server, query)]
    if panel.kind == "stack":
        times = lines[0][1]
        axes.stackplot(times, [_values_at(times, *line[1:]) for line in lines], labels=[line[0] for line in lines])
    else:
        for legend, times, values in lines:
            axes.plot(times, values, label=legend)
    axes.set_title(f"{panel.title} ({panel.unit})", fontsize=10)
    axes.set_xlabel("seconds ago", fontsize=8)
    axes.set_xlim(-SPAN_S, 0)
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=7, loc="upper left")


def _values_at(times: list[float], own: list[float], values: list[float]) -> list[float]:
    """Return the values of a series at other times; 0 where it has none."""
    known = dict(zip(own, values, strict=True))
    return [known.get(each, 0.0) for each in times]


def _lines(server: str, query: Query) -> list[tuple[str, list[float], list[float]]]:
    """Return (legend, seconds ago, values) of each series of a query."""
    expr = query.expr
    for name, value in VARIABLES.items():
        expr = expr.replace(name, value)
    now_s = time.time()
    answer = _ask(server, query=expr, start=now_s - SPAN_S, end=now_s, step=STEP_S)
    lines = []
    for series in answer:
        times = [round(float(at) - now_s, 1) for at, _ in series["values"]]
        lines.append((_legend(query.legend, series["metric"]), times, [float(v) for _, v in series["values"]]))
    return lines


def _legend(text: str, labels: dict[str, str]) -> str:
    for name, value in labels.items():
        text = text.replace(f"{{{{{name}}}}}", value)
    return text


def _ask(server: str, **parameters: Any) -> list[dict[str, Any]]:
    url = f"{server}/api/v1/query_range?{urllib.parse.urlencode(parameters)}"
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310  the server that the user named
        data: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return data


if __name__ == "__main__":
    main(*sys.argv[1:])
