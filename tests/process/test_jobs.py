"""Services that work for the jobs of a board, one after the other: started once, as an operator would."""

import contextlib
import signal

import ledger
import misbehaving
import momentum
import psutil
import pytest
from running import Service, free_port, job_of, until

from services import snapshot as snapshots
from services.jobs.job import Job
from srl.algorithms import ql
from srl.base.context import RunContext
from srl.base.env.config import EnvConfig
from srl_common.errors import EXIT_USER
from srl_common.job_board import JobState, open_board
from srl_common.settings import variable
from srl_common.snapshots import open_store

DRAIN_S = 5.0
pytestmark = pytest.mark.timeout(300)  # each has many fresh interpreters, which take long on a machine under load


class BoardCluster:
    """Three services and the board that they look at. Leaving it leaves none of them behind."""

    def __init__(self, folder, store="", **settings):
        self.folder = folder
        self.store_uri = store or f"dir://{folder}/store"
        self.board = open_board(self.store_uri)
        self._stack = contextlib.ExitStack()
        self._stack.callback(self.board.close)
        self.settings = {
            "board": 1,
            "memory_uri": f"tcp://127.0.0.1:{free_port()}",
            "trainer_uri": f"tcp://127.0.0.1:{free_port()}",
            "store": self.store_uri,
            "journal_dir": folder / "journal",
            "snapshot_interval_s": 0.1,
            "parameter_interval_s": 0.05,
            "drain_timeout_s": DRAIN_S,
            **settings,
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()

    def start(self, kind, **settings):
        own = {"metrics_bind": f"127.0.0.1:{free_port()}", "name": kind, **self.settings, **settings}
        service = Service(kind, self.folder, {variable(name): str(value) for name, value in own.items()})
        self._stack.callback(service.close)
        return service

    def start_all(self):
        self.services = [self.start(kind) for kind in ("memory", "learner", "actor")]
        return self.services

    def submit(self, job, name="a job"):
        job_id = self.board.new_id()
        self.board.submit(job_id, job.pack(), name, job.digest)
        return job_id

    def until(self, condition, what):
        """Return the first true value of `condition`; fail with what the services have said when there is none."""
        try:
            return until(condition, what)
        except AssertionError as error:
            raise AssertionError(f"{error}: {[service.said for service in self.services]}") from None

    def wait_for(self, job_id, *states):
        """Wait until the job is in one of these states; return its entry."""

        def there():
            entry = self.board.entry(job_id)
            return entry if entry.state in states else None

        return self.until(there, f"job {job_id} is {states}")

    def reported_count(self, job_id):
        return self.board.reports(job_id).get("learner", {}).get("train_count", 0)

    def clients(self, job_id):
        return self.board.reports(job_id).get("memory", {}).get("clients", {}).keys()

    def has_reported(self, job_id):
        return {row["service"] for row in self.board.history(job_id)}

    def wait_until_trained(self, job_id, more=3):
        start = self.reported_count(job_id)
        self.until(lambda: self.reported_count(job_id) >= start + more, f"trained {more} more than {start}")

    def train_count(self, job_id):
        store = open_store(self.store_uri)
        newest = store.latest(self.board.entry(job_id).snapshot_name)
        store.close()
        return snapshots.learner_state(newest).train_count if newest else None

    def wait_until_idle(self):
        idle = (200, "ready: waiting for a job\n")
        self.until(lambda: all(service.page("/readyz") == idle for service in self.services), "all are idle")

    def open_files(self):
        return [psutil.Process(service.process.pid).num_fds() for service in self.services]

    def drain(self):
        for service in self.services:
            service.send(signal.SIGTERM)
        assert [service.wait() for service in self.services] == [0, 0, 0], [service.said for service in self.services]


def job(config, **limits):
    context = RunContext(env_config=EnvConfig("Grid"), rl_config=config, training=True, **limits)
    return Job.of(context)


@pytest.fixture
def redis_url(redis_server):
    redis_server.flush()
    return redis_server.url


def test_jobs_follow_each_other_in_the_same_processes(tmp_path, redis_url):
    with BoardCluster(tmp_path, redis_url) as cluster:
        services = cluster.start_all()
        pids = [service.process.pid for service in services]
        cluster.wait_until_idle()
        files = cluster.open_files()
        first = cluster.submit(job(ql.Config(), max_train_count=30))
        second = cluster.submit(job(momentum.Config(), max_train_count=20))
        fails = cluster.submit(job(misbehaving.Config(raises_in="Worker.policy"), max_train_count=20))
        third = cluster.submit(job_of(seed=3, max_train_count=10))
        for job_id, count in {first: 30, second: 20}.items():
            entry = cluster.wait_for(job_id, JobState.ENDED, JobState.FAILED)
            assert (entry.state, entry.reason) == (JobState.ENDED, "max_train_count over.")
            assert cluster.train_count(job_id) >= count  # ql trains on many at once
        failed = cluster.wait_for(fails, JobState.ENDED, JobState.FAILED)
        assert failed.state is JobState.FAILED
        assert failed.reason.startswith("Worker.policy failed in the actor:\n")
        assert "by zero in Worker.policy" in failed.reason
        assert cluster.wait_for(third, JobState.ENDED, JobState.FAILED).state is JobState.ENDED
        cluster.wait_until_idle()
        # The answer to the last look at a page may have been open still when the files were counted at first.
        cluster.until(
            lambda: all(now <= before for now, before in zip(cluster.open_files(), files, strict=True)),
            "no file and no socket of a job is left open",
        )
        assert [service.process.pid for service in services] == pids
        assert all(service.runs for service in services)
        assert list((tmp_path / "journal").iterdir()) == []
        assert cluster.reported_count(third) == 10
        assert "learner" in cluster.has_reported(third)
        cluster.drain()


JOB_FILE = """
import srl
from srl.algorithms import ql

def job():
    return srl.JobConfig("Grid", ql.Config(), max_train_count={count})
"""


def test_a_learner_posts_the_job_that_it_is_started_with_once(tmp_path):
    file = tmp_path / "my_job.py"
    file.write_text(JOB_FILE.format(count=20))
    with BoardCluster(tmp_path) as cluster:
        memory, actor = cluster.start("memory"), cluster.start("actor")
        learner = cluster.start("learner", job=file)
        cluster.services = [memory, learner, actor]
        cluster.until(cluster.board.entries, "the job is posted")
        entry = cluster.wait_for("1", JobState.ENDED, JobState.FAILED)
        assert (entry.state, entry.name) == (JobState.ENDED, "my_job.py: QL in Grid")
        learner.kill()
        cluster.services[1] = cluster.start("learner", job=file)
        cluster.wait_until_idle()
        assert [each.id for each in cluster.board.entries()] == ["1"]
        cluster.drain()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = 1", "has neither a function job() nor a call"),
        ("def job(:", "my_job.py:1: invalid syntax"),
        (None, "there is no job file"),
    ],
)
def test_a_job_file_that_cannot_be_loaded_ends_the_learner_with_one_line(tmp_path, text, says):
    file = tmp_path / "my_job.py"
    if text is not None:
        file.write_text(text)
    with BoardCluster(tmp_path) as cluster:
        learner = cluster.start("learner", job=file)
        assert learner.wait() == EXIT_USER
        assert says in learner.said.splitlines()[-1]
        assert "Traceback" not in learner.said
        assert cluster.board.entries() == []


# --- a job that is stopped, resumed, and outlives its services


def test_a_job_whose_snapshot_lacks_a_part_waits_for_it_and_can_be_stopped(tmp_path):
    with BoardCluster(tmp_path) as cluster:
        _, learner, _ = cluster.start_all()
        job_id = cluster.submit(job_of(timeout=600))
        cluster.wait_until_trained(job_id)
        learner.kill()
        for path in (tmp_path / "store").rglob("data-*"):
            path.unlink()
        learner = cluster.services[1] = cluster.start("learner")
        cluster.until(lambda: "waiting for the snapshot store" in learner.said, "the learner waits")
        assert cluster.board.entry(job_id).state is JobState.RUNNING
        cluster.board.ask_to_stop(job_id)
        entry = cluster.wait_for(job_id, JobState.STOPPED, JobState.FAILED, JobState.ENDED)
        assert (entry.state, entry.reason) == (JobState.STOPPED, "asked to stop")
        cluster.wait_until_idle()
        cluster.drain()


def test_a_job_is_stopped_resumed_and_survives_what_kills_its_services(tmp_path, redis_server):
    redis_server.flush()
    with BoardCluster(tmp_path, redis_server.url) as cluster:
        _, learner, _ = cluster.start_all()
        job_id = cluster.submit(job_of(timeout=600))
        cluster.wait_until_trained(job_id)

        cluster.until(lambda: cluster.clients(job_id) == {"actor", "learner"}, "the report names who is there")

        learner.kill()  # it takes up the job where its last snapshot is
        before = cluster.train_count(job_id)
        learner = cluster.services[1] = cluster.start("learner")
        cluster.wait_until_trained(job_id)
        assert cluster.board.entry(job_id).life == 1
        assert cluster.train_count(job_id) >= before > 0

        cluster.board.ask_to_stop(job_id)
        entry = cluster.wait_for(job_id, JobState.STOPPED, JobState.FAILED, JobState.ENDED)
        assert (entry.state, entry.reason) == (JobState.STOPPED, "asked to stop")
        stopped_at = cluster.train_count(job_id)
        assert stopped_at == cluster.board.reports(job_id)["learner"]["train_count"]

        cluster.board.resume(job_id)
        cluster.wait_for(job_id, JobState.RUNNING)
        cluster.wait_until_trained(job_id)
        assert cluster.board.entry(job_id).life == 2
        assert cluster.board.reports(job_id)["learner"]["train_count"] > stopped_at
        until(
            lambda: [path.name for path in (tmp_path / "journal").iterdir()] == [journal_name(cluster, job_id)],
            "one journal",
        )
        assert cluster.has_reported(job_id) == {"learner", "memory"}

        cluster.drain()  # while it works: the job is not over
        assert cluster.board.running().id == job_id
        drained_at = cluster.train_count(job_id)
        cluster.start_all()
        cluster.wait_until_trained(job_id)
        assert cluster.board.entry(job_id).life == 2
        # The last report before may be older than the last snapshot.
        cluster.until(lambda: cluster.reported_count(job_id) > drained_at, "training goes on from the last snapshot")

        redis_server.flush()  # as when it comes back without its data: the job is gone
        cluster.wait_until_idle()
        another = cluster.submit(job(ql.Config(), max_train_count=20))
        entry = cluster.wait_for(another, JobState.ENDED, JobState.FAILED)
        assert (entry.state, entry.reason) == (JobState.ENDED, "max_train_count over.")
        cluster.wait_until_idle()
        cluster.drain()  # while it is idle


def journal_name(cluster, job_id):
    entry = cluster.board.entry(job_id)
    return f"job-{job_id}-life-{entry.life}-{entry.begun_s:.0f}"


def test_a_job_whose_snapshots_are_older_than_its_journal_fails_and_goes_on_when_resumed(tmp_path):
    with BoardCluster(tmp_path) as cluster:
        _, learner, _ = cluster.start_all()
        job_id = cluster.submit(job_of(timeout=600))
        cluster.wait_until_trained(job_id)
        learner.kill()
        store = open_store(cluster.store_uri)
        name = cluster.board.entry(job_id).snapshot_name
        store.restore(name, store.versions(name)[0].version)
        store.close()
        learner = cluster.services[1] = cluster.start("learner")
        failed = cluster.wait_for(job_id, JobState.FAILED, JobState.ENDED)
        assert "but those up to " in failed.reason
        assert "resume the job, which then begins with an empty Memory" in failed.reason
        cluster.wait_until_idle()
        cluster.board.resume(job_id)
        cluster.wait_for(job_id, JobState.RUNNING)
        cluster.wait_until_trained(job_id)
        assert learner.runs
        cluster.board.ask_to_stop(job_id)
        assert cluster.wait_for(job_id, JobState.STOPPED, JobState.FAILED).state is JobState.STOPPED
        cluster.drain()


def test_a_learner_that_hosts_the_memory_does_without_the_memory_service(tmp_path):
    with BoardCluster(tmp_path, memory_mode="learner") as cluster:
        memory, _, _ = cluster.start_all()
        ends, fails = (
            cluster.submit(job_of(ledger.Config(collects=True), max_train_count=10)),
            cluster.submit(job(misbehaving.Config(raises_in="Config.setup_from_actor"), max_train_count=10)),
        )
        assert cluster.wait_for(ends, JobState.ENDED, JobState.FAILED).state is JobState.ENDED
        assert cluster.board.reports(ends).keys() == {"learner", "memory"}
        with contextlib.closing(open_store(cluster.store_uri)) as store:
            name = snapshots.worker_job(cluster.board.entry(ends).snapshot_name)
            cluster.until(lambda: store.latest_version(name), "actor 0 hands its Parameter over")
        failed = cluster.wait_for(fails, JobState.ENDED, JobState.FAILED)
        assert (failed.state, failed.reason.splitlines()[0]) == (
            JobState.FAILED,
            "Config.setup_from_actor failed in the actor:",
        )
        assert memory.page("/readyz") == (200, "ready: waiting for a job\n")
        cluster.wait_until_idle()
        cluster.drain()


@pytest.mark.parametrize("hook", ["Trainer.train", "Memory.add"])
def test_a_failure_of_the_learner_or_of_the_memory_service_fails_the_job_and_the_next_begins(tmp_path, hook):
    with BoardCluster(tmp_path) as cluster:
        cluster.start_all()
        fails = cluster.submit(job(misbehaving.Config(raises_in=hook), timeout=600))
        ends = cluster.submit(job_of(max_train_count=5))
        failed = cluster.wait_for(fails, JobState.ENDED, JobState.FAILED)
        assert (failed.state, f"by zero in {hook}" in failed.reason) == (JobState.FAILED, True)
        assert failed.reason.startswith(f"{hook} failed in the ")
        assert cluster.wait_for(ends, JobState.ENDED, JobState.FAILED).state is JobState.ENDED
        cluster.drain()


def test_a_job_whose_train_never_returns_is_stopped_by_a_learner_that_starts_anew(tmp_path):
    with BoardCluster(tmp_path) as cluster:
        _, learner, _ = cluster.start_all()
        hangs = cluster.submit(job(misbehaving.Config(never_returns_from="Trainer.train"), timeout=600))
        ends = cluster.submit(job_of(max_train_count=5))
        cluster.until(lambda: learner.metric("srl_batches_taken_total"), "it has a batch, and train() begins")
        cluster.board.ask_to_stop(hangs)
        learner.kill()  # as an engine does, that has asked it to end and waited
        cluster.services[1] = cluster.start("learner")
        entry = cluster.wait_for(hangs, JobState.STOPPED, JobState.FAILED)
        assert (entry.state, entry.reason) == (JobState.STOPPED, "asked to stop")
        assert cluster.wait_for(ends, JobState.ENDED, JobState.FAILED).state is JobState.ENDED
        cluster.drain()


def test_a_service_of_another_job_is_refused_and_both_are_named_until_it_sees_the_board(tmp_path):
    other = job_of(ql.Config())
    with BoardCluster(tmp_path) as cluster:
        other.save(tmp_path / "other-job")
        cluster.services = [cluster.start("memory", board=0, job=tmp_path / "other-job"), cluster.start("actor")]
        mine = job_of(max_train_count=5)
        job_id = cluster.submit(mine)
        entry = cluster.board.take()
        memory, actor = cluster.services
        refusal = f"works for job life-1-{mine.digest[:12]}, this service for {other.digest[:12]}"
        until(lambda: refusal in actor.said, f"refused: {actor.said}")
        assert actor.runs
        cluster.board.end(job_id, entry.life, JobState.STOPPED, "by hand")
        until(lambda: actor.page("/readyz") == (200, "ready: waiting for a job\n"), f"idle: {actor.said}")
        cluster.services = [actor, memory]
        for service in cluster.services:
            service.drain()
