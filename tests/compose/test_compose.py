"""One cluster of containers from its start to its end, each test a step of its life: they need each other, in order.

It is seen as its users see it: by `docker compose`, by Prometheus, and by programs that submit jobs.
"""

import json
import time
from pathlib import Path

import ledger
import pytest
from real_cluster import IMAGE, PATIENCE_S, until

import srl
from ops.queries import ops_queries

HERE = Path(__file__).parent
SERVICES = ("redis", "memory", "learner", "actor", "prometheus")
STEPS_BY_ACTOR = 'srl_env_steps_total{job="actor"} > 0'
TRAINED = "max(srl_train_count_total)"
LOWEST = "min(min_over_time(srl_episode_reward_mean[15m]))"
HIGHEST = "max(max_over_time(srl_episode_reward_mean[15m]))"
RANDOM_REWARD = 30.0
"""CartPole's, of actions by chance, is about 22."""

pytestmark = pytest.mark.timeout(600)


def note(what, since):
    """Print how long something took: shown with `pytest -s`, and when a test fails."""
    print(f"\n[compose] {what}: {time.monotonic() - since:.1f} s", flush=True)


def job_states(cluster):
    return {job["id"]: job["state"] for job in json.loads(cluster.srl("jobs", "--json"))}


def test_all_become_healthy_and_train(cluster):
    begun = time.monotonic()
    cluster.up(actors=2)
    note("docker compose up --wait", begun)
    assert len(cluster.containers("actor")) == 2
    for service in SERVICES:
        assert all(cluster.is_healthy(container) for container in cluster.containers(service)), service
    until(lambda: cluster.value(TRAINED) > 0, "the default job trains", PATIENCE_S)
    note("from a cold start to the first trained step", begun)


def test_prometheus_counts_the_steps_of_every_actor(cluster):
    until(lambda: len(cluster.query(STEPS_BY_ACTOR)) == 2, "both actors are counted", PATIENCE_S)


def test_containers_have_only_the_rights_that_they_need(cluster):
    for service in SERVICES:
        host = cluster.inspect(cluster.containers(service)[0])
        assert host["Config"]["User"] not in {"", "0", "root"}, service
        assert host["HostConfig"]["ReadonlyRootfs"], service
        assert host["HostConfig"]["CapDrop"] == ["ALL"], service
        assert host["HostConfig"]["Memory"] > 0, service
        ips = [bound["HostIp"] for ports in host["NetworkSettings"]["Ports"].values() for bound in ports or []]
        assert set(ips) <= {"127.0.0.1"}, service


def test_actors_are_scaled(cluster):
    begun = time.monotonic()
    cluster.scale(4)
    until(lambda: len(cluster.query(STEPS_BY_ACTOR)) == 4, "four actors are counted", PATIENCE_S)
    note("from --scale actor=4 to all four counted", begun)
    cluster.scale(1)
    until(lambda: len(cluster.query('up{job="actor"} == 1')) == 1, "one actor is left", PATIENCE_S)
    assert len(cluster.containers("actor")) == 1
    cluster.scale(2)


def test_the_default_job_learns(cluster):
    until(lambda: cluster.value(HIGHEST) > 2 * RANDOM_REWARD, "the reward of an episode rises", 2 * PATIENCE_S)
    # What was seen first may have learned something already.
    assert cluster.value(LOWEST) < cluster.value(HIGHEST) / 1.5
    print(f"\n[compose] mean rewards of episodes: {[reward for _, reward in cluster.query('srl_episode_reward_mean')]}")


def test_every_query_of_the_dashboard_and_the_rules_is_answered(cluster):
    queries = ops_queries()
    assert len(queries) > 30
    unanswered = {query.where: query.expr for query in queries if query.returns and not cluster.query(query.expr)}
    # Rates take two looks at something; what has just begun is given that time.
    until(lambda: not _still_unanswered(cluster, unanswered), f"there is data for {unanswered}", PATIENCE_S)
    for query in queries:
        cluster.query(query.expr)


def _still_unanswered(cluster, unanswered):
    for where in [where for where, expr in unanswered.items() if cluster.query(expr)]:
        del unanswered[where]
    return unanswered


def test_a_stranger_on_the_network_reaches_nothing(cluster):
    public = (cluster.client_keys() / "curve.server").read_text().strip()
    script = f"{HERE / 'stranger.py'}:/stranger.py:ro"
    run = ["run", "--rm", "--no-healthcheck", "--network", cluster.network, "-v", script]
    program = ["--entrypoint", "python", IMAGE, "/stranger.py", public]
    reached = json.loads(cluster.docker(*run, *program))
    assert [way for way, answered in reached.items() if answered] == ["redis, ping"]
    assert len(reached) > 8
    for role, meant_for in (("client", "observer"), ("actor", "actor")):
        keys = ["-v", f"{cluster.project}_keys-{role}:/keys/{role}:ro"]
        reached = json.loads(cluster.docker(*run, *keys, *program, f"/keys/{role}"))
        assert reached == {meant_for: True, "redis, get": True}


@pytest.fixture(scope="module")
def posted(cluster):
    """A second job, from this machine: an algorithm that no image contains, which keeps books of every item."""
    runner = srl.Runner("Grid", ledger.Config())
    job = runner.train_cluster(
        cluster.uri, timeout=600, enable_progress=False, wait=False, keys_dir=str(cluster.client_keys())
    )
    assert job.state == "waiting"
    cluster.srl("stop", "1")
    until(lambda: job.state == "running", "the second job runs when the first is stopped", PATIENCE_S)
    until(lambda: _trained(cluster) > 0, "it trains", PATIENCE_S)
    assert job_states(cluster) == {"1": "stopped", job.id: "running"}
    return runner, job


def _trained(cluster):
    return cluster.value('max(srl_trainer_version{srl_job="job-2"})')


@pytest.mark.parametrize("service", SERVICES)
def test_a_killed_service_comes_back_and_training_goes_on(cluster, posted, service):
    before = _trained(cluster)
    begun = time.monotonic()
    container = cluster.kill(service)
    until(lambda: cluster.inspect(container)["RestartCount"] > 0, f"the engine starts {service} again", PATIENCE_S)
    until(lambda: cluster.is_healthy(container), f"{service} is healthy again", PATIENCE_S)
    note(f"{service} killed: healthy again", begun)
    until(lambda: _trained(cluster) > before, f"training goes on after {service} was killed", PATIENCE_S)


def test_the_job_brings_back_its_parameter_and_nothing_was_lost(cluster, posted):
    runner, job = posted
    cluster.srl("stop", job.id)
    job.wait()
    books = runner.parameter.books
    assert books.items > 1_000
    assert (books.lost, books.duplicated) == (0, 0)
    assert job_states(cluster) == {"1": "stopped", job.id: "stopped"}


def test_all_end_by_themselves_when_asked(cluster):
    since, begun = time.time(), time.monotonic()
    cluster.compose("down")
    note("docker compose down", begun)
    codes = cluster.died(since)
    assert set(codes) == set(SERVICES)
    assert codes["actor"] == [0, 0]
    assert all(code == 0 for each in codes.values() for code in each), codes
