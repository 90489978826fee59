"""Services that work for the jobs of a board, one after the other: started once, as an operator would."""

import contextlib
import signal

import misbehaving
import momentum
import pytest
import redis
from running import Service, free_port, job_of, until

from services import snapshot as snapshots
from services.job import Job
from srl.algorithms import ql
from srl.base.context import RunContext
from srl.base.env.config import EnvConfig
from srl_common.errors import EXIT_USER
from srl_common.job_board import JobState, open_board
from srl_common.settings import variable
from srl_common.snapshots import open_store

DRAIN_S = 5.0


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

    def wait_for(self, job_id, *states):
        """Wait until the job is in one of these states; return its entry."""

        def there():
            entry = self.board.entry(job_id)
            return entry if entry.state in states else None

        return until(there, f"job {job_id} is {states}: {[service.said for service in self.services]}")

    def wait_until_trained(self, job_id, more=3):
        def count():
            return self.board.reports(job_id).get("learner", {}).get("train_count", 0)

        start = count()
        until(lambda: count() >= start + more, f"trained: {[service.said for service in self.services]}")

    def train_count(self, job_id):
        store = open_store(self.store_uri)
        newest = store.latest(self.board.entry(job_id).snapshot_name)
        store.close()
        return snapshots.learner_state(newest).train_count if newest else None

    def wait_until_idle(self):
        for service in self.services:
            until(lambda: service.page("/readyz") == (200, "ready: waiting for a job\n"), f"idle: {service.said}")  # noqa: B023

    def drain(self):
        for service in self.services:
            service.send(signal.SIGTERM)
        assert [service.wait() for service in self.services] == [0, 0, 0], [service.said for service in self.services]


def job(config, **limits):
    context = RunContext(env_config=EnvConfig("Grid"), rl_config=config, training=True, **limits)
    return Job.of(context)


@pytest.fixture(params=["directory", "redis"])
def store(request, tmp_path, redis_server):
    if request.param == "directory":
        return f"dir://{tmp_path}/store"
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


def test_jobs_follow_each_other_in_the_same_processes(tmp_path, store):
    with BoardCluster(tmp_path, store) as cluster:
        services = cluster.start_all()
        pids = [service.process.pid for service in services]
        cluster.wait_until_idle()
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
        assert [service.process.pid for service in services] == pids
        assert all(service.runs for service in services)
        assert list((tmp_path / "journal").iterdir()) == []
        reports = cluster.board.reports(third)
        assert reports["learner"]["train_count"] == 10
        assert reports["memory"]["clients"].keys() == {"actor", "learner"}
        assert {row["service"] for row in cluster.board.history(third)} == {"learner", "memory"}
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
        until(cluster.board.entries, f"posted: {learner.said}")
        entry = cluster.wait_for("1", JobState.ENDED, JobState.FAILED)
        assert (entry.state, entry.name) == (JobState.ENDED, "my_job.py: QL in Grid")
        learner.send(signal.SIGKILL)
        learner.wait()
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
        assert learner.wait(60) == EXIT_USER
        assert says in learner.said.splitlines()[-1]
        assert "Traceback" not in learner.said
        assert cluster.board.entries() == []
