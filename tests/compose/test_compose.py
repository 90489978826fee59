"""One cluster of containers from its start to its end, each test a step of its life: they need each other, in order.

It is seen as its users see it: by `docker compose`, by Prometheus, and by programs that submit jobs.
"""

import json
import time
from pathlib import Path

import ledger
import pytest

import srl
from benchmarks.containers import IMAGE, PATIENCE_S, SERVICES, STEPS_BY_ACTOR, TRAINED, until
from ops.queries import ops_queries
from srl_common.shards import shard_of

HERE = Path(__file__).parent
LOWEST = "min(min_over_time(srl_episode_reward_mean[15m]))"
HIGHEST = "max(max_over_time(srl_episode_reward_mean[15m]))"
RANDOM_REWARD = 30.0
"""CartPole's, of actions by chance, is about 22."""

pytestmark = pytest.mark.timeout(600)


def job_states(cluster):
    return {job["id"]: job["state"] for job in json.loads(cluster.srl("jobs", "--json"))}


def test_all_become_healthy_and_train(cluster):
    cluster.up(actors=2)
    assert len(cluster.containers("actor")) == 2
    for service in SERVICES:
        assert all(cluster.is_healthy(container) for container in cluster.containers(service)), service
    until(lambda: cluster.value(TRAINED) > 0, "the default job trains", PATIENCE_S)


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
    cluster.scale(4)
    until(lambda: len(cluster.query(STEPS_BY_ACTOR)) == 4, "four actors are counted", PATIENCE_S)
    cluster.scale(1)
    until(lambda: len(cluster.query('up{job="actor"} == 1')) == 1, "one actor is left", PATIENCE_S)
    assert len(cluster.containers("actor")) == 1
    cluster.scale(2)
    until(lambda: len(cluster.query(STEPS_BY_ACTOR)) == 2, "the second is back", PATIENCE_S)


def test_the_default_job_learns(cluster):
    def has_risen():
        # What was seen first may have learned something already.
        highest = cluster.value(HIGHEST)
        return highest > 2 * RANDOM_REWARD and highest > 1.5 * cluster.value(LOWEST)

    until(has_risen, "the reward of an episode rises", 2 * PATIENCE_S)
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


def test_the_command_line_sees_it_from_within(cluster):
    checks = json.loads(cluster.srl("doctor", "--json"))
    texts = [check["text"] for check in checks if check["what"] == "service"]
    assert len(texts) == 4, checks
    assert all(text.endswith("works for job-1") for text in texts), texts
    assert checks[-1]["what"] == "memory service"
    assert checks[-1]["result"] == "ok", checks[-1]
    seen = json.loads(cluster.srl("top", "--json"))
    assert seen["jobs"] == ["job-1"]
    assert [len(seen[kind]) for kind in ("learners", "memories", "actors")] == [1, 1, 2]
    assert seen["errors"] == []
    versions = [each["version"] for each in json.loads(cluster.srl("snapshots", "list", "1", "--json"))]
    assert versions
    assert all(version.startswith("1-") for version in versions), versions


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
    runner, job = _post(cluster)
    assert job.state == "waiting"
    cluster.srl("stop", "1")
    until(lambda: job.state == "running", "the second job runs when the first is stopped", PATIENCE_S)
    until(lambda: _trained(cluster) > 0, "it trains", PATIENCE_S)
    assert job_states(cluster) == {"1": "stopped", job.id: "running"}
    return runner, job


def _post(cluster):
    runner = srl.Runner("Grid", ledger.Config())
    return runner, runner.train_cluster(
        cluster.uri, timeout=600, enable_progress=False, wait=False, keys_dir=str(cluster.client_keys())
    )


def _trained(cluster):
    return cluster.value('max(srl_trainer_version{srl_job="job-2"})')


@pytest.mark.parametrize("service", SERVICES)
def test_a_killed_service_comes_back_and_training_goes_on(cluster, posted, service):
    before = _trained(cluster)
    container = cluster.kill(service)
    until(lambda: cluster.is_back(container), f"{service} is started again, and healthy", PATIENCE_S)
    until(lambda: _trained(cluster) > before, f"training goes on after {service} was killed", PATIENCE_S)


def test_the_job_brings_back_its_parameter_and_nothing_was_lost(cluster, posted):
    runner, job = posted
    assert _books(cluster, runner, job).items > 1_000
    assert job_states(cluster) == {"1": "stopped", job.id: "stopped"}


def _books(cluster, runner, job):
    """Stop the job; return the books that it brings back."""
    cluster.srl("stop", job.id)
    job.wait()
    books = runner.parameter.books
    assert (books.lost, books.duplicated) == (0, 0)
    return books


def test_two_memory_services_share_a_job_and_one_may_be_killed(cluster):
    cluster.use("ops/compose/shards.yml")
    cluster.up(2, "memory-1")
    while len(_shards_with_actors(cluster)) < 2:
        cluster.scale(len(cluster.containers("actor")) + 1)
    runner, job = _post(cluster)
    until(lambda: len(_giving(cluster, job, since=0)) == 2, "both memory services give batches", PATIENCE_S)
    killed_s = time.time()
    container = cluster.kill("memory-1")
    until(lambda: cluster.is_back(container), "it is started again, and healthy", PATIENCE_S)
    until(lambda: len(_giving(cluster, job, since=killed_s)) == 1, "the new one gives batches", PATIENCE_S)
    assert _books(cluster, runner, job).items > 1_000


def _shards_with_actors(cluster):
    """Return the shards that the actors belong to; an actor is named after its host and its pid."""
    hosts = [cluster.inspect(container)["Config"]["Hostname"] for container in cluster.containers("actor")]
    return {shard_of(f"actor-{host}-1", 2) for host in hosts}


def _giving(cluster, job, since):
    """Return the memory services that have given batches and were started since that time."""
    given = f'sum by (instance) (srl_batches_total{{srl_job="job-{job.id}"}}) > 0'
    return cluster.query(f"{given} and on (instance) process_start_time_seconds > {since}")


def test_all_end_by_themselves_when_asked(cluster):
    since, actors = time.time(), len(cluster.containers("actor"))
    cluster.compose("down")
    codes = cluster.died(since)
    assert set(codes) == {*SERVICES, "memory-1"}
    assert codes["actor"] == [0] * actors
    assert all(code == 0 for each in codes.values() for code in each), codes
