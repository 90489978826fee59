"""The refresher: the newest parameter is at hand, decoded, whatever the store is like in between."""

import threading
import time

import pytest

from services.actor import refresher as module
from services.actor.refresher import Fresh, Refresher
from srl_common import codec
from srl_common.directory_store import DirectoryStore
from srl_common.errors import AccessError, StorageError
from srl_common.memory_store import MemoryStore
from srl_common.redis_store import RedisStore
from srl_common.snapshots import Snapshot

LONG_S = 10.0
LOOK_EVERY_S = 0.001


def snapshot(train_count, parameter="parameter", epoch=1, worker=None):
    data = codec.pack({"parameter": parameter, "position": {}, "elapsed_s": 0.0})
    worker_data = None if worker is None else codec.pack({"parameter": worker})
    return Snapshot.make(epoch, train_count, data, {"created_s": 123.5}, worker_data)


class Watched(MemoryStore):
    """Counts the looks and the fetches, and fails when told so."""

    def __init__(self):
        super().__init__()
        self.looked = threading.Condition()
        self.looks = 0
        self.fetches = 0
        self.failing = False
        self.closed = False

    def latest_version(self, job):
        with self.looked:
            self.looks += 1
            self.looked.notify_all()
        if self.failing:
            raise StorageError("the store is away")
        return super().latest_version(job)

    def latest_worker(self, job):
        self.fetches += 1
        return super().latest_worker(job)

    def close(self):
        self.closed = True

    def wait_for_looks(self, count):
        with self.looked:
            wanted = self.looks + count
            assert self.looked.wait_for(lambda: self.looks >= wanted, LONG_S)


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """Nobody waits for long."""
    monkeypatch.setattr(module, "RETRY_AFTER_S", 0.005)
    monkeypatch.setattr(module, "RETRY_AFTER_MAX_S", 0.01)
    monkeypatch.setattr(module, "WAIT_S", 0.05)
    monkeypatch.setattr("srl_common.memory_store.LOOK_AROUND_EVERY_S", 0.005)


@pytest.fixture
def refresher_of():
    """Make refreshers that are closed at the end."""
    made = []

    def make(store, interval_s=LOOK_EVERY_S):
        made.append(Refresher(store, "job", interval_s))
        return made[-1]

    yield make
    for refresher in made:
        refresher.close()
    assert "refresher" not in {thread.name for thread in threading.enumerate()}


def take(refresher):
    """Return the next parameter, as soon as it is there."""
    waiting = threading.Event()
    for _ in range(int(LONG_S / LOOK_EVERY_S)):
        fresh = refresher.take()
        if fresh is not None:
            return fresh
        waiting.wait(LOOK_EVERY_S)
    return pytest.fail("no parameter came")


@pytest.mark.parametrize("kind", ["memory", "directory"])
def test_each_newer_parameter_is_taken_once(kind, tmp_path, refresher_of):
    store = MemoryStore() if kind == "memory" else DirectoryStore(tmp_path / "store")
    refresher = refresher_of(store)
    assert refresher.take() is None
    store.publish("job", snapshot(1, "first"))
    assert take(refresher) == Fresh((1, 1), 123.5, "first")
    assert refresher.take() is None
    store.publish("job", snapshot(2, "second"))
    assert take(refresher) == Fresh((1, 2), 123.5, "second")


def test_one_that_was_not_taken_is_replaced_by_a_newer_one(refresher_of):
    store = Watched()
    refresher = refresher_of(store)
    for train_count in (1, 2, 3):
        store.publish("job", snapshot(train_count, train_count))
        store.wait_for_looks(2)
    assert refresher.take().parameter == 3
    assert refresher.take() is None


def test_an_actor_gets_the_part_that_is_for_actors(refresher_of):
    store = MemoryStore()
    store.publish("job", snapshot(1, "all of it", worker="what actors need"))
    assert take(refresher_of(store)).parameter == "what actors need"


def test_what_is_known_is_not_fetched_again(refresher_of):
    store = Watched()
    store.publish("job", snapshot(1))
    take(refresher_of(store))
    store.wait_for_looks(5)
    assert store.fetches == 1


def test_a_store_that_is_away_is_said_once_and_looked_at_again(refresher_of, caplog):
    store = Watched()
    store.failing = True
    refresher = refresher_of(store)
    store.wait_for_looks(3)
    assert caplog.text.count("cannot look for a newer parameter: the store is away") == 1
    store.publish("job", snapshot(1))
    store.failing = False
    assert take(refresher).version == (1, 1)
    store.failing = True
    store.wait_for_looks(3)
    assert caplog.text.count("the store is away") == 2


@pytest.mark.parametrize("damage", [b"", b"\xff" * 30, codec.pack([1, 2, 3]), codec.pack({"no": "parameter"})])
def test_a_damaged_snapshot_is_said_and_the_next_one_taken(refresher_of, caplog, damage):
    store = Watched()
    refresher = refresher_of(store)
    store.publish("job", Snapshot.make(1, 1, damage))
    store.wait_for_looks(3)
    assert refresher.take() is None
    assert "cannot look for a newer parameter" in caplog.text
    store.publish("job", snapshot(2))
    assert take(refresher).version == (1, 2)


@pytest.mark.parametrize("train_count", [0, 9])
def test_it_never_goes_back_to_an_older_one(refresher_of, train_count):
    store = Watched()
    store.publish("job", snapshot(10, "newer"))
    refresher = refresher_of(store)
    assert take(refresher).parameter == "newer"
    store.delete("job")
    store.publish("job", snapshot(train_count, "older"))
    store.wait_for_looks(3)
    assert refresher.take() is None
    store.publish("job", snapshot(11, "newest"))
    assert take(refresher).parameter == "newest"


def test_an_older_one_that_comes_between_look_and_fetch_is_left_alone(refresher_of):
    class Losing(Watched):
        loses = False

        def latest_worker(self, job):
            if self.loses:
                self.loses = False
                return snapshot(1, "older").for_worker()
            return super().latest_worker(job)

    store = Losing()
    store.publish("job", snapshot(10))
    refresher = refresher_of(store)
    take(refresher)
    store.loses = True
    store.publish("job", snapshot(11, "newest"))
    assert take(refresher).parameter == "newest"
    assert not store.loses


def test_fetches_keep_their_distance(refresher_of):
    store = Watched()
    store.publish("job", snapshot(1))
    refresher = refresher_of(store, interval_s=600.0)
    take(refresher)
    for train_count in range(2, 30):
        store.publish("job", snapshot(train_count))
    assert (store.fetches, refresher.take()) == (1, None)


def test_without_distance_each_is_fetched(refresher_of):
    store = Watched()
    refresher = refresher_of(store, interval_s=0.0)
    for train_count in range(1, 10):
        store.publish("job", snapshot(train_count))
        assert take(refresher).version == (1, train_count)
    assert refresher.fetches == store.fetches == 9
    assert refresher.fetched_bytes == 9 * len(snapshot(1).for_worker().data)
    assert refresher.fetch_s > 0
    assert refresher.failures == 0


def test_it_is_woken_and_does_not_look_again_and_again(redis_server, refresher_of, monkeypatch):
    monkeypatch.setattr(module, "WAIT_S", 60.0)
    redis_server.flush()
    store, writer = RedisStore(redis_server.url), RedisStore(redis_server.url)
    looks = []
    look = store.latest_version
    store.latest_version = lambda job: looks.append(job) or look(job)
    refresher = refresher_of(store, interval_s=0.0)
    for train_count in range(1, 21):
        writer.publish("job", snapshot(train_count))
        assert take(refresher).version == (1, train_count)
    # One that ends a wait, one within the fetch, one at the begin of the next wait; and the answer to SUBSCRIBE.
    assert len(looks) <= 3 * 20 + 2
    before = len(looks)
    time.sleep(0.5)
    assert len(looks) <= before + 2
    writer.close()


@pytest.mark.parametrize("known", [False, True])
def test_a_password_that_is_wrong_ends_it_unless_it_was_right_before(refresher_of, caplog, known):
    class Closed(Watched):
        closed_to_us = False

        def latest_version(self, job):
            version = super().latest_version(job)
            if self.closed_to_us:
                raise AccessError("WRONGPASS; see redis.auth")
            return version

    store = Closed()
    store.publish("job", snapshot(1))
    store.closed_to_us = not known
    refresher = refresher_of(store)
    if not known:
        refresher._thread.join(LONG_S)
        with pytest.raises(AccessError, match="see redis.auth"):
            refresher.take()
        return
    take(refresher)
    store.closed_to_us = True
    store.wait_for_looks(4)
    assert refresher.take() is None
    assert caplog.text.count("WRONGPASS; see redis.auth") == 1
    assert refresher.failures >= 2


def test_closing_ends_the_thread_and_gives_the_store_back():
    store = Watched()
    Refresher(store, "job", 60.0).close()
    assert store.closed
    assert "refresher" not in {thread.name for thread in threading.enumerate()}
