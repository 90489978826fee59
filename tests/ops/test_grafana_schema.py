"""The dashboard is one that the Grafana of docker-compose.yml reads: its published schema knows all that is in it.

Grafana itself is not run. Its schema comes as classes of `grafana_foundation_sdk`, a package for each version of it.
"""

from __future__ import annotations

import copy
import enum
import importlib.metadata
import json
import types
import typing
from pathlib import Path

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import common, units
from grafana_foundation_sdk.models.dashboard import Dashboard, DataTransformerConfig, FieldConfig

from ops import dashboard

COMPOSE = Path(__file__).parents[2] / "docker-compose.yml"
OF_THE_DATASOURCE = {"titleFormat", "textFormat", "step"}
"""What the schema leaves open: how Prometheus' annotations are called."""
UNITS = {value for name, value in vars(units).items() if isinstance(value, str) and not name.startswith("__")}

register_default_plugins()


@pytest.fixture
def ours():
    return json.loads(dashboard.text())


def plain(value):
    return json.loads(json.dumps(value, cls=JSONEncoder))


def read(data):
    """Return the schema's object of a dashboard, and the parts of its panels that have schemas of their own."""
    board = Dashboard.from_json(data)
    panels = [panel for panel in board.panels if panel.type_val != "row"]
    parts = [(panel.title, part) for panel in panels for part in (panel.options, *panel.targets)]
    customs = [(panel.title, panel.field_config.defaults.custom) for panel in panels]
    return board, parts + [(title, custom) for title, custom in customs if custom is not None]


def unknown(data, known, where=""):
    """Yield what is in `data`, and the schema has lost or changed."""
    if isinstance(data, dict) and isinstance(known, dict):
        for key, value in data.items():
            if value is not None:
                yield from unknown(value, known.get(key), f"{where}.{key}")
    elif isinstance(data, list) and isinstance(known, list) and len(data) == len(known):
        for number, (one, other) in enumerate(zip(data, known, strict=True)):
            yield from unknown(one, other, f"{where}.{number}")
    elif data != known:
        yield where


def of_wrong_type(value, hint, where):
    """Yield what is not what the schema's class says that it is."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        found = [list(of_wrong_type(value, each, where)) for each in args]
        yield from () if [] in found else max(found, key=len)
    elif origin is list and isinstance(value, list):
        for number, each in enumerate(value):
            yield from of_wrong_type(each, args[0], f"{where}.{number}")
    elif origin is dict and isinstance(value, dict):
        for key, each in value.items():
            yield from of_wrong_type(each, args[1], f"{where}.{key}")
    elif origin is typing.Literal:
        yield from () if value in args else [f"{where}: {value}"]
    elif isinstance(hint, type) and issubclass(hint, enum.Enum):
        yield from () if value in set(hint) else [f"{where}: {value}"]
    elif hint in {int, float}:
        yield from () if isinstance(value, int | float) and not isinstance(value, bool) else [f"{where}: {value}"]
    elif hint in {typing.Any, object}:
        return
    elif value.__class__.__module__.startswith("grafana_foundation_sdk") and isinstance(value, hint):
        for name, each in typing.get_type_hints(type(value)).items():
            yield from of_wrong_type(getattr(value, name), each, f"{where}.{name}")
    elif not isinstance(value, origin or hint):
        yield f"{where}: {value}"


def mistakes(data):
    """Return all that Grafana would not understand."""
    board, parts = read(data)
    transformations = [each for panel in data["panels"] for each in panel.get("transformations", ())]
    found = [each for each in unknown(data, plain(board)) if each.rpartition(".")[2] not in OF_THE_DATASOURCE]
    for title, part in parts:
        if isinstance(part, dict):
            found.append(f"{title}: no schema")
        found += of_wrong_type(part, type(part), title)
    for panel in board.panels:
        panel.transformations = []  # the schema's class leaves them as they are
        found += of_wrong_type(panel, type(panel), panel.title)
    found += [str(each) for each in transformations if [*unknown(each, plain(DataTransformerConfig.from_json(each)))]]
    defaults = [panel["fieldConfig"]["defaults"] for panel in data["panels"] if panel["type"] != "row"]
    found += [each["unit"] for each in defaults if each["unit"] not in UNITS]
    found += [name for panel in data["panels"] for name in unknown_overrides(panel)]
    return found


def unknown_overrides(panel):
    """Yield the names of properties that some series have different, and that the schema does not know."""
    for override in panel.get("fieldConfig", {}).get("overrides", ()):
        for each in override["properties"]:
            _, custom, name = each["id"].rpartition("custom.")
            schema = common.GraphFieldConfig if custom else FieldConfig
            if [*unknown({name: each["value"]}, plain(schema.from_json({name: each["value"]})))]:
                yield each["id"]


def test_the_schema_is_that_of_the_grafana_that_runs():
    _, _, version = importlib.metadata.version("grafana_foundation_sdk").rpartition("!")
    assert f"grafana/grafana:{version}}}" in COMPOSE.read_text()


def test_grafana_understands_all_of_the_dashboard(ours):
    assert mistakes(ours) == []


@pytest.mark.parametrize(
    ("panel", "path", "value"),
    [
        ("Reward", "options.textSize", 3),
        ("Reward", "options.textMode", "number"),
        ("Reward", "options.reduceOptions.calcs", "last"),
        ("Reward", "fieldConfig.defaults.unit", "steps"),
        ("Reward", "type", "singlestat"),
        ("Waiting", "fieldConfig.defaults.custom.lineWidth", "thin"),
        ("Waiting", "fieldConfig.defaults.custom.line", 1),
        ("Waiting", "options.legend.displayMode", "rows"),
        ("Distribution of rewards", "options.tooltip.show", True),
        ("Services", "transformations.0.name", "organize"),
        ("Waiting", "targets.0.query", "up"),
        ("Learner", "fieldConfig.overrides.0.properties.0.id", "colour"),
    ],
)
def test_what_grafana_does_not_know_is_found(ours, panel, path, value):
    broken = copy.deepcopy(ours)
    place = next(each for each in broken["panels"] if each["title"] == panel and each["type"] != "row")
    *steps, last = path.split(".")
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[last] = value
    assert mistakes(broken) != []
