"""The parts of a Grafana dashboard, as far as ours needs them, as plain data that Grafana reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import Any, Literal

DATASOURCE = {"type": "prometheus", "uid": "prometheus"}
COLUMNS = 24
"""A dashboard is so many units wide."""
MIN_INTERVAL = "10s"
"""A graph has no more points than one in that time: rates of less are noise."""

NEUTRAL = "blue"
"""What is neither good nor bad."""
NOTHING_YET = "no job"
"""What a stat says that has no value."""
_REFS = ascii_uppercase
"""What Grafana calls the queries of a panel."""

Kind = Literal["stat", "graph", "stack", "heatmap", "table"]


@dataclass(frozen=True)
class Query:
    """One PromQL expression, what its series are called in the legend, and their color, "" as Grafana chooses."""

    expr: str
    legend: str = ""
    color: str = ""
    line_width: int = 1


@dataclass(frozen=True)
class Panel:
    """One panel. `unit` is Grafana's name of it; a `stack` shows shares of a whole."""

    kind: Kind
    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    width: int = 8
    height: int = 8
    texts: tuple[tuple[str, str], ...] = ()
    """For a stat: (color, text) in place of the values 0, 1, ..."""
    limits: tuple[tuple[float, str], ...] = ()
    """For a stat that says good or bad: its color from a value on; below the first it is green."""
    decimals: int | None = None
    floor: float | None = 0
    """For a graph: where its axis begins at the latest. None: values may be below 0."""


@dataclass(frozen=True)
class Row:
    """A heading and the panels below it, from left to right."""

    title: str
    panels: tuple[Panel, ...] = field(default=())


def layout(rows: tuple[Row, ...]) -> list[dict[str, Any]]:
    """Return the panels of all rows with their places."""
    placed: list[dict[str, Any]] = []
    y = 0
    for row in rows:
        placed.append({"id": len(placed) + 1, "type": "row", "title": row.title, "collapsed": False, "panels": []})
        placed[-1]["gridPos"] = _place(0, y, COLUMNS, 1)
        y += 1
        x = bottom = 0
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, y = 0, y + bottom
                bottom = 0
            placed.append({"id": len(placed) + 1, **_panel(panel), "gridPos": _place(x, y, panel.width, panel.height)})
            x += panel.width
            bottom = max(bottom, panel.height)
        y += bottom
    return placed


def _place(x: int, y: int, width: int, height: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": width, "h": height}


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "type": {"graph": "timeseries", "stack": "timeseries"}.get(panel.kind, panel.kind),
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "interval": MIN_INTERVAL,
        "targets": [_target(panel, query, ref) for ref, query in zip(_REFS, panel.queries, strict=False)],
        **_LOOKS[panel.kind](panel),
    }


def _target(panel: Panel, query: Query, ref: str) -> dict[str, Any]:
    target: dict[str, Any] = {
        "refId": ref,
        "datasource": DATASOURCE,
        "expr": query.expr,
        "legendFormat": query.legend or "__auto",
        "range": panel.kind != "table",
        "instant": panel.kind == "table",
    }
    if panel.kind in {"heatmap", "table"}:
        target["format"] = panel.kind
    return target


def _defaults(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit}
    if panel.decimals is not None:
        defaults["decimals"] = panel.decimals
    return defaults


def _stat(panel: Panel) -> dict[str, Any]:
    defaults = {**_defaults(panel), "noValue": NOTHING_YET}
    steps = [{"color": color, "value": value} for value, color in panel.limits]
    base = {"color": "green" if steps else NEUTRAL, "value": None}
    defaults["thresholds"] = {"mode": "absolute", "steps": [base, *steps]}
    texts = {str(n): {"text": text, "color": color, "index": n} for n, (color, text) in enumerate(panel.texts)}
    if texts:
        defaults["mappings"] = [{"type": "value", "options": texts}]
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "graphMode": "none" if texts else "area",
        "colorMode": "background" if texts else "value",
        "textMode": "value",
        "justifyMode": "center",
    }
    return {"fieldConfig": {"defaults": defaults, "overrides": []}, "options": options}


def _graph(panel: Panel) -> dict[str, Any]:
    is_stack = panel.kind == "stack"
    custom = {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 60 if is_stack else 8,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if is_stack else "none", "group": "A"},
    }
    defaults = {**_defaults(panel), "custom": custom}
    if panel.floor is not None:
        defaults["min"] = panel.floor
    if is_stack:
        defaults["max"] = 1
    options = {
        "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull"], "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "none" if is_stack else "desc"},
    }
    overrides = [look for ref, query in zip(_REFS, panel.queries, strict=False) if (look := _query_look(ref, query))]
    return {"fieldConfig": {"defaults": defaults, "overrides": overrides}, "options": options}


def _query_look(ref: str, query: Query) -> dict[str, Any]:
    """Return what is different for the series of a query; nothing where nothing is."""
    looks: dict[str, Any] = {}
    if query.color:
        looks["color"] = {"mode": "fixed", "fixedColor": query.color}
    if query.line_width != Query.line_width:
        looks["custom.lineWidth"] = query.line_width
    properties = [{"id": name, "value": value} for name, value in looks.items()]
    return {"matcher": {"id": "byFrameRefID", "options": ref}, "properties": properties} if looks else {}


def _heatmap(panel: Panel) -> dict[str, Any]:
    options = {
        "calculate": False,
        "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64, "exponent": 0.5},
        "yAxis": {"unit": panel.unit},
        "cellGap": 1,
        "tooltip": {"mode": "single", "yHistogram": False, "showColorScale": True},
        "legend": {"show": False},
    }
    return {"fieldConfig": {"defaults": _defaults(panel), "overrides": []}, "options": options}


def _table(panel: Panel) -> dict[str, Any]:
    return {
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": {"showHeader": True},
        "transformations": [{"id": "organize", "options": {"excludeByName": {"Time": True, "Value": True}}}],
    }


_LOOKS = {"stat": _stat, "graph": _graph, "stack": _graph, "heatmap": _heatmap, "table": _table}
