"""The dashboard is what its source makes of it, whole, explained, and asks only for what there is."""

import json
import re
from itertools import combinations
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from ops import dashboard
from ops.queries import VARIABLES, exported_names, metric_names, ops_queries, recorded_names, rules
from srl_common import metrics

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "ops" / "grafana"
OF_PROMETHEUS = {"up", "ALERTS"}


@pytest.fixture(scope="module")
def panels():
    return json.loads(dashboard.FILE.read_text())["panels"]


def exported():
    """Return every name that a service, its process or Prometheus itself makes a series of."""
    ours = exported_names((each.name, each.kind) for kind in ALL_DEFINITIONS for each in kind)
    registry = CollectorRegistry()
    for collector in (GCCollector, PlatformCollector, ProcessCollector):
        collector(registry=registry)
    theirs = {sample.name for family in registry.collect() for sample in family.samples}
    return ours | theirs | OF_PROMETHEUS | recorded_names()


ALL_DEFINITIONS = (metrics.SERVICE, metrics.ACTOR, metrics.HOST, metrics.LEARNER)


UNUSED = {
    "srl_ready", "srl_episode_reward_last", "srl_items_sent_total", "srl_parameter_epoch", "srl_applied_chunks_total",
    "srl_batches_outstanding", "srl_clients", "srl_journal_records_total", "srl_checkpoints_total", "srl_insecure_bind",
    "srl_updates_unacked", "srl_epoch", "srl_snapshot_version", "srl_trainer_version", "srl_parameter_version",
}  # fmt: skip
"""For people who ask Prometheus themselves, and for `srl top`."""


def test_the_file_is_up_to_date():
    assert dashboard.FILE.read_text(encoding="utf-8") == dashboard.text(), "run `python -m ops.dashboard`"


def test_panels_and_rules_use_only_metrics_that_some_service_exports():
    known = exported()
    unknown = {each.where: names for each in ops_queries() if (names := metric_names(each.expr) - known)}
    assert unknown == {}


def test_nearly_every_metric_of_ours_is_on_the_dashboard_or_in_an_alert():
    used = set().union(*(metric_names(each.expr) for each in ops_queries()))
    unused = {
        each.name
        for kind in ALL_DEFINITIONS
        for each in kind
        if not used & (exported_names([(each.name, each.kind)]) | {each.name})
    }
    assert unused == UNUSED, "show it on the dashboard (ops/dashboard.py), or say here that nobody looks at it there"


@pytest.mark.parametrize("expr", ["srl_env_stepz_total", 'rate(srl_env_steps{job="srl_env_steps_total"}[1m])'])
def test_a_metric_that_nobody_exports_is_found(expr):
    assert metric_names(expr) - exported()


@pytest.mark.parametrize(
    ("expr", "names"),
    [
        ('sum by (le, x) (rate(a_bucket{le="b"}[1m])) / on (y) group_left (z) c:d:e > bool 0.5', {"a_bucket", "c:d:e"}),
        ("a and on () b unless ignoring (z) (c or vector(0)) offset 5m", {"a", "b", "c"}),
        ('count(ALERTS{alertstate="fi\\"ring}"}) or 1e5 + inf', {"ALERTS"}),
        ("histogram_quantile(0.5, sum without (le) (increase(h_bucket[5m:10s]))) == 2", {"h_bucket"}),
    ],
)
def test_names_are_found_in_expressions(expr, names):
    assert metric_names(expr) == names


def test_no_variable_is_left_in_a_query():
    exprs = [each.expr for each in ops_queries()]
    assert all("$" not in expr for expr in exprs)
    assert any(VARIABLES["$__rate_interval"] in expr for expr in exprs)
    assert sum("returns" in repr(each) and not each.returns for each in ops_queries()) == sum(
        "alert" in r for r in rules()
    )


def test_every_panel_says_what_it_shows(panels):
    for panel in panels:
        if panel["type"] != "row":
            assert panel["description"].endswith("."), panel["title"]
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
            assert panel["targets"], panel["title"]
            assert all(target["legendFormat"] for target in panel["targets"])


def test_panels_do_not_overlap_and_have_numbers_of_their_own(panels):
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24

    def cells(panel):
        place = panel["gridPos"]
        rows, columns = range(place["y"], place["y"] + place["h"]), range(place["x"], place["x"] + place["w"])
        return {(x, y) for x in columns for y in rows}

    for one, other in combinations(panels, 2):
        assert not cells(one) & cells(other), (one["title"], other["title"])


def test_the_first_row_is_the_answer(panels):
    first = [panel for panel in panels if panel["gridPos"]["y"] == 1]
    assert {panel["type"] for panel in first} == {"stat"}
    assert sum(panel["gridPos"]["w"] for panel in first) == 24
    assert {"Reward", "Env steps", "Updates", "Limited by"} <= {panel["title"] for panel in first}


def test_the_page_names_rows_and_panels_that_there_are(panels):
    """In its table from symptom to cause: a row of the dashboard, and panels of it in italics."""
    rows: dict[str, set[str]] = {}
    for panel in panels:
        if panel["type"] == "row":
            row = rows.setdefault(panel["title"].partition(":")[0], set())
        else:
            row.add(panel["title"])
    table = (ROOT / "docs" / "monitoring.md").read_text().partition("| symptom |")[2].partition("\n\n")[0]
    places = [place for line in table.splitlines()[2:] for place in line.split("|")[2].split(";")]
    assert len(places) > 10
    for place in places:
        row, _, named = place.strip().partition(":")
        assert set(re.findall(r"\*(.+?)\*", named)) <= rows[row], place


def test_grafana_finds_the_datasource_and_the_dashboard(panels):
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    used = {panel["datasource"]["uid"] for panel in panels if panel["type"] != "row"}
    assert used == {source["uid"]}
    (provider,) = yaml.safe_load((GRAFANA / "provisioning/dashboards/srl.yml").read_text())["providers"]
    mounts = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]["volumes"]
    assert f"./ops/grafana/dashboards:{provider['options']['path']}:ro" in mounts
    configs = yaml.safe_load((ROOT / "ops/swarm/stack.yml").read_text())["services"]["grafana"]["configs"]
    assert f"{provider['options']['path']}/{dashboard.FILE.name}" in {each["target"] for each in configs}
    prometheus = yaml.safe_load((ROOT / "ops/prometheus/prometheus.yml").read_text())
    assert source["jsonData"]["timeInterval"] == prometheus["global"]["scrape_interval"]
