"""`python -m services.memory`, `.learner` and `.actor` as an operator starts them: each a process, over tcp."""

import dataclasses
import signal
import sys
import textwrap
import time
from pathlib import Path

import pytest
from running import DRAIN_S, Cluster, free_port, job_of, until

from services.jobs.job import Job
from srl.algorithms import ql
from srl.base.context import RunContext
from srl.base.env.config import EnvConfig
from srl_common import metrics
from srl_common.errors import EXIT_PEER, EXIT_USER
from srl_common.messages import PROTOCOL
from srl_common.settings import ActorSettings, LearnerSettings, MemorySettings, variable

SETTINGS = {"actor": ActorSettings, "memory": MemorySettings, "learner": LearnerSettings}
KINDS = tuple(SETTINGS)
SABOTAGE = Path(__file__).parent / "sabotage"


@pytest.fixture
def cluster(tmp_path):
    with Cluster(tmp_path) as cluster:
        yield cluster


# --- training, pages, the end


def train_look_and_drain(cluster):
    """Train, look at every page, end in the order in which data flows; return the books."""
    memory, learner, actor = cluster.start_all()
    cluster.wait_for_training(learner, 20)
    until(lambda: actor.metric("srl_episodes_total") > 0, "an episode has ended")
    check_pages(memory, metrics.HOST)
    check_pages(learner, metrics.LEARNER)
    check_pages(actor, metrics.ACTOR)
    for service in (actor, learner, memory):
        service.drain()
    return cluster.books()


ONLY_WITH_THE_MEMORY_ELSEWHERE = {
    *("srl_batches_waiting", "srl_update_wait_seconds_total", "srl_updates_unacked", "srl_memory_services_silent"),
}


def check_pages(service, definitions, absent=frozenset()):
    assert service.page("/healthz") == (200, "ok\n")
    assert service.page("/readyz") == (200, "ready\n")
    status, text = service.page("/metrics")
    missing = {each.name for each in metrics.SERVICE + definitions if f"# HELP {each.name} " not in text}
    assert (status, missing) == (200, absent)


def test_they_train_answer_and_drain(cluster):
    books = train_look_and_drain(cluster)
    assert books.items > 300
    assert (books.lost, books.duplicated) == (0, 0)


def test_they_train_answer_and_drain_with_redis(tmp_path, redis_server):
    with Cluster(tmp_path, store=redis_server.url) as cluster:
        books = train_look_and_drain(cluster)
    assert books.items > 300
    assert (books.lost, books.duplicated) == (0, 0)


def test_a_learner_that_hosts_the_memory_needs_no_memory_service(cluster):
    learner = cluster.start("learner", memory_mode="learner")
    actor = cluster.start("actor")
    cluster.wait_for_training(learner)
    check_pages(learner, metrics.LEARNER + metrics.HOST, absent=ONLY_WITH_THE_MEMORY_ELSEWHERE)
    actor.drain()
    learner.drain()
    books = cluster.books()
    assert books.items > 100
    assert (books.lost, books.duplicated) == (0, 0)


def test_all_asked_to_end_at_once_under_load_lose_nothing(cluster):
    services = cluster.start_all()
    cluster.wait_for_training(services[1])
    for service in services:
        service.send(signal.SIGTERM)
    assert [service.wait() for service in services] == [0, 0, 0], [service.said for service in services]
    books = cluster.books()
    assert books.items > 100
    assert (books.lost, books.duplicated) == (0, 0)


def test_before_there_is_anyone_to_talk_to_an_actor_is_healthy_but_not_ready(cluster):
    actor = cluster.start("actor")
    until(lambda: actor.page("/healthz")[0] == 200, "healthy")
    assert actor.page("/readyz") == (503, "not ready\n")
    actor.drain()


def test_a_limit_of_the_job_ends_training_and_the_learner_stays_for_its_state(tmp_path):
    with Cluster(tmp_path, job_of(max_train_count=7)) as cluster:
        memory, learner, actor = cluster.start_all()
        until(lambda: "training is over: max_train_count over" in learner.said, "over")
        assert learner.metric("srl_train_count_total") == 7
        for service in (actor, learner, memory):
            service.drain()
        assert cluster.stored_version() == (1, 7)


def test_actors_that_wait_for_room_can_leave_when_training_is_over(tmp_path):
    with Cluster(tmp_path, job_of(max_train_count=1)) as cluster:
        memory, learner, actor = cluster.start_all(queue_items=100)
        until(lambda: "training is over" in learner.said, "over")
        until(lambda: memory.metric("srl_memory_has_room") == 0, "no room")
        steps = []

        def waits():
            steps.append(actor.metric("srl_env_steps_total"))
            return len(steps) > 5 and len(set(steps[-5:])) == 1

        until(waits, "the actor waits")
        for service in (actor, learner, memory):
            service.drain()
        books = cluster.books()
    assert books.items >= 100
    assert (books.lost, books.duplicated) == (0, 0)


# --- what an operator may get wrong


def expect_refusal(service, *says):
    """It ends with one report, an exit code that says "settings", and without a stack."""
    assert service.wait() == EXIT_USER, service.said
    assert "Traceback" not in service.said
    report = [line for line in service.said.splitlines() if line.startswith("error: ")]
    assert report == service.said.splitlines()[-1:]
    for part in says:
        assert part in report[0]


@pytest.mark.parametrize("kind", KINDS)
def test_help_lists_every_setting(cluster, kind):
    service = cluster.start(kind, "--help")
    out, _ = service.process.communicate(timeout=30)
    assert service.process.returncode == 0
    text = out.decode()
    for each in dataclasses.fields(SETTINGS[kind]):
        assert f"--{each.name.replace('_', '-')}" in text
        assert variable(each.name) in text


@pytest.mark.parametrize("kind", KINDS)
def test_a_misspelt_or_bad_setting_is_one_line(cluster, kind):
    misspelt = cluster.start(kind, journal_dri="/tmp")
    bad = cluster.start(kind, drain_timeout_s="soon")
    expect_refusal(misspelt, "SRL_JOURNAL_DRI is no setting: did you mean SRL_JOURNAL_DIR?")
    expect_refusal(bad, "SRL_DRAIN_TIMEOUT_S=soon: a finite number is wanted")
    assert len(misspelt.said.splitlines()) == len(bad.said.splitlines()) == 1


@pytest.mark.parametrize(
    ("kind", "settings", "says"),
    [
        ("memory", {"job": ""}, ["no job: set SRL_JOB"]),
        ("actor", {"job": "/nowhere"}, ["SRL_JOB=/nowhere: No such file"]),
        ("learner", {"store": "ftp://there"}, ["'ftp:' is no snapshot store: write"]),
        ("actor", {"memory_uri": "localhost:5600"}, ["'localhost:5600' is no address: write tcp://host:port"]),
        ("memory", {"memory_uri": "tcp://0.0.0.0:5600"}, ["binding to tcp://0.0.0.0:5600", "SRL_ALLOW_INSECURE_BIND"]),
        ("memory", {"trainer_uri": "tcp://*:5601"}, ["binding to tcp://*:5601", "SRL_ALLOW_INSECURE_BIND"]),
        ("memory", {"metrics_bind": "here"}, ["SRL_METRICS_BIND=here: write host:port, or off"]),
        ("memory", {"journal_dir": "/proc/journal"}, ["cannot open the journal in /proc/journal", "SRL_JOURNAL_DIR"]),
        ("learner", {"store": "dir:///proc/store"}, ["the snapshot store /proc/store", "SRL_STORE"]),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(cluster, kind, settings, says):
    expect_refusal(cluster.start(kind, **settings), *says)


def test_a_learner_that_hosts_the_memory_does_not_bind_to_everywhere_either(cluster):
    learner = cluster.start("learner", memory_mode="learner", memory_uri="tcp://0.0.0.0:5600")
    expect_refusal(learner, "binding to tcp://0.0.0.0:5600", "SRL_ALLOW_INSECURE_BIND")


def test_a_port_and_a_journal_in_use_are_refused(cluster):
    memory = cluster.start("memory")
    memory.wait_until_ready()
    same_port = cluster.start("memory", journal_dir="other-journal")
    expect_refusal(same_port, "cannot bind to", "another process may use it")
    own_ports = {name: f"tcp://127.0.0.1:{free_port()}" for name in ("memory_uri", "trainer_uri")}
    expect_refusal(cluster.start("memory", **own_ports), "is in use by another process", "SRL_JOURNAL_DIR")
    memory.drain()


AUTHORED = """
    from dataclasses import dataclass
    from srl.base.define import RLBaseTypes
    from srl.base.rl.config import RLConfig
    from srl.base.rl.registration import register

    @dataclass
    class Config(RLConfig):
        def get_name(self): return "unresolved"
        def get_base_action_type(self): return RLBaseTypes.DISCRETE
        def get_base_observation_type(self): return RLBaseTypes.DISCRETE

    register(Config(), *[__name__ + ":" + name for name in ("Memroy", "Parameter", "Trainer", "Worker")])
"""


def test_an_entry_point_that_does_not_resolve_is_named(tmp_path, monkeypatch):
    (tmp_path / "unresolved.py").write_text(textwrap.dedent(AUTHORED))
    monkeypatch.syspath_prepend(str(tmp_path))
    import unresolved

    with Cluster(tmp_path, Job.of(RunContext(env_config=EnvConfig("Grid"), rl_config=unresolved.Config()))) as cluster:
        expect_refusal(cluster.start("memory"), "unresolved:Memroy", str(tmp_path / "unresolved.py"))
        (tmp_path / "unresolved.py").unlink()
        expect_refusal(cluster.start("memory"), "the job needs the module 'unresolved'", "PYTHONPATH")
    del sys.modules["unresolved"]


# --- who is refused by the host


def test_another_job_and_another_protocol_are_refused_with_both_named(cluster):
    other = job_of(ql.Config())
    other.save(cluster.folder / "other-job")
    memory = cluster.start("memory")
    actor = cluster.start("actor", job=cluster.folder / "other-job")
    learner = cluster.start("learner", job=cluster.folder / "other-job", store_job="other")
    newer = cluster.start("actor", path=str(SABOTAGE / "protocol"), name="newer")
    expect_refusal(actor, f"works for job {other.digest[:12]}, this service for {cluster.job.digest[:12]}")
    expect_refusal(learner, f"works for job {other.digest[:12]}, this service for {cluster.job.digest[:12]}")
    expect_refusal(newer, f"'newer' speaks protocol {PROTOCOL + 1}, this service {PROTOCOL}", "the same version")
    assert memory.metric("srl_refused_total") == 3
    assert memory.page("/healthz")[0] == 200
    memory.drain()


def test_control_without_sabotage_the_same_actor_is_welcome(cluster):
    memory = cluster.start("memory")
    actor = cluster.start("actor", name="newer")
    until(lambda: memory.metric("srl_clients") == 1, "welcomed")
    actor.drain()
    memory.drain()


def test_a_journal_of_another_job_is_refused(cluster):
    memory = cluster.start("memory")
    memory.wait_until_ready()
    memory.drain()
    job_of(seed=5).save(cluster.folder / "job")
    expect_refusal(cluster.start("memory"), "the journal belongs to another job", "SRL_JOURNAL_DIR")


# --- two learners


def test_a_second_learner_takes_over_and_training_never_goes_back(cluster):
    memory, first, actor = cluster.start_all()
    cluster.wait_for_training(first)
    until(lambda: (cluster.stored_version() or (0, 0))[1] > 0, "something is trained and stored")
    versions = [cluster.stored_version()]
    second = cluster.start("learner", name="second")

    def ended():
        versions.append(cluster.stored_version())
        return not first.runs

    until(ended, "the first learner gives way")
    assert first.wait() in {EXIT_PEER, EXIT_USER}
    report = first.said.splitlines()[-1]
    assert report.startswith(("error: StaleSnapshotError: ", "error: RefusedError: "))
    assert "epoch 2" in report
    assert "took over" in report or "was claimed by another learner" in report
    cluster.wait_for_training(second)
    counted = second.metric("srl_train_count_total")
    assert second.metric("srl_trainer_version") >= counted + versions[0][1], (
        "a counter begins at 0, the version does not"
    )
    until(lambda: versions.append(cluster.stored_version()) or versions[-1][0] == 2, "stored by the second")
    assert versions == sorted(versions)
    train_counts = [train_count for _, train_count in versions]
    assert train_counts == sorted(train_counts)
    for service in (actor, second, memory):
        service.drain()
    books = cluster.books()
    assert (books.lost, books.duplicated) == (0, 0)


# --- a host that is stopped


def test_a_memory_service_that_is_stopped_makes_actors_wait_and_loses_nothing(cluster):
    window = 4
    memory, learner, actor = cluster.start_all(window_calls=window)
    cluster.wait_for_training(learner)
    memory.send(signal.SIGSTOP)
    end_s = time.monotonic() + 3.5  # longer than the sockets' own sign of life
    until(lambda: actor.metric("srl_chunks_unacked") == window, "all credit is used up")
    steps, waited_s = actor.metric("srl_env_steps_total"), actor.metric("srl_credit_wait_seconds_total")
    until(lambda: actor.metric("srl_credit_wait_seconds_total") > waited_s, "a scrape sees the wait while it lasts")
    until(lambda: time.monotonic() >= end_s, "stopped long enough")
    assert actor.metric("srl_env_steps_total") == steps > 0
    assert actor.metric("srl_chunks_unacked") == window
    memory.send(signal.SIGCONT)
    cluster.wait_for_training(learner)
    until(lambda: actor.metric("srl_env_steps_total") > steps, "the actor goes on")
    assert actor.metric("srl_credit_wait_seconds_total") > 2.0
    for service in (actor, learner, memory):
        service.drain()
    books = cluster.books()
    assert (books.lost, books.duplicated) == (0, 0)


def test_an_actor_whose_host_is_gone_gives_up_when_the_time_to_drain_is_over(cluster):
    memory, learner, actor = cluster.start_all(drain_timeout_s=0.5)
    cluster.wait_for_training(learner)
    memory.kill()
    until(lambda: actor.metric("srl_chunks_unacked") > 0, "something is under way")
    actor.send(signal.SIGTERM)
    assert actor.wait(DRAIN_S) == EXIT_PEER
    assert "error: UndeliveredError: actor: the Memory's host took no more calls" in actor.said
    learner.send(signal.SIGTERM)
    learner.wait()
