"""Two memory services, each with a part of the items: nothing lost or twice, in proportion, and one may go and come."""

import json
import re
import shutil
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path

import ledger
import pytest
import shard_items
from running import Cluster, job_of
from running import until as until_soon

from services import snapshot as snapshots
from services.actor.service import main as act
from services.learner.service import main as learn
from services.memory.service import main as serve
from srl_common import codec, messages
from srl_common.errors import EXIT_USER, SettingError
from srl_common.job_board import JobState, open_board, snapshot_name
from srl_common.journal import Journal
from srl_common.service import Stop
from srl_common.settings import ActorSettings, LearnerSettings, MemorySettings, read, variable
from srl_common.shards import shard_of
from srl_common.snapshots import open_store

SHARDS = 2
START_S = 120.0
"""Five services start side by side here, which takes its time on a machine under load."""


def until(condition, what):
    return until_soon(condition, what, START_S)


def named(shard):
    """Return a name of an actor that belongs to that shard."""
    return next(name for name in (f"actor-{number}" for number in range(99)) if shard_of(name, SHARDS) == shard)


class Shards(Cluster):
    """Two memory services, a learner and actors of either."""

    def __init__(self, folder, config):
        super().__init__(folder, job_of(config))
        self.sockets = Path(tempfile.mkdtemp())
        self.settings |= {
            "memory_shards": SHARDS,
            "memory_uri": f"ipc://{self.sockets}/m{{shard}}",
            "trainer_uri": f"ipc://{self.sockets}/t{{shard}}",
        }

    def __exit__(self, *exception):
        super().__exit__(*exception)
        shutil.rmtree(self.sockets)

    def memory(self, shard, **settings):
        return self.start("memory", memory_shard=shard, **settings)

    def state(self, name="default"):
        store = open_store(self.settings["store"])
        try:
            return snapshots.learner_state(store.latest(name))
        finally:
            store.close()

    def journals(self, shard):
        return Path(self.settings["journal_dir"]) / f"shard-{shard}"


class Jobs(Shards):
    """Services that take jobs from a board, one after the other."""

    def __init__(self, folder):
        super().__init__(folder, ledger.Config())
        self.settings |= {"board": 1, "job": ""}
        self.board = open_board(self.settings["store"])
        self._stack.callback(self.board.close)

    def submit(self, job):
        job_id = self.board.new_id()
        self.board.submit(job_id, job.pack(), "a job", job.digest)
        return job_id

    def clients(self, job_id, shard):
        return self.board.reports(job_id).get(f"memory-{shard}", {}).get("clients", {}).keys()

    def trained(self, job_id):
        """Return the books of all that was trained on."""
        books = ledger.Books()
        books.__dict__.update(json.loads(self.state(snapshot_name(job_id)).parameter))
        return books

    def books(self, job_id):
        """Return these books, with what still waits in the shards entered after it."""
        books, position = self.trained(job_id), self.state(snapshot_name(job_id)).position
        for shard in range(SHARDS):
            (journal,) = self.journals(shard).glob(f"{snapshot_name(job_id)}-life-1-*")
            checkpoint = checkpoint_in(journal)
            for number, kept in sorted(checkpoint["kept"]["sample"].items()):
                if number > position[f"sample@{shard}"]:
                    for item in messages.decode(codec.split_frames(kept)).value:
                        books.enter(*item)
            for item in checkpoint["memory"] or []:
                books.enter(*item)
        return books


def checkpoint_in(folder):
    with Journal(folder) as journal:
        return codec.unpack(journal.read_checkpoint()[0], codec.UNLIMITED)


@pytest.fixture
def jobs(tmp_path):
    with Jobs(tmp_path) as cluster:
        yield cluster


@pytest.fixture
def replays(tmp_path):
    with Shards(tmp_path, shard_items.Config()) as cluster:
        yield cluster


def inserted(memory):
    return memory.metric("srl_inserted_items_total")


def kill_while_it_holds_items(cluster, learner, memory, shard, **settings):
    """Kill a memory service that has more items than the learner has asked for; return the one in its place."""
    learner.send(signal.SIGSTOP)
    enough = inserted(memory) + 1000
    until(lambda: inserted(memory) > enough, f"it holds items: {memory.said}")
    memory.kill()
    learner.send(signal.SIGCONT)
    return cluster.memory(shard, **settings)


def test_two_jobs_of_a_board_and_kills_between_and_within_them_lose_nothing(jobs):
    memories = [jobs.memory(shard) for shard in range(SHARDS)]
    learner = jobs.start("learner")
    actors = [jobs.start("actor", name=named(shard)) for shard in range(SHARDS)]
    first = jobs.submit(job_of(shard_items.Config()))
    for shard, memory in enumerate(memories):
        until(lambda memory=memory: memory.metric("srl_updates_total") > 10, f"both train: {learner.said}")
        clients = {"learner", named(shard)}
        until(lambda shard=shard, clients=clients: jobs.clients(first, shard) == clients, "each reports its own")
    assert jobs.board.reports(first).keys() == {"learner", "memory-0", "memory-1"}
    jobs.board.ask_to_stop(first)
    idle = (200, "ready: waiting for a job\n")
    for service in (*memories, learner, *actors):
        until(lambda service=service: service.page("/readyz") == idle, f"it waits for the next: {service.said}")
    assert jobs.board.entry(first).state is JobState.STOPPED
    assert [list(jobs.journals(shard).iterdir()) for shard in range(SHARDS)] == [[], []]

    memories[1].kill()  # the second job begins without it
    second = jobs.submit(job_of())
    until(lambda: learner.metric("srl_memory_services_silent") == 1, f"the learner misses one: {learner.said}")
    jobs.wait_for_training(learner, 20)
    assert f"the Memory's host at ipc://{jobs.sockets}/t1 does not answer" in learner.said
    memories[1] = jobs.memory(1)
    until(lambda: inserted(memories[1]) > 100, f"it takes part: {memories[1].said}")
    until(lambda: learner.metric("srl_memory_services_silent") == 0, "the learner has found it")

    memories[0] = kill_while_it_holds_items(jobs, learner, memories[0], 0)
    jobs.wait_for_training(learner, 20)
    until(lambda: inserted(memories[0]) > 2000, f"it is back, and goes on: {memories[0].said}")
    for service in (*actors, learner, *memories):
        service.drain()
    books = jobs.books(second)
    assert (books.lost, books.duplicated) == (0, 0)
    assert len(books.last) == SHARDS


def test_control_without_a_journal_what_a_killed_shard_held_is_lost(jobs):
    memory, learner = jobs.memory(0, journal="off"), jobs.start("learner")
    jobs.start("actor", name=named(0))
    job_id = jobs.submit(job_of())
    until(lambda: inserted(memory) > 100, f"it has its actor: {memory.said}")
    kill_while_it_holds_items(jobs, learner, memory, 0, journal="off")
    jobs.wait_for_training(learner, 100)
    learner.drain()
    assert jobs.trained(job_id).lost > 0


def test_batches_come_in_proportion_to_mass_and_updates_go_back_where_they_came_from(replays):
    memories = [replays.memory(shard) for shard in range(SHARDS)]
    learner = replays.start("learner")
    actor = replays.start("actor", name=named(0))
    other = replays.start("actor", name=named(1))
    for memory in memories:
        until(lambda memory=memory: inserted(memory) > 10, "each shard has its actor")
    replays.wait_for_training(learner, 1)
    time.sleep(1.5)  # Beats bring the masses every half second
    before = [memory.metric("srl_updates_total") for memory in memories]
    replays.wait_for_training(learner, 1000)
    light, heavy = (memory.metric("srl_updates_total") - each for memory, each in zip(memories, before, strict=True))
    assert heavy / (light + heavy) == pytest.approx(0.75, abs=0.07)  # five standard deviations of 1000 draws
    lost = replays.start("actor", memory_shards=1, memory_uri=f"ipc://{replays.sockets}/m1")
    assert lost.wait(START_S) == EXIT_USER
    assert "'actor' looks for shard 0 of 1, this service is shard 1 of 2: give all services the same" in lost.said
    for service in (actor, other, learner, *memories):
        service.drain()
    checkpoints = [checkpoint_in(replays.journals(shard))["memory"] for shard in range(SHARDS)]
    taken = Counter(json.loads(replays.state().parameter))
    numbers = [{number for number, _ in items} for items, _, _, _ in checkpoints]
    assert numbers == [{0}, {1}]  # each is the first of its shard
    marks = [mark for _, mark, _, _ in checkpoints]
    assert all(taken[mark] > 50 for mark in marks)
    for _, mark, updates, strays in checkpoints:
        assert (updates, strays) == (taken[mark], 0)


@pytest.mark.parametrize(
    ("run", "kind", "changes", "says"),
    [
        (act, ActorSettings, {"memory_uri": "tcp://m:1"}, "SRL_MEMORY_URI=tcp://m:1: with SRL_MEMORY_SHARDS=2 it must"),
        (learn, LearnerSettings, {"trainer_uri": "tcp://m:1"}, "SRL_TRAINER_URI=tcp://m:1: with SRL_MEMORY_SHARDS=2"),
        (learn, LearnerSettings, {"memory_mode": "learner"}, "(SRL_MEMORY_MODE=learner) has no shards"),
        (serve, MemorySettings, {"memory_shard": 2}, "SRL_MEMORY_SHARD=2: with SRL_MEMORY_SHARDS=2 the last is 1"),
    ],
)
def test_a_service_that_cannot_find_its_shard_says_why(replays, run, kind, changes, says):
    environ = {variable(name): str(value) for name, value in {**replays.settings, **changes}.items()}
    with pytest.raises(SettingError, match=re.escape(says)):
        run(read(kind, environ), Stop(0.0))
