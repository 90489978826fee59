"""One contract for all snapshot stores, and what only one of them can go wrong with."""

from __future__ import annotations

import errno
import threading

import pytest
import redis
from redis_server import RedisServer

from srl_common.directory_store import DirectoryStore
from srl_common.errors import CorruptError, SettingError, StaleSnapshotError, StorageError
from srl_common.redis_store import RedisStore
from srl_common.snapshots import MemoryStore, Snapshot, open_store

JOB = "a job/with ünusual:name"
META = {"elapsed_s": 1.5, "position": 3, "name": "x", "done": False, "none": None, "raw": b"\0"}


@pytest.fixture(params=["memory", "directory", "redis"])
def uri(request, tmp_path):
    if request.param == "memory":
        return "memory://"
    if request.param == "directory":
        return f"dir://{tmp_path}/store"
    server = request.getfixturevalue("redis_server")
    with redis.Redis.from_url(server.url) as client:
        client.flushall()
    return server.url


@pytest.fixture
def store(uri):
    made = open_store(uri)
    yield made
    made.close()


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


def test_only_the_newest_bytes_are_kept(folder):
    DirectoryStore(folder.parent).publish("job", snapshot(1, 2))
    assert sorted(path.name for path in folder.iterdir()) == ["data-1-2", "epoch", "head", "lock"]


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
        with pytest.raises(StorageError, match=r"No space left on device; free space there.*SRL_STORE"):
            store.publish("job", snapshot(1, 2))
    assert store.latest_version("job") == (1, 1)
    store.publish("job", snapshot(1, 2))
    assert store.latest("job") == snapshot(1, 2)


# --- Redis


def test_a_redis_that_does_not_answer_is_named_without_its_password():
    store = RedisStore("redis://user:secret@127.0.0.1:1/3")
    for call in (store.claim_epoch, store.latest, store.latest_worker, store.latest_version, store.delete):
        with pytest.raises(StorageError, match=r"redis://127\.0\.0\.1:1/3 cannot be used: .*refused") as caught:
            call(JOB)
        assert "secret" not in str(caught.value)
    with pytest.raises(StorageError):
        store.publish(JOB, snapshot(1, 1))
    store.close()


def test_a_redis_that_comes_back_is_used_again(tmp_path):
    server = RedisServer(tmp_path)
    store = open_store(server.url)
    store.publish(JOB, snapshot(1, 1))
    server.stop()
    with pytest.raises(StorageError):
        store.latest_version(JOB)
    server = RedisServer(tmp_path)
    try:
        assert store.latest_version(JOB) is None
        store.publish(JOB, snapshot(1, 2))
    finally:
        store.close()
        server.stop()


def test_a_redis_without_memory_refuses_and_keeps_the_old_snapshot(redis_server):
    store = open_store(redis_server.url)
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
        store.publish(JOB, snapshot(1, 1))
        client.config_set("maxmemory", "1")
        try:
            with pytest.raises(StorageError, match="has memory"):
                store.publish(JOB, snapshot(1, 2))
        finally:
            client.config_set("maxmemory", "0")
    assert store.latest(JOB) == snapshot(1, 1)
    store.close()


def test_a_password_is_used_and_asked_for(tmp_path):
    server = RedisServer(tmp_path, "--requirepass", "secret")
    try:
        for url in (server.url, f"unix://:wrong@{server.socket}"):
            store = open_store(url)
            with pytest.raises(StorageError) as caught:
                store.claim_epoch(JOB)
            assert "wrong" not in str(caught.value).replace("WRONGPASS", "")
            store.close()
        store = open_store(f"unix://:secret@{server.socket}")
        assert store.claim_epoch(JOB) == 1
        store.close()
    finally:
        server.stop()


@pytest.mark.parametrize(("name", "method"), [("data", "latest"), ("worker", "latest_worker"), ("head", "latest")])
def test_damaged_bytes_in_redis_are_noticed(redis_server, name, method):
    store = open_store(redis_server.url)
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
        store.publish(JOB, snapshot(1, 1, worker_data=b"part"))
        client.hset(f"srl:{{{JOB}}}:snapshot", name, b"other")
    with pytest.raises(CorruptError, match="is damaged"):
        getattr(store, method)(JOB)
    store.close()
