"""A real Prometheus watches a small real cluster: every query of the dashboard and of the rules answers."""

import re
import time

import pytest
from prometheus_server import Prometheus, promtool
from running import Cluster, until

from ops import picture
from ops.queries import ops_queries
from services.jobs.job import Job
from srl.algorithms import dqn
from srl.base.context import RunContext
from srl.base.env.config import EnvConfig
from srl_common import metrics

ALL = {
    "memory": metrics.SERVICE + metrics.HOST,
    "learner": metrics.SERVICE + metrics.LEARNER,
    "actor": metrics.SERVICE + metrics.ACTOR,
}
PATIENCE_S = 60.0
"""A machine under load is slow to start services, and to have something of everything."""


def default_job():
    config = dqn.Config()
    config.memory.warmup_size = 200
    context = RunContext(env_config=EnvConfig("CartPole-v1"), rl_config=config, training=True)
    return Job.of(context)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Return the services by name, trained a little."""
    pytest.importorskip("gymnasium")
    with Cluster(tmp_path_factory.mktemp("cluster"), default_job()) as cluster:
        services = {"memory": cluster.start("memory", store_job="job-7")}
        services["learner"] = cluster.start("learner", store_job="job-7")
        for number in (0, 1):
            name = f"actor-{number}"
            services[name] = cluster.start("actor", name=name, actor_id=number, actor_num=2, store_job="job-7")
        for name, metric in (
            ("learner", "srl_train_count_total"),
            ("actor-0", "srl_episodes_total"),
            ("actor-1", "srl_episodes_total"),
        ):
            until(lambda n=name, m=metric: services[n].metric(m) > 0, f"{name}: {metric} > 0", PATIENCE_S)
        yield services


@pytest.fixture(scope="module")
def prometheus(cluster, tmp_path_factory):
    targets = {
        kind: [each.metrics_bind for name, each in cluster.items() if name.startswith(kind)]
        for kind in ("memory", "learner", "actor")
    }
    with Prometheus(tmp_path_factory.mktemp("prometheus"), targets) as prometheus:
        prometheus.wait_until_up(len(cluster))
        yield prometheus


@pytest.mark.parametrize("name", ["memory", "learner", "actor-0"])
def test_names_units_and_kinds_follow_the_conventions(cluster, name):
    _, page = cluster[name].page("/metrics")
    done = promtool("check", "metrics", stdin=page.encode())
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("name", ["memory", "learner", "actor-0"])
def test_a_page_has_every_metric_of_ours_with_its_job(cluster, name):
    _, page = cluster[name].page("/metrics")
    kind = name.partition("-")[0]
    assert set(re.findall(r"^# TYPE (srl_\w+)", page, re.MULTILINE)) == {each.name for each in ALL[kind]}
    ours = [line for line in page.splitlines() if line.startswith("srl_")]
    assert ours
    assert all('srl_job="job-7"' in line for line in ours)


def test_every_query_of_a_panel_or_rule_returns_data(prometheus):
    waiting = [each for each in ops_queries() if each.returns]
    assert len(waiting) > 50
    end_s = time.monotonic() + PATIENCE_S
    while waiting := [each for each in waiting if not prometheus.query(each.expr)]:
        assert time.monotonic() < end_s, f"no data: {waiting}"
        time.sleep(1.0)


def test_every_alert_is_evaluated_and_none_fires_while_all_is_well(prometheus):
    for each in ops_queries():
        prometheus.query(each.expr)
    rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
    assert {rule["health"] for rule in rules} == {"ok"}, rules
    assert {"alerting", "recording"} == {rule["type"] for rule in rules}
    firing = [rule["name"] for rule in rules if rule.get("state") == "firing"]
    assert firing == []


def test_a_picture_is_drawn_of_what_prometheus_has_seen(prometheus, tmp_path):
    file = tmp_path / "dashboard.png"
    picture.main(f"http://127.0.0.1:{prometheus.port}", str(file))
    assert file.read_bytes().startswith(b"\x89PNG")


def test_a_query_of_something_that_is_not_there_returns_nothing(prometheus):
    assert prometheus.query('srl_env_steps_total{srl_job="job-8"}') == []
    with pytest.raises(AssertionError, match="parse error"):
        prometheus.query("rate(srl_env_steps_total)[")
