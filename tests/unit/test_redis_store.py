"""What only Redis can go wrong with: each fault on a real one."""

from __future__ import annotations

import threading

import pytest
import redis
from redis_server import RedisServer

from srl_common import redis_store
from srl_common.errors import (
    AccessError,
    CorruptError,
    FullError,
    SettingError,
    StaleSnapshotError,
    StorageError,
)
from srl_common.redis_store import RedisStore
from srl_common.retention import Retention
from srl_common.snapshots import Snapshot, open_store

JOB = "job"
LONG_S = 10.0


def snapshot(epoch, train_count, data=b"data", **kwargs):
    return Snapshot.make(epoch, train_count, data, {"created_s": 100.0 + train_count}, **kwargs)


@pytest.fixture
def client(redis_server):
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
        yield client
        client.config_set("maxmemory", "0")


@pytest.fixture
def store(redis_server, client):
    store = RedisStore(redis_server.url)
    yield store
    store.close()


@pytest.fixture
def servers(tmp_path):
    """Start Redis processes, all in one folder, one after the other."""
    made = []

    def start(*args):
        made.append(RedisServer(tmp_path, *args))
        return made[-1]

    yield start
    for server in made:
        server.stop()


def keys(client):
    return sorted(key.decode() for key in client.keys("*"))


# --- pieces


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(redis_store, "PIECE_BYTES", 10)


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 20, 101])
def test_bytes_travel_in_pieces(store, client, small_pieces, size):
    published = snapshot(1, 1, bytes(range(size)), worker_data=bytes(range(size // 2)))
    store.publish(JOB, published)
    assert store.latest(JOB) == published
    assert store.latest_worker(JOB).data == published.worker_data
    assert len(client.keys("*:data:*")) == -(-size // 10)
    assert len(client.keys("*:worker:*")) == -(-(size // 2) // 10)
    assert all(client.ttl(key) == -1 for key in client.keys("*")), "what is stored stays"


def test_what_is_discarded_leaves_no_key(redis_server, client, small_pieces):
    store = RedisStore(redis_server.url, retention=Retention(1, 0.0))
    store.publish(JOB, snapshot(1, 1, bytes(100), worker_data=bytes(100)))
    store.publish(JOB, snapshot(1, 2, b"small"))
    assert len(keys(client)) == len(["epoch", "index", "head", "piece"])
    store.delete(JOB)
    assert keys(client) == []
    store.close()


def test_a_refused_publish_leaves_no_key(store, client, small_pieces):
    store.publish(JOB, snapshot(1, 5))
    before = keys(client)
    with pytest.raises(StaleSnapshotError):
        store.publish(JOB, snapshot(1, 4, bytes(100)))
    store.publish(JOB, snapshot(1, 5))
    assert keys(client) == before


def test_a_reader_and_a_writer_of_many_pieces_do_not_disturb_each_other(redis_server, client, monkeypatch):
    monkeypatch.setattr(redis_store, "PIECE_BYTES", 1000)
    writer, reader = (RedisStore(redis_server.url, retention=Retention(10, 0.0)) for _ in range(2))
    written = threading.Event()

    def write():
        for count in range(1, 80):
            writer.publish(JOB, snapshot(1, count, b"%03d" % count * 5000))
        written.set()

    thread = threading.Thread(target=write)
    thread.start()
    seen = []
    while not written.is_set():
        if (newest := reader.latest(JOB)) is not None:
            assert newest.data == b"%03d" % newest.train_count * 5000
            seen.append(newest.train_count)
    thread.join()
    assert seen == sorted(seen)
    assert len(client.keys("*:data:*")) == 10 * 15
    writer.close()
    reader.close()


def test_a_reader_that_is_overtaken_begins_anew(store, client, monkeypatch):
    store.publish(JOB, snapshot(1, 1, b"old"))
    fetch = store._fetch
    overtaken = []

    def overtake(job, version):
        if not overtaken:
            overtaken.append(version)
            store._discard(job, store.versions(job)[0])
            store.publish(JOB, snapshot(1, 2, b"new"))
        return fetch(job, version)

    monkeypatch.setattr(store, "_fetch", overtake)
    assert store.latest(JOB).data == b"new"
    assert overtaken == [(1, 1)]


def test_a_reader_that_is_overtaken_again_and_again_says_what_to_set(store, client, monkeypatch):
    count = iter(range(1, 1000))

    def overtake(_job, _version):
        store.publish(JOB, snapshot(1, next(count)))

    overtake(JOB, None)
    monkeypatch.setattr(store, "_fetch", overtake)
    with pytest.raises(StorageError, match="before they are fetched: raise SRL_SNAPSHOT_KEEP_LAST"):
        store.latest(JOB)


def test_an_answer_that_was_lost_costs_nothing(store, client, monkeypatch):
    """The script ran, but the learner does not know: it publishes once more, by the same call or by a new one."""
    run = store._redis.eval
    asked = []

    def lose_the_answer(*args):
        answer = run(*args)
        asked.append(answer)
        if len(asked) == 1:
            raise redis.ConnectionError("the connection was lost")
        return answer

    monkeypatch.setattr(store._redis, "eval", lose_the_answer)
    with pytest.raises(StorageError, match="the connection was lost"):
        store.publish(JOB, snapshot(1, 1, b"all of it"))
    store.publish(JOB, snapshot(1, 1, b"all of it"))
    assert [answer[0] for answer in asked] == [b"stored", b"known"]
    assert store.latest(JOB).data == b"all of it"
    assert len(client.keys("*:data:*")) == 1


def test_a_redis_that_goes_between_two_pieces_is_not_filled_by_attempts(store, client, small_pieces, monkeypatch):
    put = store._redis.set
    puts = []

    def lose_the_second(*args, **kwargs):
        puts.append(args)
        if len(puts) == 2:
            raise redis.TimeoutError("no answer")
        return put(*args, **kwargs)

    monkeypatch.setattr(store._redis, "set", lose_the_second)
    with pytest.raises(StorageError, match="no answer"):
        store.publish(JOB, snapshot(1, 1, bytes(100)))
    assert keys(client) == []


def test_a_script_that_runs_twice_stores_once(store, client, monkeypatch):
    run = store._redis.eval
    monkeypatch.setattr(store._redis, "eval", lambda *args: (run(*args), run(*args))[1])
    store.publish(JOB, snapshot(1, 1, b"all of it"))
    assert store.latest(JOB).data == b"all of it"


def test_what_a_killed_publisher_leaves_goes_by_itself(store, client, monkeypatch):
    def killed(*_args):
        raise SystemExit

    monkeypatch.setattr(store, "_commit", killed)
    with pytest.raises(SystemExit):
        store.publish(JOB, snapshot(1, 1))
    (left,) = client.keys("*")
    assert 0 < client.ttl(left) <= redis_store.PIECE_TTL_S
    assert store.latest(JOB) is None


# --- damage


@pytest.mark.parametrize(
    ("pattern", "method"), [("*:data:*", "latest"), ("*:worker:*", "latest_worker"), ("*:head:*", "latest")]
)
def test_damaged_bytes_in_redis_are_noticed(store, client, pattern, method):
    store.publish(JOB, snapshot(1, 1, worker_data=b"part"))
    (key,) = client.keys(pattern)
    client.set(key, b"other")
    with pytest.raises(CorruptError, match="is damaged"):
        getattr(store, method)(JOB)
    store.delete(JOB)
    assert store.latest(JOB) is None


def test_a_damaged_index_is_noticed(store, client):
    client.zadd("srl:{job}:index", {"garbage": 0})
    with pytest.raises(CorruptError, match=r"key srl:\{job\}:index is damaged"):
        store.latest_version(JOB)


@pytest.mark.parametrize("pattern", ["*:data:*", "*:head:*"])
def test_a_part_that_redis_evicted_is_an_error_that_says_so(store, client, pattern):
    store.publish(JOB, snapshot(1, 1))
    client.delete(*client.keys(pattern))
    for fetch in (lambda: store.latest(JOB), lambda: store.latest_worker(JOB), lambda: store.get(JOB, (1, 1))):
        with pytest.raises(StorageError, match="lacks a part of snapshot 1-1 of job; set the maxmemory-policy"):
            fetch()
    assert store.claim_epoch(JOB) == 2


def test_a_part_that_is_evicted_while_it_is_written_is_an_error_that_says_so(store, client, monkeypatch):
    commit = store._commit

    def evict(*args):
        client.delete(*client.keys("*:data:*"))
        return commit(*args)

    with monkeypatch.context() as patch:
        patch.setattr(store, "_commit", evict)
        with pytest.raises(StorageError, match="dropped a part .* noeviction"):
            store.publish(JOB, snapshot(1, 1))
    assert keys(client) == []
    store.publish(JOB, snapshot(1, 1))


# --- full, read-only


def fill(client):
    client.config_set("maxmemory", "1")


def test_a_full_redis_refuses_says_so_and_goes_on_when_there_is_room(store, client, small_pieces):
    store.publish(JOB, snapshot(1, 1))
    before = keys(client)
    fill(client)
    with pytest.raises(FullError, match="it is full: raise its maxmemory, or keep less with SRL_SNAPSHOT_KEEP_LAST"):
        store.publish(JOB, snapshot(1, 2, bytes(100)))
    with pytest.raises(FullError):
        store.claim_epoch(JOB)
    assert keys(client) == before
    assert store.latest(JOB) == snapshot(1, 1)
    client.config_set("maxmemory", "0")
    store.publish(JOB, snapshot(1, 2, bytes(100)))
    assert store.latest_version(JOB) == (1, 2)


def test_a_redis_that_is_filled_by_the_pieces_gets_its_room_back(store, client, monkeypatch):
    commit = store._commit

    def fill_first(*args):
        fill(client)
        return commit(*args)

    with monkeypatch.context() as patch:
        patch.setattr(store, "_commit", fill_first)
        with pytest.raises(FullError, match="it is full"):
            store.publish(JOB, snapshot(1, 1, bytes(100)))
    assert keys(client) == []


def test_a_full_redis_is_emptied_by_who_keeps_less(redis_server, store, client):
    for count in range(1, 6):
        store.publish(JOB, snapshot(1, count))
    fill(client)
    frugal = RedisStore(redis_server.url, retention=Retention(2, 0.0))
    with pytest.raises(FullError):
        frugal.claim_epoch(JOB)
    assert [info.version for info in frugal.versions(JOB)] == [(1, 4), (1, 5)]
    frugal.close()


def test_a_replica_and_a_lone_primary_take_no_writes_but_can_be_read(servers):
    server = servers()
    store = RedisStore(server.url)
    store.publish(JOB, snapshot(1, 1))
    with redis.Redis.from_url(server.url) as client:
        client.config_set("min-replicas-to-write", "1")
        with pytest.raises(StorageError, match="it takes no writes"):
            store.publish(JOB, snapshot(1, 2))
        assert store.latest(JOB) == snapshot(1, 1)
        client.config_set("min-replicas-to-write", "0")
        client.config_set("replica-serve-stale-data", "yes")
        client.replicaof("127.0.0.1", "1")
        with pytest.raises(StorageError, match="it takes no writes: point SRL_STORE at the primary"):
            store.publish(JOB, snapshot(1, 2))
        with pytest.raises(StorageError, match="it takes no writes"):
            store.claim_epoch(JOB)
        assert store.latest(JOB) == snapshot(1, 1)
        client.replicaof("NO", "ONE")
    store.publish(JOB, snapshot(1, 2))
    assert store.latest_version(JOB) == (1, 2)
    store.close()


# --- away, restarted, slow


def test_a_redis_that_does_not_answer_is_named_without_its_password():
    store = RedisStore("redis://user:secret@127.0.0.1:1/3")
    for call in (store.claim_epoch, store.latest, store.latest_worker, store.latest_version, store.delete):
        with pytest.raises(StorageError, match=r"redis://127\.0\.0\.1:1/3 cannot be used: .*refused") as caught:
            call(JOB)
        assert "secret" not in str(caught.value)
    with pytest.raises(StorageError):
        store.publish(JOB, snapshot(1, 1))
    store.close()


def test_a_redis_that_was_restarted_with_its_data_still_refuses_a_stale_learner(servers):
    server = servers("--appendonly", "yes")
    old, new = RedisStore(server.url), RedisStore(server.url)
    assert (old.claim_epoch(JOB), new.claim_epoch(JOB)) == (1, 2)
    new.publish(JOB, snapshot(2, 5))
    server.stop()
    with pytest.raises(StorageError, match="see that Redis runs there"):
        new.latest_version(JOB)
    servers("--appendonly", "yes")
    assert new.latest(JOB) == snapshot(2, 5)
    with pytest.raises(StaleSnapshotError, match="epoch 2 was claimed"):
        old.publish(JOB, snapshot(1, 99))
    new.publish(JOB, snapshot(2, 6))
    for store in (old, new):
        store.close()


def test_a_redis_that_was_restarted_without_its_data_refuses_a_stale_learner_once_the_other_has_published(servers):
    server = servers()
    old, new = RedisStore(server.url), RedisStore(server.url)
    new.publish(JOB, snapshot(2, 5))
    server.stop()
    servers()
    assert new.latest_version(JOB) is None
    new.publish(JOB, snapshot(2, 6))
    with pytest.raises(StaleSnapshotError, match="epoch 2 was claimed"):
        old.publish(JOB, snapshot(1, 99))
    assert new.claim_epoch(JOB) == 3
    for store in (old, new):
        store.close()


def test_a_wait_outlives_a_restart(servers):
    server = servers()
    waiting, writer = RedisStore(server.url), RedisStore(server.url)
    writer.publish(JOB, snapshot(1, 1))
    assert waiting.wait_for_newer(JOB, None, LONG_S) == (1, 1)
    server.stop()
    with pytest.raises(StorageError):
        waiting.wait_for_newer(JOB, (1, 1), LONG_S)
    servers()
    found = []
    waits = threading.Thread(target=lambda: found.append(waiting.wait_for_newer(JOB, (1, 1), LONG_S)))
    waits.start()
    writer.publish(JOB, snapshot(1, 2))
    waits.join(LONG_S)
    assert found == [(1, 2)]
    for store in (waiting, writer):
        store.close()


# --- notifications


class Looks:
    """Counts the looks of a store while another thread waits."""

    def __init__(self, store):
        self.count = 0
        self._look = store.latest_version
        store.latest_version = self

    def __call__(self, job):
        self.count += 1
        return self._look(job)


def follow(store, writer, last):
    """Publish one after the other, each after the one before was seen; return how often it was looked."""
    looks = Looks(store)
    seen = [None]
    for count in range(1, last + 1):
        waits = threading.Thread(target=lambda: seen.append(store.wait_for_newer(JOB, seen[-1], LONG_S)))
        waits.start()
        writer.publish(JOB, snapshot(1, count))
        waits.join(LONG_S)
    assert seen[1:] == [(1, count) for count in range(1, last + 1)]
    return looks.count


def test_a_wait_looks_when_it_is_told_to(redis_server, store, client):
    writer = RedisStore(redis_server.url)
    # Each: once at its begin, once after the answer to SUBSCRIBE or a notification that is late, once after its own.
    assert follow(store, writer, 20) <= 3 * 20
    looks = Looks(store)
    assert store.wait_for_newer(JOB, (1, 20), 1.0) is None
    assert looks.count <= 3
    writer.close()


def test_without_notifications_a_wait_looks_now_and_then(servers, caplog):
    server = servers()
    with redis.Redis.from_url(server.url) as client:
        client.acl_setuser("deaf", enabled=True, nopass=True, keys=["*"], commands=["+@all"], reset_channels=True)
        client.acl_setuser("default", enabled=True, nopass=True, keys=["*"], commands=["+@all", "-publish"])
    deaf, writer = RedisStore(f"unix://deaf:x@{server.socket}"), RedisStore(server.url)
    assert deaf.wait_for_newer(JOB, None, 0.1) is None
    assert follow(deaf, writer, 2) >= 2
    assert caplog.text.count("newer snapshots are looked for 2 times a second") == 1
    deaf.close()
    writer.close()


# --- who may


READER = ["+get", "+zrange", "+subscribe", "+ping", "+hello", "+select", "+auth"]
WRITER = [*READER, "+set", "+del", "+incr", "+eval", "+exists", "+zadd", "+zrem", "+persist", "+publish"]


def test_users_need_no_other_commands_than_these(servers):
    server = servers()
    with redis.Redis.from_url(server.url) as client:
        for name, commands in {"reader": READER, "writer": WRITER, "lister": [*READER, "+scan"]}.items():
            client.acl_setuser(
                name, enabled=True, nopass=True, keys=["srl:*"], commands=["-@all", *commands],
                reset_channels=True, channels=["srl:*"],
            )  # fmt: skip
    writer, reader, lister = (
        RedisStore(f"unix://{name}:x@{server.socket}?db=1", retention=Retention(1, 0.0))
        for name in ("writer", "reader", "lister")
    )
    assert writer.claim_epoch(JOB) == 1
    for count in (1, 2):
        writer.publish(JOB, snapshot(1, count, worker_data=b"part"))
    assert writer.restore(JOB, (1, 2)) == (2, 2)
    assert reader.wait_for_newer(JOB, None, LONG_S) == (2, 2)
    assert reader.wait_for_newer(JOB, (2, 2), 0.5) is None
    assert reader.latest_worker(JOB).data == b"part"
    assert reader.latest(JOB) == reader.get(JOB, (2, 2))
    assert lister.jobs() == [JOB]
    for forbidden in (reader.claim_epoch, reader.delete, lambda job: reader.publish(job, snapshot(3, 1))):
        with pytest.raises(AccessError, match=r"redis\.auth in SRL_KEYS_DIR"):
            forbidden(JOB)
    writer.delete(JOB)
    for store in (writer, reader, lister):
        store.close()


def test_a_password_is_used_and_asked_for(servers, tmp_path):
    server = servers("--requirepass", "secret")
    for url in (server.url, f"unix://:wrong@{server.socket}"):
        store = open_store(url)
        with pytest.raises(AccessError, match="user and password in SRL_STORE") as caught:
            store.claim_epoch(JOB)
        assert "wrong" not in str(caught.value).replace("WRONGPASS", "")
        store.close()
    (tmp_path / "redis.auth").touch(mode=0o600)
    (tmp_path / "redis.auth").write_text("default:secret\n")
    for url, keys_dir in ((f"unix://:secret@{server.socket}", ""), (server.url, str(tmp_path))):
        store = open_store(url, keys_dir)
        assert store.latest(JOB) is None
        store.close()


def test_an_impossible_address_is_refused_without_its_password():
    with pytest.raises(SettingError, match="is no Redis address") as caught:
        open_store("redis://user:secret@host/notanumber?socket_timeout=abc")
    assert "secret" not in str(caught.value)
