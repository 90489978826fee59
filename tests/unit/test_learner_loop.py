"""What the learner does while its store takes its time."""

import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "process"))

import ledger

from services.jobs.job import Job
from services.jobs.work import Work
from services.learner.service import Learner, Point
from srl.base.context import RunContext
from srl.base.env.config import EnvConfig
from srl_common.memory_store import MemoryStore
from srl_common.service import Stop
from srl_common.settings import LearnerSettings


class Hanging(MemoryStore):
    """Stores nothing until it is let."""

    def __init__(self):
        super().__init__()
        self.let = threading.Event()

    def publish(self, job, snapshot):
        self.let.wait()
        super().publish(job, snapshot)


@pytest.fixture
def store():
    return Hanging()


@pytest.fixture
def stop():
    return Stop(drain_timeout_s=0.1)


@pytest.fixture
def learner(store, stop):
    job = Job.of(RunContext(env_config=EnvConfig("Grid"), rl_config=ledger.Config(), training=True))
    learner = Learner(LearnerSettings(trainer_uri="inproc://nobody"), job, Work(stop), Point(store, 1, None))
    yield learner
    store.let.set()
    learner.close()


def train(learner, times=1):
    learner._trainer.train_count += times
    learner._publish()


def test_it_keeps_in_mind_only_where_it_was_at_snapshots_that_may_be_stored(learner, store):
    for _ in range(100):
        train(learner)
    assert len(learner._positions) <= 2
    store.let.set()
    learner._publish_and_wait()
    assert (store.latest_version("default"), learner._positions) == ((1, 100), {})


def test_to_wait_for_the_last_snapshot_is_healthy_and_ends_with_the_drain(learner, stop, monkeypatch, caplog):
    turns, polls = [], []
    monkeypatch.setattr(learner.health, "turned", lambda: turns.append(1))
    monkeypatch.setattr(learner._memory, "poll", lambda: polls.append(1))
    train(learner, 7)
    stop.ask()
    learner._publish_and_wait()
    assert turns
    assert polls
    assert "the snapshot of train count 7 is not stored" in caplog.text
