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
from srl_common.errors import SettingError
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

    def memory(self, shard):
        return self.start("memory", memory_shard=shard)

    def state(self):
        store = open_store(self.settings["store"])
        try:
            return snapshots.learner_state(store.latest("default"))
        finally:
            store.close()

    def checkpoint(self, shard):
        with Journal(Path(self.settings["journal_dir"]) / f"shard-{shard}") as journal:
            return codec.unpack(journal.read_checkpoint()[0], codec.UNLIMITED)

    def books(self):
        """Return the books of all that was trained on, with what still waits in the shards entered after it."""
        state = self.state()
        books = ledger.Books()
        books.__dict__.update(json.loads(state.parameter))
        for shard in range(SHARDS):
            checkpoint = self.checkpoint(shard)
            for number, kept in sorted(checkpoint["kept"]["sample"].items()):
                if number > state.position[f"sample@{shard}"]:
                    for item in messages.decode(codec.split_frames(kept)).value:
                        books.enter(*item)
            for item in checkpoint["memory"] or []:
                books.enter(*item)
        return books


@pytest.fixture
def queues(tmp_path):
    with Shards(tmp_path, ledger.Config()) as cluster:
        yield cluster


@pytest.fixture
def replays(tmp_path):
    with Shards(tmp_path, shard_items.Config()) as cluster:
        yield cluster


def inserted(memory):
    return memory.metric("srl_inserted_items_total")


def test_one_shard_is_killed_and_comes_back_and_nothing_is_lost_or_twice(queues):
    memories = [queues.memory(shard) for shard in range(SHARDS)]
    learner = queues.start("learner")
    actors = [queues.start("actor", name=named(shard)) for shard in range(SHARDS)]
    for memory in memories:
        until(lambda memory=memory: inserted(memory) > 100, f"each shard has its actor: {memory.said}")
    memories[0].send(signal.SIGKILL)
    assert memories[0].wait() == -signal.SIGKILL
    queues.wait_for_training(learner, 20)
    until(lambda: learner.metric("srl_memory_services_silent") == 1, "the learner misses one")
    memories[0] = queues.memory(0)
    until(lambda: inserted(memories[0]) > 500, "it is back, and goes on")
    until(lambda: learner.metric("srl_memory_services_silent") == 0, "the learner has found it")
    for service in (*actors, learner, *memories):
        service.drain()
    books = queues.books()
    assert (books.lost, books.duplicated) == (0, 0)
    assert len(books.last) == SHARDS


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
    for service in (actor, other, learner, *memories):
        service.drain()
    checkpoints = [replays.checkpoint(shard)["memory"] for shard in range(SHARDS)]
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
def test_a_service_that_cannot_find_its_shard_says_why(queues, run, kind, changes, says):
    environ = {variable(name): str(value) for name, value in {**queues.settings, **changes}.items()}
    with pytest.raises(SettingError, match=re.escape(says)):
        run(read(kind, environ), Stop(0.0))
