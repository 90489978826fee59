"""One contract for all snapshot stores, and what only one of them can go wrong with."""

from __future__ import annotations

import errno
import threading
import time

import pytest
from no_room import files_of_at_most

from srl_common.directory_store import DirectoryStore
from srl_common.errors import (
    AccessError,
    CorruptError,
    FullError,
    SettingError,
    StaleSnapshotError,
    StorageError,
    UnknownVersionError,
    UserError,
)
from srl_common.memory_store import MemoryStore
from srl_common.retention import Retention
from srl_common.snapshots import Snapshot, SnapshotInfo, open_store, parse_version, version_text

JOB = "a job/with ünusual:name"
LONG_S = 10.0
META = {"elapsed_s": 1.5, "position": 3, "name": "x", "done": False, "none": None, "raw": b"\0"}


@pytest.fixture(params=["memory", "directory", "redis"])
def uri(request, tmp_path):
    if request.param == "memory":
        return "memory://"
    if request.param == "directory":
        return f"dir://{tmp_path}/store"
    server = request.getfixturevalue("redis_server")
    server.flush()
    return server.url


@pytest.fixture
def store(uri):
    made = open_store(uri)
    yield made
    made.close()


@pytest.fixture
def retaining(uri):
    """Make a store that keeps so much."""
    made = []

    def make(keep_last, keep_every_s=0.0):
        made.append(open_store(uri, retention=Retention(keep_last, keep_every_s)))
        return made[-1]

    yield make
    for each in made:
        each.close()


def snapshot(epoch, train_count, data=b"data", **kwargs):
    return Snapshot.make(epoch, train_count, data, META, **kwargs)


# --- the contract


def test_what_is_published_is_fetched(store):
    published = snapshot(1, 10, b"\0all of it")
    store.publish(JOB, published)
    assert store.latest(JOB) == published
    assert store.latest_version(JOB) == (1, 10)


def test_there_is_nothing_at_first(store):
    assert store.latest(JOB) is None
    assert store.latest_worker(JOB) is None
    assert store.latest_version(JOB) is None
    store.delete(JOB)


def test_actors_get_their_part(store):
    store.publish(JOB, snapshot(1, 1, b"the whole", worker_data=b"the part"))
    assert store.latest_worker(JOB) == snapshot(1, 1, b"the part")
    assert store.latest(JOB) == snapshot(1, 1, b"the whole", worker_data=b"the part")
    store.publish(JOB, snapshot(1, 2, b"whole only"))
    assert store.latest_worker(JOB) == snapshot(1, 2, b"whole only")


def test_an_empty_part_is_a_part(store):
    store.publish(JOB, snapshot(1, 1, b"the whole", worker_data=b""))
    assert store.latest_worker(JOB).data == b""
    assert store.latest(JOB).worker_data == b""


def test_versions_only_grow(store):
    for version in [(1, 10), (1, 11), (2, 0)]:
        store.publish(JOB, snapshot(*version))
    for version in [(2, 0), (1, 11), (1, 99)]:
        with pytest.raises(StaleSnapshotError, match=rf"snapshot \({version[0]}, {version[1]}\) of job a job"):
            store.publish(JOB, snapshot(*version, b"other"))
    assert store.latest(JOB) == snapshot(2, 0)


def test_counts_are_ordered_as_numbers(store):
    store.publish(JOB, snapshot(1, 9))
    store.publish(JOB, snapshot(1, 10))
    with pytest.raises(StaleSnapshotError, match=r"\(1, 10\) is stored"):
        store.publish(JOB, snapshot(1, 9))


def test_the_very_same_again_is_accepted(store):
    for _ in range(2):
        store.publish(JOB, snapshot(1, 10))
    assert store.latest_version(JOB) == (1, 10)


def test_epochs_grow_and_fence_predecessors_off(store):
    assert store.claim_epoch(JOB) == 1
    store.publish(JOB, snapshot(1, 10))
    assert store.claim_epoch(JOB) == 2
    with pytest.raises(StaleSnapshotError, match="epoch 2 was claimed by another learner"):
        store.publish(JOB, snapshot(1, 11))
    with pytest.raises(StaleSnapshotError, match="claimed"):
        store.publish(JOB, snapshot(1, 10))
    assert store.latest_version(JOB) == (1, 10)
    store.publish(JOB, snapshot(2, 0))
    assert store.latest_version(JOB) == (2, 0)


def test_a_store_that_lost_its_epochs_learns_them_from_a_snapshot(store):
    store.publish(JOB, snapshot(5, 1))
    assert store.claim_epoch(JOB) == 6


def test_jobs_do_not_meet(store):
    store.publish(JOB, snapshot(3, 3))
    assert store.latest("another") is None
    assert store.claim_epoch("another") == 1
    store.publish("..", snapshot(1, 1))
    assert store.latest_version(JOB) == (3, 3)


def test_a_deleted_job_begins_anew(store):
    store.claim_epoch(JOB)
    store.publish(JOB, snapshot(1, 1, worker_data=b"part"))
    store.delete(JOB)
    assert store.latest(JOB) is None
    assert store.claim_epoch(JOB) == 1


def test_every_claim_gets_an_epoch_of_its_own(store, uri):
    stores = [store if uri == "memory://" else open_store(uri) for _ in range(4)]
    epochs = []

    def claim(own):
        epochs.extend(own.claim_epoch(JOB) for _ in range(10))

    threads = [threading.Thread(target=claim, args=[own]) for own in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for own in stores:
        own.close()
    assert sorted(epochs) == list(range(1, 41))


def test_a_reader_beside_a_writer_sees_whole_snapshots_that_grow(store, uri):
    reader = store if uri == "memory://" else open_store(uri)
    written = threading.Event()

    def write():
        for count in range(1, 60):
            store.publish(JOB, snapshot(1, count, b"%d" % count * 1000, worker_data=b"%d" % count))
        written.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    while not written.is_set():
        whole, part = reader.latest(JOB), reader.latest_worker(JOB)
        if whole is not None:
            assert whole.data == b"%d" % whole.train_count * 1000
            assert part.data == b"%d" % part.train_count
            seen += [whole.train_count, part.train_count]
    writer.join()
    reader.close()
    assert seen == sorted(seen)


def versions(store):
    return [info.version for info in store.versions(JOB)]


def test_what_is_kept_is_listed_and_fetched(store):
    assert store.versions(JOB) == []
    store.publish(JOB, Snapshot.make(1, 9, b"first", {"created_s": 100.25}))
    store.publish(JOB, Snapshot.make(1, 10, b"second", {"created_s": 101.5}, b"part"))
    first, second = store.versions(JOB)
    assert first == SnapshotInfo((1, 9), 100.25, 5, Snapshot.make(1, 9, b"first").digest)
    assert (second.version, second.bytes) == ((1, 10), len(b"second") + len(b"part"))
    assert store.get(JOB, (1, 9)) == Snapshot.make(1, 9, b"first", {"created_s": 100.25})
    assert store.get(JOB, (1, 10)) == store.latest(JOB)


def test_a_snapshot_without_a_date_gets_one(store):
    begun_s = time.time()
    store.publish(JOB, snapshot(1, 1))
    assert begun_s - 0.001 <= store.versions(JOB)[0].created_s <= time.time() + 0.001


def test_what_is_not_kept_is_refused_with_what_is(store):
    with pytest.raises(UnknownVersionError, match=r"snapshot 1-1 of job a job.* is not kept; there are: none"):
        store.get(JOB, (1, 1))
    store.publish(JOB, snapshot(1, 5))
    store.publish(JOB, snapshot(2, 7))
    with pytest.raises(UnknownVersionError, match="there are: 1-5, 2-7"):
        store.get(JOB, (1, 1))
    with pytest.raises(UnknownVersionError, match="there are: 1-5, 2-7"):
        store.restore(JOB, (1, 1))
    assert store.claim_epoch(JOB) == 3, "no epoch was claimed for what is not there"


def test_the_last_ones_are_kept(retaining):
    store = retaining(3)
    for count in range(1, 12):
        store.publish(JOB, snapshot(1, count, worker_data=b"part"))
    assert versions(store) == [(1, 9), (1, 10), (1, 11)]
    assert [store.get(JOB, version).train_count for version in versions(store)] == [9, 10, 11]
    with pytest.raises(UnknownVersionError):
        store.get(JOB, (1, 8))


def test_the_first_of_each_interval_is_kept(retaining):
    store = retaining(1, 10.0)
    for count, created_s in enumerate([101, 104, 109, 110, 119.9, 135, 136, 139], 1):
        store.publish(JOB, Snapshot.make(1, count, b"", {"created_s": created_s}))
    assert versions(store) == [(1, 1), (1, 4), (1, 6), (1, 8)]


def test_a_clock_that_is_put_back_loses_no_newest_one(retaining):
    store = retaining(1, 10.0)
    for count, created_s in enumerate([101.0, 205.0, 102.0], 1):
        store.publish(JOB, Snapshot.make(1, count, b"", {"created_s": created_s}))
    assert versions(store) == [(1, 1), (1, 2), (1, 3)]
    assert store.latest_version(JOB) == (1, 3)


def test_one_that_is_restored_is_the_newest_under_a_new_epoch(store):
    assert store.claim_epoch(JOB) == 1
    store.publish(JOB, snapshot(1, 10, b"good", worker_data=b"part"))
    store.publish(JOB, snapshot(1, 20, b"bad"))
    assert store.restore(JOB, (1, 10)) == store.latest_version(JOB) == (2, 10)
    newest = store.latest(JOB)
    assert (newest.data, newest.worker_data) == (b"good", b"part")
    assert newest.meta["restored_from"] == "1-10"
    assert store.latest_worker(JOB).data == b"part"
    with pytest.raises(StaleSnapshotError, match="epoch 2 was claimed by another learner"):
        store.publish(JOB, snapshot(1, 21))
    assert store.claim_epoch(JOB) == 3


def test_jobs_are_listed(store):
    assert store.jobs() == []
    store.publish(JOB, snapshot(1, 1))
    store.claim_epoch("another")
    assert store.jobs() == sorted([JOB, "another"])
    store.delete(JOB)
    assert store.jobs() == ["another"]


def test_a_wait_ends_at_once_where_there_is_a_newer_one(store):
    store.publish(JOB, snapshot(1, 10))
    assert store.wait_for_newer(JOB, None, LONG_S) == (1, 10)
    assert store.wait_for_newer(JOB, (1, 9), LONG_S) == (1, 10)


def test_a_wait_ends_in_time_and_is_not_moved_by_older_ones(store):
    assert store.wait_for_newer(JOB, None, 0.0) is None
    store.publish(JOB, snapshot(1, 10))
    for version in [(1, 10), (1, 11), (2, 0)]:
        assert store.wait_for_newer(JOB, version, 0.01) is None


def test_a_wait_is_ended_by_a_snapshot(store, uri):
    writer = store if uri == "memory://" else open_store(uri)
    found = []
    waits = threading.Thread(target=lambda: found.append(store.wait_for_newer(JOB, (1, 1), LONG_S)))
    writer.publish(JOB, snapshot(1, 1))
    waits.start()
    writer.publish(JOB, snapshot(1, 2))
    waits.join(LONG_S)
    writer.close()
    assert found == [(1, 2)]


def test_a_wait_is_ended_by_who_no_longer_wants_it(store):
    ends = threading.Event()
    found = []
    waits = threading.Thread(target=lambda: found.append(store.wait_for_newer(JOB, None, 10 * LONG_S, ends)))
    waits.start()
    ends.set()
    waits.join(LONG_S)
    assert found == [None]


def test_a_snapshot_survives_its_store(store, uri):
    if uri == "memory://":
        pytest.skip("memory is what it says")
    store.publish(JOB, snapshot(1, 1))
    again = open_store(uri)
    assert again.latest(JOB) == snapshot(1, 1)
    again.close()


# --- snapshots


def test_a_snapshot_knows_its_digest():
    made = snapshot(1, 2, b"abc")
    assert made.digest == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    made.verify()
    assert made.version == (1, 2)


def test_a_snapshot_with_other_bytes_is_damaged():
    damaged = Snapshot(1, 2, snapshot(1, 2).digest, b"other")
    with pytest.raises(CorruptError, match=r"snapshot \(1, 2\) is damaged"):
        damaged.verify()


def test_a_damaged_snapshot_in_memory_is_noticed():
    store = MemoryStore()
    store.publish(JOB, Snapshot(1, 2, "0" * 64, b"other"))
    with pytest.raises(CorruptError):
        store.latest(JOB)


def test_a_version_is_written_as_people_do():
    assert version_text((2, 1500)) == "2-1500"
    assert parse_version("2-1500") == (2, 1500)
    for text in ("", "2", "2-", "-5", "2-x", "2-3-4"):
        with pytest.raises(UserError, match="is no version of a snapshot: write epoch and train count"):
            parse_version(text)


# --- addresses


@pytest.mark.parametrize("uri", ["", "memory", "file:///x", "dir://relative", "dir:", "http://host"])
def test_an_unknown_address_is_refused(uri):
    with pytest.raises(SettingError, match="is no snapshot store: write memory://, dir:///folder or redis://"):
        open_store(uri)


def test_an_impossible_redis_address_is_refused_without_its_password():
    with pytest.raises(SettingError, match="is no Redis address") as caught:
        open_store("redis://user:secret@host/notanumber?socket_timeout=abc")
    assert "secret" not in str(caught.value)


# --- the folder


@pytest.fixture
def folder(tmp_path):
    store = DirectoryStore(tmp_path)
    store.publish("job", snapshot(1, 1, b"the whole", worker_data=b"part"))
    return tmp_path / "job-job"


def test_what_is_discarded_leaves_no_file(folder):
    DirectoryStore(folder.parent, Retention(1, 0.0)).publish("job", snapshot(1, 2))
    assert sorted(path.name for path in folder.iterdir()) == ["data-1-2", "epoch", "head", "head-1-2", "lock"]


def test_what_a_killed_writer_left_is_no_snapshot_and_goes(folder):
    store = DirectoryStore(folder.parent)
    before = (folder / "head").read_bytes()
    store.publish("job", snapshot(1, 7))
    (folder / "head").write_bytes(before)
    (folder / "data-1-9.tmp").write_bytes(b"half")
    assert [info.version for info in store.versions("job")] == [(1, 1)]
    with pytest.raises(UnknownVersionError):
        store.get("job", (1, 7))
    store.publish("job", snapshot(1, 2))
    assert [path.name for path in folder.iterdir() if path.name.endswith(("7", "tmp"))] == []


def test_a_job_is_not_deleted_while_it_is_written_to(folder):
    store = DirectoryStore(folder.parent)
    deletes = threading.Thread(target=store.delete, args=["job"])
    with store._writing("job"):
        deletes.start()
        deletes.join(0.2)
        assert deletes.is_alive()
    deletes.join(LONG_S)
    assert list(folder.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("file", "method"), [("data-1-1", "latest"), ("worker-1-1", "latest_worker"), ("worker-1-1", "latest")]
)
def test_damaged_bytes_in_a_folder_are_noticed(folder, file, method):
    (folder / file).write_bytes(b"other")
    with pytest.raises(CorruptError, match="is damaged"):
        getattr(DirectoryStore(folder.parent), method)("job")


@pytest.mark.parametrize("head", [b"", b"garbage", b"\x01\0\0\0\x01\0\0\0\0\0\0\0\x01"])
def test_a_damaged_head_in_a_folder_is_noticed(folder, head):
    (folder / "head").write_bytes(head)
    with pytest.raises(CorruptError, match="is damaged"):
        DirectoryStore(folder.parent).latest("job")


def test_a_damaged_epoch_in_a_folder_is_noticed(folder):
    (folder / "epoch").write_bytes(b"many")
    with pytest.raises(CorruptError, match="holds no number"):
        DirectoryStore(folder.parent).claim_epoch("job")


def test_bytes_that_are_gone_are_a_storage_error(folder):
    (folder / "data-1-1").unlink()
    with pytest.raises(StorageError, match="No such file"):
        DirectoryStore(folder.parent).latest("job")


def test_a_damaged_head_of_an_older_snapshot_is_named(folder):
    store = DirectoryStore(folder.parent)
    store.publish("job", snapshot(1, 2))
    (folder / "head-1-1").write_bytes(b"other")
    with pytest.raises(CorruptError, match="head-1-1 is damaged"):
        store.versions("job")
    assert store.latest("job") == snapshot(1, 2)


def test_a_folder_that_may_not_be_used_is_refused_as_that(folder, monkeypatch):
    def fail(*_args):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("os.open", fail)
    with pytest.raises(AccessError, match="Permission denied"):
        DirectoryStore(folder.parent).claim_epoch("job")


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"the snapshot store .*/file cannot be used"):
        DirectoryStore(tmp_path / "file")


def test_a_full_folder_keeps_the_old_snapshot(folder, monkeypatch):
    def fail(_file):
        raise OSError(errno.ENOSPC, "No space left on device")

    store = DirectoryStore(folder.parent)
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", fail)
        with pytest.raises(FullError, match=r"No space left on device; free space there.*SRL_STORE"):
            store.publish("job", snapshot(1, 2))
    assert store.latest_version("job") == (1, 1)
    store.publish("job", snapshot(1, 2))
    assert store.latest("job") == snapshot(1, 2)


def test_a_folder_that_a_snapshot_fills_gets_its_room_back(folder):
    before = sorted(path.name for path in folder.iterdir())
    store = DirectoryStore(folder.parent)
    for count in (2, 3):
        with files_of_at_most(1000), pytest.raises(FullError, match="File too large"):
            store.publish("job", snapshot(1, count, bytes(900), worker_data=bytes(2000)))
    assert sorted(path.name for path in folder.iterdir()) == before
