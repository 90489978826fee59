"""Every query of the dashboard and of the rules, as somebody may put them to a Prometheus."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

OPS = Path(__file__).parent
DASHBOARDS = OPS / "grafana" / "dashboards"
RULES = OPS / "prometheus" / "rules"
VARIABLES = {"$job": ".*", "$actor": ".*", "$__rate_interval": "30s"}
"""What takes the place of Grafana's variables: everything, and the time that rates are taken over."""

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_LABELS = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_BRACKETS = re.compile(r"\{[^}]*\}|\[[^\]]*\]")
_NAME = re.compile(r"(?<![\w:.])[a-zA-Z_:][\w:]*(?!\s*\()(?![\w:])")
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "inf", "nan"})


@dataclass(frozen=True)
class OpsQuery:
    """One query.

    Attributes:
        where: the panel or rule that it belongs to.
        expr: PromQL, variables filled in.
        returns: something whenever a cluster works; an alert returns nothing as long as all is well.
    """

    where: str
    expr: str
    returns: bool


def ops_queries(variables: Mapping[str, str] = VARIABLES) -> list[OpsQuery]:
    """Return all queries of all panels, recording rules and alerts."""
    return [*_panel_queries(variables), *_rule_queries()]


def _panel_queries(variables: Mapping[str, str]) -> Iterator[OpsQuery]:
    for file in sorted(DASHBOARDS.glob("*.json")):
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
            for target in panel.get("targets", ()):
                expr = target["expr"]
                for name, value in variables.items():
                    expr = expr.replace(name, value)
                yield OpsQuery(f"panel '{panel['title']}' {target['refId']}", expr, returns=True)


def _rule_queries() -> Iterator[OpsQuery]:
    for rule in rules():
        if "alert" in rule:
            yield OpsQuery(f"alert {rule['alert']}", rule["expr"], returns=False)
        else:
            yield OpsQuery(f"rule {rule['record']}", rule["expr"], returns=True)


def rules() -> list[dict[str, Any]]:
    """Return all rules as they are written."""
    files = (yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(RULES.glob("*.yml")))
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def metric_names(expr: str) -> set[str]:
    """Return the names of the metrics in a PromQL expression."""
    bare = _STRING.sub("", expr)
    for noise in (_LABELS, _BRACKETS):
        bare = noise.sub(" ", bare)
    return {name for name in _NAME.findall(bare) if name.lower() not in _WORDS}


def recorded_names() -> set[str]:
    """Return the names that recording rules make."""
    return {rule["record"] for rule in rules() if "record" in rule}


def exported_names(families: Iterable[tuple[str, str]]) -> set[str]:
    """Return the names of series of metrics of these (name, kind)."""
    names: set[str] = set()
    for name, kind in families:
        names |= {f"{name}_{part}" for part in ("bucket", "sum", "count")} if kind == "histogram" else {name}
    return names
