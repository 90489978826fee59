"""The publisher: a slow or failing store holds up nobody, and the newest snapshot gets there."""

import threading
import time
from types import SimpleNamespace

import pytest

from services.learner import publisher as module
from services.learner.publisher import Publisher
from services.learner.service import Learner
from srl_common.directory_store import DirectoryStore
from srl_common.errors import CorruptError, InternalError, StaleSnapshotError, StorageError
from srl_common.memory_store import MemoryStore
from srl_common.service import STALLED_AFTER_S, Health, Stop
from srl_common.snapshots import Snapshot

LONG_S = 10.0


class Failing(MemoryStore):
    """Refuses the first `failures` snapshots."""

    error = StorageError("the store is away; see that it runs")

    def __init__(self, failures):
        super().__init__()
        self.failures = failures

    def publish(self, job, snapshot):
        if self.failures:
            self.failures -= 1
            raise self.error
        super().publish(job, snapshot)


class Slow(MemoryStore):
    """Takes a snapshot when it is let."""

    def __init__(self):
        super().__init__()
        self.entered = threading.Event()
        self.let = threading.Event()
        self.seen = []

    def publish(self, job, snapshot):
        self.entered.set()
        assert self.let.wait(LONG_S)
        self.seen.append(snapshot.train_count)
        super().publish(job, snapshot)


def wait_until(condition, timeout_s=LONG_S):
    """Return whether it came to this in time."""
    end_s = time.monotonic() + timeout_s
    while not (met := condition()) and time.monotonic() < end_s:
        time.sleep(0.005)
    return met


def snapshot(train_count, epoch=1):
    return Snapshot.make(epoch, train_count, b"%d" % train_count)


@pytest.fixture(params=["memory", "directory"])
def store(request, tmp_path):
    return MemoryStore() if request.param == "memory" else DirectoryStore(tmp_path / "store")


@pytest.fixture
def publisher_of():
    """Make publishers that are closed at the end."""
    made = []

    def make(store):
        made.append(Publisher(store, "job"))
        return made[-1]

    yield make
    for publisher in made:
        publisher.close()
    assert "publisher" not in {thread.name for thread in threading.enumerate()}


def test_what_is_put_is_stored(store, publisher_of):
    publisher = publisher_of(store)
    assert publisher.wait(0.0), "nothing was put: nothing is to be stored"
    for train_count in (1, 2):
        publisher.put(snapshot(train_count))
        assert publisher.wait(LONG_S)
        assert publisher.stored == store.latest("job") == snapshot(train_count)
    assert (publisher.published, publisher.failures) == (2, 0)


def test_putting_does_not_wait_for_a_slow_store(publisher_of):
    store = Slow()
    publisher = publisher_of(store)
    publisher.put(snapshot(1))
    assert store.entered.wait(LONG_S)
    assert not publisher.wait(0.01)
    assert publisher.stored is None
    store.let.set()
    assert publisher.wait(LONG_S)


def test_the_newest_overtakes_those_that_wait(publisher_of):
    store = Slow()
    publisher = publisher_of(store)
    publisher.put(snapshot(1))
    assert store.entered.wait(LONG_S)
    for train_count in (2, 3, 4):
        publisher.put(snapshot(train_count))
    store.let.set()
    assert publisher.wait(LONG_S)
    assert store.seen == [1, 4]
    assert publisher.stored == snapshot(4)


def test_it_says_which_versions_may_be_stored_however_many_were_put(publisher_of):
    store = Slow()
    publisher = publisher_of(store)
    assert publisher.may_be_stored() == set()
    publisher.put(snapshot(1))
    assert store.entered.wait(LONG_S)
    for train_count in range(2, 100):
        publisher.put(snapshot(train_count))
    assert publisher.may_be_stored() == {(1, 1), (1, 99)}
    store.let.set()
    assert publisher.wait(LONG_S)
    assert publisher.may_be_stored() == {(1, 99)}


def test_a_store_that_fails_is_tried_again(publisher_of, monkeypatch, caplog):
    monkeypatch.setattr(module, "RETRY_AFTER_S", 0.01)
    store = Failing(3)
    publisher = publisher_of(store)
    publisher.put(snapshot(7))
    assert publisher.wait(LONG_S)
    assert store.latest("job") == snapshot(7)
    assert (publisher.published, publisher.failures) == (1, 3)
    assert "the snapshot of train count 7 is not stored yet: the store is away; see that it runs" in caplog.text


def test_a_store_that_goes_on_failing_is_said_once(publisher_of, monkeypatch, caplog):
    monkeypatch.setattr(module, "RETRY_AFTER_S", 0.01)
    caplog.set_level("INFO")
    publisher = publisher_of(Failing(3))
    for train_count in (1, 2):
        publisher.put(snapshot(train_count))
        assert publisher.wait(LONG_S)
    assert publisher.failures == 3
    assert caplog.text.count("is not stored yet") == 1
    assert caplog.text.count("is stored") == 1
    assert not publisher.late


def test_damage_in_the_store_does_not_end_it(publisher_of, monkeypatch):
    monkeypatch.setattr(module, "RETRY_AFTER_S", 0.01)

    class Damaged(Failing):
        error = CorruptError("a head is damaged")

    publisher = publisher_of(Damaged(1))
    publisher.put(snapshot(1))
    assert publisher.wait(LONG_S)
    assert publisher.failures == 1


def test_a_store_that_does_not_answer_is_late(publisher_of, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE_S", 0.01)
    store = Slow()
    publisher = publisher_of(store)
    assert not publisher.late
    publisher.put(snapshot(1))
    assert store.entered.wait(LONG_S)
    assert wait_until(lambda: publisher.late)
    store.let.set()
    assert publisher.wait(LONG_S)
    assert wait_until(lambda: not publisher.late)


def test_a_store_that_takes_its_time_is_waited_for_longer(publisher_of):
    publisher = publisher_of(MemoryStore())
    assert publisher.patience_s == module.PATIENCE_S
    publisher.last_publish_s = 3.0
    assert publisher.patience_s == 6.0
    publisher.last_publish_s = 1000.0
    assert publisher.patience_s == module.PATIENCE_MAX_S


def test_what_it_did_is_counted(publisher_of):
    publisher = publisher_of(MemoryStore())
    publisher.put(Snapshot.make(1, 1, b"12345", worker_data=b"123"))
    assert publisher.wait(LONG_S)
    publisher.put(Snapshot.make(1, 2, b"12345"))
    assert publisher.wait(LONG_S)
    assert (publisher.published, publisher.published_bytes) == (2, 13)
    assert 0 < publisher.last_publish_s < publisher.publish_s


def test_a_store_that_lost_its_data_gets_the_last_snapshot_again(store, publisher_of, monkeypatch, caplog):
    monkeypatch.setattr(module, "CHECK_EVERY_S", 0.01)
    publisher = publisher_of(store)
    publisher.put(snapshot(3, epoch=2))
    assert publisher.wait(LONG_S)
    store.delete("job")
    assert wait_until(lambda: store.latest_version("job") == (2, 3))
    assert "has lost the snapshot of train count 3" in caplog.text
    assert store.claim_epoch("job") == 3


def test_control_without_the_check_a_store_that_lost_its_data_stays_empty(store, publisher_of, monkeypatch):
    monkeypatch.setattr(module, "CHECK_EVERY_S", 60.0)
    publisher = publisher_of(store)
    publisher.put(snapshot(3))
    assert publisher.wait(LONG_S)
    store.delete("job")
    assert not wait_until(lambda: store.latest_version("job") is not None, 0.3)


def test_one_that_publishes_nothing_notices_too_that_another_took_over(store, publisher_of, monkeypatch):
    monkeypatch.setattr(module, "CHECK_EVERY_S", 0.01)
    publisher = publisher_of(store)
    publisher.put(snapshot(3))
    assert publisher.wait(LONG_S)
    store.publish("job", snapshot(1, epoch=2))
    assert wait_until(lambda: publisher._failure is not None)
    with pytest.raises(StaleSnapshotError, match=r"\(2, 1\) is stored"):
        publisher.check()


def test_a_store_that_is_away_when_it_is_looked_at_is_looked_at_again(publisher_of, monkeypatch):
    monkeypatch.setattr(module, "CHECK_EVERY_S", 0.01)

    class Away(MemoryStore):
        looks = 0

        def latest_version(self, job):
            self.looks += 1
            if self.looks < 3:
                raise StorageError("away")
            return super().latest_version(job)

    store = Away()
    publisher = publisher_of(store)
    publisher.put(snapshot(1))
    assert publisher.wait(LONG_S)
    assert wait_until(lambda: store.looks > 4)
    publisher.check()
    assert publisher.failures == 0


def test_after_a_failure_a_newer_one_is_published_in_its_stead(publisher_of, monkeypatch):
    monkeypatch.setattr(module, "RETRY_AFTER_S", 0.01)

    class FailingOnce(Slow):
        def publish(self, job, snapshot):
            super().publish(job, snapshot)
            if self.seen == [1]:
                raise StorageError("once")

    store = FailingOnce()
    publisher = publisher_of(store)
    publisher.put(snapshot(1))
    assert store.entered.wait(LONG_S)
    publisher.put(snapshot(2))
    store.let.set()
    assert publisher.wait(LONG_S)
    assert store.seen == [1, 2]


def test_a_newer_epoch_ends_it(store, publisher_of):
    publisher = publisher_of(store)
    publisher.put(snapshot(1, epoch=store.claim_epoch("job")))
    assert publisher.wait(LONG_S)
    publisher.check()
    store.claim_epoch("job")
    publisher.put(snapshot(2))
    with pytest.raises(StaleSnapshotError, match="epoch 2 was claimed by another learner"):
        publisher.wait(LONG_S)
    with pytest.raises(StaleSnapshotError):
        publisher.check()
    with pytest.raises(StaleSnapshotError):
        publisher.put(snapshot(3))
    assert store.latest_version("job") == (1, 1)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_in_its_thread_is_not_taken_for_a_store_that_is_away(publisher_of):
    class Broken(MemoryStore):
        def publish(self, job, snapshot):
            raise TypeError("a bug")

    publisher = publisher_of(Broken())
    publisher.check()
    publisher.put(snapshot(1))
    assert wait_until(lambda: not publisher._thread.is_alive())
    with pytest.raises(InternalError, match="the thread that stores snapshots has ended"):
        publisher.check()


def test_closing_gives_up_what_the_store_refuses(monkeypatch):
    monkeypatch.setattr(module, "RETRY_AFTER_S", 60.0)
    store = Failing(10)
    publisher = Publisher(store, "job")
    publisher.put(snapshot(1))
    publisher.close()
    assert store.latest("job") is None
    assert "publisher" not in {thread.name for thread in threading.enumerate()}


def test_closing_finishes_what_is_under_way():
    store = Slow()
    publisher = Publisher(store, "job")
    publisher.put(snapshot(1))
    assert store.entered.wait(LONG_S)
    store.let.set()
    publisher.close()
    assert store.seen == [1]


def test_closing_gives_the_store_back():
    class Watched(MemoryStore):
        closed = False

        def close(self):
            self.closed = True

    store = Watched()
    Publisher(store, "job").close()
    assert store.closed


# --- who waits for it


def test_a_learner_that_waits_for_its_store_is_alive_and_leaves_when_its_time_is_over():
    health, stop, waits = Health(), Stop(0.0), []

    def wait(timeout_s):
        waits.append(timeout_s)
        health._turned_s -= 2 * STALLED_AFTER_S
        if len(waits) == 3:
            stop.ask()
        return False

    polled = []
    learner = SimpleNamespace(
        _publish=lambda: None, _publisher=SimpleNamespace(wait=wait), health=health, _stop=stop, _published_count=7,
        _memory=SimpleNamespace(poll=lambda: polled.append(True)),
    )  # fmt: skip
    Learner._publish_and_wait(learner)
    assert health.alive
    assert len(waits) >= 3
    assert min(waits) > 0.0, "it does not spin"
    assert polled, "the host hears of it"
