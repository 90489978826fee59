"""kill -9 of each service under load: nothing lost, nothing twice; with a protection off, the books show it."""

import json
import os
import random
import signal
import time
from pathlib import Path

import ledger
import pytest

from services.clusters.local import LocalCluster, Options
from services.jobs.job import Job
from srl.base.context import RunContext
from srl.base.env.config import EnvConfig
from srl_common import codec, messages

SEED = 20261123
pytestmark = pytest.mark.timeout(300)  # it is many processes that are started one after the other


def make_job(**fields):
    config = ledger.Config(**fields)
    context = RunContext(env_config=EnvConfig("Grid"), rl_config=config, training=True, distributed=True, timeout=3600)
    return Job.of(context)


class Run:
    """A cluster under load, whose services are killed now and then."""

    def __init__(self, seed=SEED, **options):
        self.said = []
        # Small chunks: the Memory's host is always in the middle of something.
        self.options = Options(
            return_memory=True, snapshot_interval_s=0.1, parameter_interval_s=0.05, chunk_items=4, **options
        )
        self.random = random.Random(seed)

    def __enter__(self):
        self.cluster = LocalCluster(make_job(), self.options, self.said.append)
        return self

    def __exit__(self, *_):
        self.cluster.close()

    def watch_until(self, condition, timeout_s=90.0):
        end_s = time.monotonic() + timeout_s
        while not condition():
            self.cluster.watch(0.02)
            assert time.monotonic() < end_s, f"{self.said} {self.cluster.view}"

    @property
    def items(self):
        return self.cluster.learner.get("info", {}).get("items", 0)

    def stored(self):
        state = self.cluster.learner_state()
        return state.train_count if state else 0

    def checkpoints(self):
        """Return how many there have been since the journal was begun."""
        folder = self.cluster._folder / "journal"
        return max((int(path.name.rpartition("-")[2]) for path in folder.glob("checkpoint-*")), default=0)

    def kill(self, kind):
        """Kill one service of that kind at a random moment, and wait until training goes on."""
        self.watch_until(lambda: self.items > 0)
        self.cluster.watch(self.random.uniform(0.0, 0.2))
        child = self.random.choice([c for c in self.cluster.children if c.kind == kind])
        stored, restarts, epoch = self.stored(), child.restarts, self.cluster.learner["epoch"]
        os.kill(child.pid, signal.SIGKILL)
        self.watch_until(lambda: child.restarts > restarts)
        if kind == "learner":
            self.watch_until(lambda: self.cluster.learner.get("epoch", 0) > epoch)
            assert self.cluster.learner["train_count"] >= stored
        self.watch_until(lambda: self.stored() > stored)

    def settle(self):
        """End in order, and return the books of all that was trained on, with what still waits entered after it."""
        self.cluster.drain()
        books = ledger.Books()
        state = self.cluster.learner_state()
        books.__dict__.update(json.loads(state.parameter))
        checkpoint = self.cluster.memory_checkpoint()
        for number, kept in sorted(checkpoint.get("kept", {"sample": {}})["sample"].items()):
            if number > state.position["sample"]:
                for item in messages.decode(codec.split_frames(kept)).value:
                    books.enter(*item)
        for item in checkpoint["memory"] or []:
            books.enter(*item)
        return books


@pytest.mark.parametrize("hosts_memory", [True, False], ids=["asynchronous", "synchronous"])
@pytest.mark.parametrize("kind", ["memory", "learner", "actor"])
def test_a_kill_loses_nothing_and_doubles_nothing(kind, hosts_memory):
    if kind == "memory" and not hosts_memory:
        kind = "learner"  # there is no memory service: the learner is it
    with Run(actor_num=2, hosts_memory=hosts_memory) as run:
        for _ in range(3):
            run.kill(kind)
        books = run.settle()
    assert books.items > 100
    assert (books.lost, books.duplicated) == (0, 0), run.said
    assert sum("was ended by SIGKILL: started anew" in line for line in run.said) == 3


def test_all_services_killed_at_once_lose_nothing():
    with Run(actor_num=2) as run:
        for _ in range(2):
            run.watch_until(lambda: run.items > 0)
            stored = run.stored()
            for child in run.cluster.children:
                os.kill(child.pid, signal.SIGKILL)
            run.watch_until(lambda: run.stored() > stored + 10)  # noqa: B023
        books = run.settle()
    assert (books.lost, books.duplicated) == (0, 0), run.said


@pytest.mark.chaos
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("hosts_memory", [True, False], ids=["asynchronous", "synchronous"])
def test_many_kills_of_everything_in_any_order_lose_nothing(hosts_memory):
    kinds = ["actor", "learner", "memory"] if hosts_memory else ["actor", "learner"]
    with Run(actor_num=2, hosts_memory=hosts_memory) as run:
        for _ in range(100):
            run.kill(run.random.choice(kinds))
        books = run.settle()
    assert (books.lost, books.duplicated) == (0, 0), f"seed {SEED}: {run.said}"


# --- negative controls: with a protection off, the same faults are seen


def books_after_memory_kills(seed, **options):
    with Run(seed, actor_num=2, **options) as run:
        for _ in range(2):
            run.kill("memory")
        return run.settle()


def shows_up(fault, **options):
    """Tell whether the books show the fault in one of some runs: kills at random moments may all be lucky ones."""
    return any(getattr(books_after_memory_kills(SEED + run, **options), fault) > 0 for run in range(12))


def test_control_without_acknowledgements_items_are_lost(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "sabotage" / "acks"))
    assert shows_up("lost")


def test_control_without_deduplication_items_come_twice(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "sabotage" / "dedupe"))
    assert shows_up("duplicated")


def test_control_without_a_journal_items_are_lost():
    assert shows_up("lost", journal=False)


# --- the journal is cut by checkpoints while it runs


@pytest.mark.parametrize("hosts_memory", [True, False], ids=["asynchronous", "synchronous"])
def test_kills_between_checkpoints_lose_nothing(hosts_memory):
    with Run(actor_num=2, hosts_memory=hosts_memory, checkpoint_bytes=50_000) as run:
        for _ in range(4):
            run.kill("memory" if hosts_memory else "learner")
            generation = run.checkpoints()
            run.watch_until(lambda: run.checkpoints() > generation + 1)  # noqa: B023
        books = run.settle()
    assert (books.lost, books.duplicated) == (0, 0), run.said


# --- kills at named points of the host's work


ANYWHERE = [
    "before a call is written",
    "after a call is written",
    "before an acknowledgement",
    "before a batch is written",
    "after a batch is written",
    "before a checkpoint",
    "after a checkpoint's rename",
]


@pytest.mark.parametrize("hosts_memory", [True, False], ids=["asynchronous", "synchronous"])
def test_a_kill_at_any_point_loses_nothing(hosts_memory, monkeypatch, tmp_path):
    points = [*ANYWHERE, "after a release"] if hosts_memory else ANYWHERE
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "sabotage" / "dies"))
    monkeypatch.setenv("DIE_AT", ",".join(points))
    monkeypatch.setenv("DIE_FOLDER", str(tmp_path))
    with Run(actor_num=2, hosts_memory=hosts_memory, checkpoint_bytes=50_000) as run:
        for deaths, point in enumerate(points, 1):
            run.watch_until(lambda: (tmp_path / point).exists() and run.cluster.restarts >= deaths)  # noqa: B023
        stored = run.stored()
        run.watch_until(lambda: run.stored() > stored + 5)
        books = run.settle()
    assert (books.lost, books.duplicated) == (0, 0), run.said
