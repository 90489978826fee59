"""Whatever happens to Redis: services that start wait for it, training and acting go on, nothing goes back."""

import signal
import time
from pathlib import Path

import pytest
import redis
from redis_server import RedisServer
from running import Cluster, until

from srl_common.errors import EXIT_USER
from srl_common.snapshots import open_store

SABOTAGE = Path(__file__).parent / "sabotage"
STILL_S = 1.0
pytestmark = pytest.mark.timeout(300)


class Redis:
    """A Redis that is stopped and started at one address."""

    def __init__(self, folder):
        self._folder = folder
        self.url = f"unix://{folder}/redis.sock"
        self.server = None

    def start(self, *args):
        self.server = RedisServer(self._folder, *args)

    def stop(self):
        if self.server is not None:
            self.server.stop()
            self.server = None

    def config(self, name, value):
        with redis.Redis.from_url(self.url) as client:
            client.config_set(name, value)


@pytest.fixture
def server(tmp_path_factory):
    made = Redis(tmp_path_factory.mktemp("r"))
    yield made
    made.stop()


@pytest.fixture
def cluster(tmp_path, server):
    with Cluster(tmp_path, store=server.url) as cluster:
        yield cluster


def works_on(cluster, learner, actor, updates=20):
    """Wait until there was more training and more acting."""
    steps = actor.metric("srl_env_steps_total")
    cluster.wait_for_training(learner, updates)
    until(lambda: actor.metric("srl_env_steps_total") > steps, "the actor acts")


def published_more(learner):
    before = learner.metric("srl_snapshots_published_total")
    until(lambda: learner.metric("srl_snapshots_published_total") > before, f"published again: {learner.said}")


def failed_more(learner):
    before = learner.metric("srl_snapshot_failures_total")
    until(lambda: learner.metric("srl_snapshot_failures_total") > before, "a publish has failed")


def version_of(actor):
    return actor.metric("srl_parameter_epoch"), actor.metric("srl_parameter_version")


def stands_still(learner):
    """Tell whether nothing is trained for some time; the learner itself answers, also on a machine under load."""
    end_s, counts = time.monotonic() + STILL_S, set()
    while time.monotonic() < end_s and len(counts) < 2:
        counts.add(learner.metric("srl_train_count_total"))
        time.sleep(0.02)
    return len(counts) == 1


# --- the start


def test_services_that_start_before_redis_wait_for_it(cluster, server):
    memory, learner, actor = cluster.start_all()
    until(lambda: "waiting for the snapshot store" in learner.said, "the learner says so")
    until(lambda: "cannot look for a newer parameter" in actor.said, "the actor says so")
    for service in (learner, actor):
        until(lambda each=service: each.page("/healthz") == (200, "ok\n"), "alive")
        assert service.page("/readyz")[0] == 503
    server.start()
    cluster.wait_for_training(learner)
    actor.wait_until_ready()
    assert learner.said.count("waiting for the snapshot store") == 1
    assert actor.said.count("cannot look for a newer parameter") == 1
    for service in (actor, learner, memory):
        service.drain()


def test_control_without_patience_a_learner_that_starts_before_redis_ends(cluster):
    learner = cluster.start("learner", path=str(SABOTAGE / "storewait"))
    assert learner.wait() == EXIT_USER
    assert "see that Redis runs there" in learner.said


def test_a_wrong_password_ends_a_service_at_once_and_says_what_to_check(cluster, server):
    server.start("--requirepass", "secret")
    memory = cluster.start("memory")
    services = [
        cluster.start(kind, store=f"unix://:wrong@{server.url.removeprefix('unix://')}")
        for kind in ("learner", "actor")
    ]
    for service in services:
        assert service.wait() == EXIT_USER, service.said
        report = service.said.splitlines()[-1]
        assert report.startswith("error: AccessError: the ")
        assert "redis.auth in SRL_KEYS_DIR" in report
    memory.drain()


# --- while they work


def test_training_goes_on_whatever_redis_does_and_nothing_goes_back(cluster, server):
    server.start()
    memory, learner, actor = cluster.start_all(checkpoint_bytes=20_000)
    cluster.wait_for_training(learner)
    actor.wait_until_ready()

    server.config("maxmemory", "1")  # full
    failed_more(learner)
    works_on(cluster, learner, actor)
    assert "it is full: raise its maxmemory" in learner.said
    server.config("maxmemory", "0")
    published_more(learner)

    server.config("min-replicas-to-write", "1")  # read-only
    failed_more(learner)
    works_on(cluster, learner, actor)
    assert "it takes no writes" in learner.said
    server.config("min-replicas-to-write", "0")
    published_more(learner)

    server.server.send(signal.SIGSTOP)  # stalled
    works_on(cluster, learner, actor, 50)
    server.server.send(signal.SIGCONT)
    published_more(learner)

    before = version_of(actor)
    server.stop()  # away, then there again without its data
    failed_more(learner)
    works_on(cluster, learner, actor)
    server.start()
    published_more(learner)
    until(lambda: version_of(actor) > before, "the actor has a newer parameter")
    assert cluster.stored_version() > before

    actor.drain()
    until(lambda: stands_still(learner), "nothing is left to train on")
    last = learner.metric("srl_epoch"), learner.metric("srl_trainer_version")
    until(lambda: cluster.stored_version() == last, "all is stored")
    server.stop()  # away and there again without its data, when nothing new will be stored
    server.start()
    until(lambda: cluster.stored_version() == last, "it is there again")
    store = open_store(server.url)
    assert store.claim_epoch("default") == last[0] + 1
    store.close()

    for service in (learner, memory):
        service.drain()


def test_control_where_training_itself_stores_a_stalled_redis_stops_it_and_a_full_one_ends_it(cluster, server):
    server.start()
    cluster.start("memory")
    learner = cluster.start("learner", path=str(SABOTAGE / "publisher"))
    cluster.start("actor")
    cluster.wait_for_training(learner)
    server.server.send(signal.SIGSTOP)
    until(lambda: stands_still(learner), "training stops")
    server.server.send(signal.SIGCONT)
    cluster.wait_for_training(learner)
    server.config("maxmemory", "1")
    assert learner.wait() == EXIT_USER
    assert "it is full" in learner.said
