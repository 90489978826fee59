"""A cluster seen from a client: the board and the store are real, and the test does what services would do there."""

import threading
import time

import pytest
import redis_server

from services import snapshot as snapshots
from services.clusters import remote_cluster
from services.clusters.remote_cluster import JobFailedError, RemoteCluster
from services.jobs.job import Job
from srl.algorithms import ql
from srl.base.context import RunContext
from srl.base.env.config import EnvConfig
from srl.runner.runner import Runner
from srl_common.errors import CorruptError, SettingError, StorageError, UserError
from srl_common.job_board import JobState, open_board
from srl_common.snapshots import open_store


def job_of(lr=0.1, **limits):
    return Job.of(RunContext(env_config=EnvConfig("Grid"), rl_config=ql.Config(lr=lr), **limits), travels=True)


class Place:
    """A board and a store, and what a client was told."""

    def __init__(self, uri):
        self.uri = uri
        self.board, self.store = open_board(uri), open_store(uri)
        self.said = []
        self.clients = []

    def submit(self, job=None, trainer=None):
        self.clients.append(RemoteCluster.submit(self.uri, job or job_of(), self.said.append, trainer))
        return self.clients[-1]

    def follow(self, job_id=""):
        self.clients.append(RemoteCluster.follow(self.uri, job_id, self.said.append))
        return self.clients[-1]

    def end(self, state, reason):
        entry = self.board.running()
        assert self.board.end(entry.id, entry.life, state, reason)

    def publish(self, name, trainer, train_count):
        trainer.train_count = train_count
        epoch = self.store.claim_epoch(name)
        self.store.publish(name, snapshots.take(trainer.parameter, epoch, train_count, {"sample": 3}, 2.5, trainer))

    def close(self):
        for each in [self.board, self.store, *self.clients]:
            each.close()


@pytest.fixture
def place(tmp_path):
    place = Place(f"dir://{tmp_path}")
    yield place
    place.close()


@pytest.fixture
def trainer():
    runner = Runner("Grid", ql.Config())
    runner.trainer.train_count = 7
    return runner.trainer


def looked(cluster):
    cluster.look()
    return cluster


# --- posting


def test_a_job_is_posted_as_it_is(place):
    job = job_of(timeout=5)
    cluster = place.submit(job)
    entry = place.board.entry(cluster.entry.id)
    assert (entry.state, entry.digest, entry.name) == (JobState.WAITING, job.digest, "QL in Grid")
    assert cluster.job() == job
    assert cluster.learner_state() is None


def test_what_training_begins_with_is_there_before_the_job(place, trainer):
    cluster = place.submit(trainer=trainer)
    state = cluster.learner_state()
    assert (state.train_count, state.elapsed_s) == (7, 0.0)
    assert state.parameter == trainer.parameter.backup(serialized=True)


def test_a_job_that_cannot_be_posted_leaves_no_snapshot(place, trainer, monkeypatch):
    def refuse(*_args):
        raise StorageError("the board is full")

    monkeypatch.setattr(type(place.board), "submit", refuse)
    with pytest.raises(StorageError, match="the board is full"):
        place.submit(trainer=trainer)
    assert place.store.latest_version("job-1") is None


def test_a_job_whose_answer_was_lost_keeps_what_it_begins_with(place, trainer, monkeypatch):
    submit = type(place.board).submit

    def lose_the_answer(*args):
        submit(*args)
        raise StorageError("no answer")

    monkeypatch.setattr(type(place.board), "submit", lose_the_answer)
    with pytest.raises(StorageError, match="no answer"):
        place.submit(trainer=trainer)
    assert place.board.take().id == "1"
    assert place.store.latest_version("job-1") == (1, 7)


def test_what_actor_0_hands_over_after_the_end_is_waited_for(place, trainer):
    cluster = place.submit()
    place.board.take()
    assert cluster.worker_parameter() is None
    place.end(JobState.ENDED, "over")
    looked(cluster)
    later = threading.Timer(0.2, lambda: place.publish(snapshots.worker_job("job-1"), trainer, 0))
    later.start()
    assert cluster.worker_parameter() == trainer.parameter.backup(serialized=True)
    later.join()


def test_an_address_that_is_none_says_how_to_write_one():
    with pytest.raises(SettingError, match="'http:' is no job board: write .*redis://host:port/db"):
        RemoteCluster.submit("http://host", job_of(), print)


def test_a_redis_that_is_away_is_said_at_once(tmp_path):
    with pytest.raises(StorageError, match="none.sock"):
        RemoteCluster.submit(f"unix://{tmp_path}/none.sock", job_of(), print)


def test_a_wrong_password_is_said_at_once(tmp_path):
    server = redis_server.RedisServer(tmp_path, "--requirepass", "right")
    try:
        with pytest.raises(StorageError, match=r"(?i)password|auth"):
            RemoteCluster.submit(f"unix://:wrong@{server.socket}", job_of(), print)
    finally:
        server.stop()


def test_a_password_may_be_in_a_folder(tmp_path):
    (tmp_path / "keys").mkdir()
    login = tmp_path / "keys" / "redis.auth"
    login.touch(mode=0o600)
    login.write_text("default:right")
    server = redis_server.RedisServer(tmp_path, "--requirepass", "right")
    try:
        cluster = RemoteCluster.submit(server.url, job_of(), print, keys_dir=str(tmp_path / "keys"))
        assert cluster.learner_state() is None
        cluster.close()
        with pytest.raises(StorageError, match=r"(?i)auth"):
            RemoteCluster.submit(server.url, job_of(), print)
    finally:
        server.stop()


# --- following


def test_the_newest_job_is_followed_or_one_by_its_number(place):
    first, second = place.submit(job_of(0.1)), place.submit(job_of(0.2))
    assert place.follow().entry.id == second.entry.id
    assert place.follow(first.entry.id).entry.id == first.entry.id
    with pytest.raises(UserError, match="99"):
        place.follow("99")


def test_without_a_job_there_is_nothing_to_follow(place):
    with pytest.raises(
        UserError, match=r"the cluster has no job yet: post one with Runner.train_cluster or srl submit"
    ):
        place.follow()


def test_a_job_of_another_version_is_refused(place):
    place.board.submit(place.board.new_id(), job_of().pack(), "other", "0" * 64)
    with pytest.raises(CorruptError, match="was posted: submit it again, with the version of SRL"):
        place.follow().job()


# --- the line


def test_its_place_in_the_line_is_told(place):
    first, second, third = (place.submit(job_of(lr)) for lr in (0.1, 0.2, 0.3))
    assert looked(first).waiting == "job 1 waits: nobody has taken it yet"
    assert looked(second).waiting == "job 2 waits: 1 waits before it"
    assert looked(third).waiting == "job 3 waits: 2 wait before it"
    place.board.take()
    assert looked(first).waiting == ""
    assert looked(second).waiting == "job 2 waits: job 1 (QL in Grid) is being trained"
    assert looked(third).waiting == "job 3 waits: job 1 (QL in Grid) is being trained, 1 waits before it"
    place.end(JobState.ENDED, "over")
    place.board.resume("1")
    assert looked(first).waiting == "job 1 waits: 2 wait before it"


def test_a_job_that_nobody_takes_asks_whether_the_learner_is_up(place, monkeypatch):
    first, second = place.submit(job_of(0.1)), place.submit(job_of(0.2))
    monkeypatch.setattr(remote_cluster, "SILENT_AFTER_S", 0.0)
    assert looked(first).waiting == "job 1 waits: nobody has taken it yet (is the cluster's learner up?)"
    assert looked(second).waiting == "job 2 waits: 1 waits before it (is the cluster's learner up?)"
    monkeypatch.setattr(remote_cluster, "SILENT_AFTER_S", 60.0)
    place.board.take()
    assert looked(second).waiting == "job 2 waits: job 1 (QL in Grid) is being trained"


def test_a_learner_that_says_nothing_is_told(place, monkeypatch):
    cluster = place.submit()
    looked(cluster)
    place.board.take()
    place.board.report("1", "learner", {"train_count": 1})
    assert looked(cluster).waiting == ""
    monkeypatch.setattr(remote_cluster, "SILENT_AFTER_S", 0.0)
    assert looked(cluster).waiting == "the learner has reported nothing for 0 s"
    monkeypatch.setattr(remote_cluster, "SILENT_AFTER_S", 60.0)
    assert looked(cluster).waiting == ""


# --- what is reported


def test_reports_are_what_a_local_cluster_shows(place):
    cluster = place.submit()
    place.board.take()
    actor = {"role": "actor", "env_steps": 30, "episodes": 2, "reward": 0.5}
    place.board.report("1", "learner", {"train_count": 5, "info": {"loss": 0.5}})
    place.board.report(
        "1", "memory", {"host": {"memory_length": 3}, "clients": {"actor-a": actor, "learner": {"role": "learner"}}}
    )
    looked(cluster)
    assert (cluster.learner["train_count"], cluster.view.host) == (5, {"memory_length": 3})
    assert cluster.actors == {"actor-a": actor}
    assert cluster.end_reason == ""


def test_memory_services_add_up(place):
    cluster = place.submit()
    place.board.take()
    for number in (0, 1):
        host = {"memory_length": 3 + number, "storage_failed": False, "end_reason": ""}
        clients = {f"actor-{number}": {"role": "actor"}, "learner": {"role": "learner"}}
        place.board.report("1", f"memory-{number}", {"host": host, "clients": clients})
    looked(cluster)
    assert cluster.view.host == {"memory_length": 7, "storage_failed": False, "end_reason": ""}
    assert set(cluster.actors) == {"actor-0", "actor-1"}


# --- ends


@pytest.mark.parametrize("state", [JobState.ENDED, JobState.STOPPED])
@pytest.mark.parametrize("reason", ["timeout.", ""])
def test_a_job_that_is_over_says_why_and_what_it_learned(place, trainer, state, reason):
    cluster = place.submit()
    place.board.take()
    place.publish("job-1", trainer, 12)
    place.end(state, reason)
    looked(cluster)
    assert cluster.end_reason == (reason or str(state))
    learned = cluster.learner_state()
    assert (learned.train_count, learned.elapsed_s) == (12, 2.5)
    assert cluster.memory_checkpoint() == {"memory": None}
    cluster.drain()  # nothing to do
    assert place.said == []


def test_a_job_that_failed_raises_what_was_reported(place, trainer):
    cluster = place.submit()
    place.board.take()
    place.publish("job-1", trainer, 12)
    place.end(JobState.FAILED, "Worker.policy failed in the actor-1:\nTraceback ...")
    with pytest.raises(JobFailedError, match=r"job 1 has failed: Worker.policy failed in the actor-1:\nTraceback"):
        cluster.watch(0.0)
    assert cluster.learner_state().train_count == 12


def test_draining_asks_for_the_end_and_waits_for_it(place, monkeypatch):
    monkeypatch.setattr(remote_cluster, "LOOK_EVERY_S", 0.0)
    cluster = place.submit()
    place.board.take()
    looked(cluster)
    looks = []

    def as_the_learner_would(_seconds):
        looks.append(cluster.end_reason)
        if len(looks) == 2:
            assert place.board.running().stop_asked
            place.end(JobState.STOPPED, "stopped")

    monkeypatch.setattr(remote_cluster.time, "sleep", as_the_learner_would)
    cluster.drain()
    assert (cluster.end_reason, looks) == ("stopped", ["", ""])


def test_draining_a_job_that_waits_stops_it_at_once(place):
    cluster = place.submit()
    cluster.drain()
    assert cluster.entry.state is JobState.STOPPED


def test_draining_gives_up_in_the_end_and_says_so(place, monkeypatch):
    monkeypatch.setattr(remote_cluster, "STOP_TIMEOUT_S", 0.0)
    cluster = place.submit()
    place.board.take()
    looked(cluster)
    cluster.drain()
    assert place.said == ["job 1 has not stopped within 0 s: are its services up?"]


# --- a board that is away


def test_a_redis_that_goes_away_is_waited_for(tmp_path, trainer):
    server = redis_server.RedisServer(tmp_path, "--appendonly", "yes")
    place = Place(server.url)
    try:
        cluster = place.submit(trainer=trainer)
        place.board.take()
        looked(cluster)
        server.stop()
        looked(cluster)
        looked(cluster)
        assert len(place.said) == 1
        assert place.said[0].startswith("the cluster cannot be seen: ")
        assert place.said[0].endswith("; waiting for it: training goes on")
        assert cluster.learner_state() is None
        cluster.drain()
        assert place.said[1].startswith("job 1 could not be asked to stop: ")
        server = redis_server.RedisServer(tmp_path, "--appendonly", "yes")
        looked(cluster)
        assert place.said[2:] == ["the cluster can be seen again"]
        assert cluster.learner_state().train_count == 7
        place.end(JobState.ENDED, "timeout.")
        looked(cluster)
        server.stop()
        with pytest.raises(StorageError):  # what was learned would be lost
            cluster.learner_state()
    finally:
        place.close()
        server.stop()


def test_looks_are_not_more_often_than_needed(place):
    cluster = place.submit()
    looked(cluster)
    place.board.take()
    cluster.watch(0.0)
    assert cluster.entry.state is JobState.WAITING  # the next look is not due
    deadline_s = time.monotonic() + 10
    while cluster.entry.state is JobState.WAITING and time.monotonic() < deadline_s:
        cluster.watch(0.05)
    assert cluster.entry.state is JobState.RUNNING
