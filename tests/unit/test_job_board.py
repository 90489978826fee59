"""One contract for all job boards, and what only one of them can go wrong with."""

from __future__ import annotations

import sqlite3
import threading
import time

import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from redis_server import RedisServer

from srl_common import codec, job_board
from srl_common.directory_board import DirectoryBoard
from srl_common.errors import (
    CorruptError,
    EncodeError,
    SettingError,
    StorageError,
    UnknownJobError,
    UserError,
)
from srl_common.job_board import JobState, open_board
from srl_common.redis_board import RedisBoard
from srl_common.snapshots import open_store

KINDS = ("memory", "directory", "redis")
OVER = (JobState.ENDED, JobState.STOPPED, JobState.FAILED)


def uri_of(kind, request, tmp_path):
    if kind == "memory":
        return "memory://"
    if kind == "directory":
        return f"dir://{tmp_path}/board"
    server = request.getfixturevalue("redis_server")
    server.flush()
    return server.url


@pytest.fixture(params=KINDS)
def uri(request, tmp_path):
    return uri_of(request.param, request, tmp_path)


@pytest.fixture
def board(uri):
    made = open_board(uri)
    yield made
    made.close()


def submit(board, job=b"\0the job", name="my_rl.py", digest="d1"):
    job_id = board.new_id()
    board.submit(job_id, job, name, digest)
    return job_id


# --- the contract


def test_there_is_nothing_at_first(board):
    assert board.take() is None
    assert board.running() is None
    assert board.entries() == []
    with pytest.raises(UnknownJobError, match="there is no job 1: the board has none"):
        board.entry("1")


def test_a_job_waits_begins_and_ends(board):
    before_s = time.time()
    job_id = submit(board)
    waits = board.entry(job_id)
    assert (waits.id, waits.name, waits.digest, waits.state, waits.life) == ("1", "my_rl.py", "d1", "waiting", 0)
    assert waits.snapshot_name == "job-1"
    assert before_s <= waits.submitted_s <= time.time()
    assert (waits.begun_s, waits.ended_s, waits.reason, waits.stop_asked) == (0.0, 0.0, "", False)
    assert board.running() is None
    runs = board.take()
    assert (runs.id, runs.state, runs.life) == (job_id, JobState.RUNNING, 1)
    assert runs.begun_s >= runs.submitted_s
    assert board.take() == board.running() == board.entry(job_id) == runs
    assert board.end(job_id, 1, JobState.ENDED, "max_train_count over")
    over = board.entry(job_id)
    assert (over.state, over.reason) == (JobState.ENDED, "max_train_count over")
    assert over.ended_s >= over.begun_s
    assert board.running() is None
    assert board.take() is None


def test_the_job_itself_comes_back(board):
    whole = bytes(range(256)) * 4096
    assert board.fetch(submit(board, whole)) == whole
    assert board.fetch(submit(board, b"")) == b""


def test_jobs_begin_in_the_order_of_submission(board):
    first, second = board.new_id(), board.new_id()
    assert (first, second) == ("1", "2")
    board.submit(second, b"", "b", "b")
    board.submit(first, b"", "a", "a")
    assert [entry.id for entry in board.entries()] == [second, first]
    for wanted in (second, first):
        assert board.take().id == wanted
        board.end(wanted, 1, JobState.ENDED, "")


def test_ids_are_ordered_as_numbers_and_never_come_again(board):
    ids = [submit(board, digest=f"{number}") for number in range(11)]
    assert ids == [f"{number}" for number in range(1, 12)]
    board.delete("11")
    assert board.new_id() == "12"


@pytest.mark.parametrize("job_id", ["2", "0", "01", "-1", "x", "", "1.0"])
def test_an_id_that_was_not_given_is_refused(board, job_id):
    board.new_id()
    with pytest.raises(UserError, match="none that new_id gave"):
        board.submit(job_id, b"", "", "")
    assert board.entries() == []


def test_an_id_is_taken_once(board):
    job_id = submit(board)
    with pytest.raises(UserError, match="cannot be submitted as 1: that id is taken"):
        board.submit(job_id, b"", "", "")
    assert len(board.entries()) == 1


def test_the_very_same_again_is_posted_once(board):
    job_id = submit(board)
    board.submit(job_id, b"\0the job", "my_rl.py", "d1")
    board.take()
    board.submit(job_id, b"\0the job", "my_rl.py", "d1")
    assert [(entry.id, entry.state) for entry in board.entries()] == [(job_id, JobState.RUNNING)]


@pytest.mark.parametrize("kind", ["directory", "redis"])
def test_a_board_that_lost_its_jobs_gives_no_number_that_has_snapshots(kind, request, tmp_path):
    uri = uri_of(kind, request, tmp_path)
    store = open_store(uri)
    board = open_board(uri)
    for number in (1, 2, 4):
        store.claim_epoch(f"job-{number}")
    assert board.new_id() == "3"
    assert board.submit_once(b"", "", "d") == "5"
    board.close()
    store.close()


def test_a_job_that_is_too_large_is_refused(board, monkeypatch):
    monkeypatch.setattr(job_board, "JOB_BYTES_MAX", 1 << 20)
    job_id = board.new_id()
    board.submit(job_id, b"x" * (1 << 20), "fits", "")
    for put in (
        lambda job: board.submit(board.new_id(), job, "big.py", "d"),
        lambda job: board.submit_once(job, "big.py", "d"),
    ):
        with pytest.raises(UserError, match=r"the job 'big.py' has 1\.5 MiB, a board takes 1 MiB at most"):
            put(b"x" * (3 << 19))
    assert [entry.name for entry in board.entries()] == ["fits"]


def test_what_was_ever_submitted_is_not_submitted_again(board):
    job_id = board.submit_once(b"", "a", "same")
    assert board.submit_once(b"", "a", "same") == job_id
    board.take()
    board.end(job_id, 1, JobState.ENDED, "")
    assert board.submit_once(b"", "a", "same") == job_id
    board.delete(job_id)
    assert board.submit_once(b"", "a", "same") == job_id
    assert board.entries() == []
    other = submit(board, digest="other")
    assert board.submit_once(b"", "a", "other") == other


def test_only_the_running_life_can_end(board):
    job_id = submit(board)
    assert not board.end(job_id, 0, JobState.ENDED, "")
    assert board.entry(job_id).state is JobState.WAITING
    board.take()
    for life in (0, 2):
        assert not board.end(job_id, life, JobState.FAILED, "")
    assert board.end(job_id, 1, JobState.STOPPED, "first")
    assert not board.end(job_id, 1, JobState.FAILED, "second")
    assert board.entry(job_id).reason == "first"
    board.resume(job_id)
    board.take()
    assert not board.end(job_id, 1, JobState.FAILED, "of the life before")
    assert board.end(job_id, 2, JobState.ENDED, "")


def test_a_job_that_waits_is_stopped_at_once(board):
    job_id, other = submit(board), submit(board)
    stopped = board.ask_to_stop(job_id)
    assert (stopped.state, stopped.reason) == (JobState.STOPPED, "stopped before it began")
    assert stopped.ended_s > 0
    assert board.take().id == other


def test_of_a_job_that_runs_the_learner_is_told(board):
    job_id = submit(board)
    board.take()
    assert board.ask_to_stop(job_id) == board.running()
    assert board.running().stop_asked
    board.end(job_id, 1, JobState.STOPPED, "asked to")
    over = board.entry(job_id)
    assert board.ask_to_stop(job_id) == over


def test_a_job_that_is_over_is_resumed_at_the_end_of_the_line(board):
    first, second, third = (submit(board) for _ in range(3))
    board.take()
    board.ask_to_stop(first)
    board.end(first, 1, JobState.STOPPED, "asked to")
    board.take()
    again = board.resume(first)
    assert (again.state, again.life, again.begun_s, again.ended_s) == (JobState.WAITING, 1, 0.0, 0.0)
    assert (again.reason, again.stop_asked) == ("", False)
    board.end(second, 1, JobState.ENDED, "")
    assert board.take().id == third
    board.end(third, 1, JobState.ENDED, "")
    assert (board.take().id, board.running().life) == (first, 2)
    assert [entry.id for entry in board.entries()] == [first, second, third]


def test_a_job_that_is_not_over_is_not_resumed(board):
    job_id = submit(board)
    with pytest.raises(UserError, match="job 1 is waiting: stop it first"):
        board.resume(job_id)
    board.take()
    with pytest.raises(UserError, match="job 1 is running: stop it first"):
        board.resume(job_id)
    with pytest.raises(UserError, match="job 1 is running: stop it first"):
        board.delete(job_id)


def test_reports_are_the_last_of_each_service_and_the_history_is_what_was_kept(board):
    job_id = submit(board)
    assert (board.reports(job_id), board.history(job_id)) == ({}, [])
    before_s = time.time()
    for train_count in range(3):
        board.report(job_id, "learner", {"train_count": train_count, "info": {"loss": 0.5}}, keep=train_count != 1)
    board.report(job_id, "memory", {"clients": {"actor-ü": {"reward": 1.0}}})
    reports = board.reports(job_id)
    assert reports.keys() == {"learner", "memory"}
    assert before_s <= reports["learner"].pop("reported_s") <= time.time()
    assert reports["learner"] == {"train_count": 2, "info": {"loss": 0.5}}
    assert reports["memory"]["clients"] == {"actor-ü": {"reward": 1.0}}
    rows = board.history(job_id)
    assert [(row["service"], row["train_count"]) for row in rows] == [("learner", 0), ("learner", 2)]
    assert rows[0]["reported_s"] <= rows[1]["reported_s"]


@pytest.mark.parametrize("module", ["directory_board", "redis_board"])
def test_the_oldest_of_a_long_history_goes(module, request, tmp_path, monkeypatch):
    monkeypatch.setattr(f"srl_common.{module}.HISTORY_ROWS_MAX", 3)
    board = open_board(uri_of(module.removesuffix("_board"), request, tmp_path))
    job_id, other = submit(board), submit(board)
    board.report(other, "learner", {"n": -1}, keep=True)
    for number in range(5):
        board.report(job_id, "learner", {"n": number}, keep=True)
    assert [row["n"] for row in board.history(job_id)] == [2, 3, 4]
    assert [row["n"] for row in board.history(other)] == [-1]
    board.close()


def test_what_is_no_plain_data_cannot_be_reported(board):
    job_id = submit(board)
    with pytest.raises(EncodeError):
        board.report(job_id, "learner", {"value": object()})
    with pytest.raises(EncodeError):
        board.tune(job_id, {"value": object()})
    assert (board.reports(job_id), board.tuning(job_id)) == ({}, {})


def test_values_are_tuned_one_beside_the_other(board):
    job_id = submit(board)
    assert board.tuning(job_id) == {}
    board.tune(job_id, {"samples_per_insert": 4.0, "other": "off"})
    board.tune(job_id, {"samples_per_insert": 8})
    board.tune(job_id, {})
    assert board.tuning(job_id) == {"samples_per_insert": 8, "other": "off"}


def test_a_deleted_job_is_forgotten_with_all_that_belongs_to_it(board):
    job_id, other = submit(board), submit(board)
    board.report(job_id, "learner", {}, keep=True)
    board.tune(job_id, {"x": 1})
    board.delete(job_id)
    assert [entry.id for entry in board.entries()] == [other]
    assert board.take().id == other
    for call in (board.fetch, board.reports, board.history, board.tuning, board.entry):
        with pytest.raises(UnknownJobError, match="there is no job 1: the board has 2"):
            call(job_id)


def test_an_unknown_job_is_named_with_those_that_are_there(board):
    submit(board)
    submit(board)
    calls = {
        "entry": (),
        "fetch": (),
        "end": (1, JobState.ENDED, ""),
        "ask_to_stop": (),
        "resume": (),
        "delete": (),
        "report": ("learner", {}),
        "reports": (),
        "history": (),
        "tune": ({"x": 1},),
        "tuning": (),
    }
    for method, args in calls.items():
        with pytest.raises(UnknownJobError, match="there is no job 7: the board has 1, 2"):
            getattr(board, method)("7", *args)


def test_a_board_survives_its_object(board, uri):
    if uri == "memory://":
        pytest.skip("memory is what it says")
    job_id = submit(board)
    board.take()
    board.report(job_id, "learner", {"n": 1}, keep=True)
    again = open_board(uri)
    assert again.entries() == board.entries()
    assert again.history(job_id) == board.history(job_id)
    again.close()


# --- many at once


def in_threads(board, uri, work):
    """Run `work` with a board of its own in each of four threads; return what each returned."""
    boards = [board if uri == "memory://" else open_board(uri) for _ in range(4)]
    results = []
    barrier = threading.Barrier(4)

    def run(own):
        barrier.wait()
        results.append(work(own))

    threads = [threading.Thread(target=run, args=[own]) for own in boards]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for own in boards:
        if own is not board:
            own.close()
    return results


def test_of_many_at_once_one_submits(board, uri):
    digests = [f"d{number}" for number in range(4)]
    results = in_threads(board, uri, lambda own: [own.submit_once(b"", "", each) for each in digests])
    assert len(results) == 4
    assert all(result == results[0] for result in results)
    assert sorted(entry.digest for entry in board.entries()) == digests


def test_every_id_is_given_once(board, uri):
    results = in_threads(board, uri, lambda own: [own.new_id() for _ in range(4)])
    assert sorted(int(job_id) for result in results for job_id in result) == list(range(1, 17))


def test_many_that_take_and_end_agree_on_each_life(board, uri):
    for number in range(4):
        submit(board, digest=f"{number}")

    def work(own):
        ended = []
        while (entry := own.take()) is not None:
            if own.end(entry.id, entry.life, JobState.ENDED, ""):
                ended.append(entry.id)
        return ended

    results = in_threads(board, uri, work)
    assert sorted(job_id for result in results for job_id in result) == [f"{number}" for number in range(1, 5)]


# --- any sequence of calls


class Machine(RuleBasedStateMachine):
    """Jobs only move along the arrows, in the order of the line; at most one runs."""

    def __init__(self, board):
        super().__init__()
        self.board = board
        self.jobs = {}
        """By id, in order of submission: [state, life, stop_asked]."""
        self.line = []
        self.last_id = 0
        self.digests = {}

    def pick(self, number):
        return [*self.jobs, "99999"][number % (len(self.jobs) + 1)]

    def call(self, method, job_id, *args, refused=()):
        """Call; expect the error that the model says. Returns (whether it was done, the answer)."""
        wanted = UnknownJobError if job_id not in self.jobs else UserError
        if job_id not in self.jobs or self.jobs[job_id][0] in refused:
            with pytest.raises(wanted):
                getattr(self.board, method)(job_id, *args)
            return False, None
        return True, getattr(self.board, method)(job_id, *args)

    @rule(digest=st.sampled_from("abc"), once=st.booleans())
    def submit(self, digest, once):
        if once:
            job_id = self.board.submit_once(digest.encode(), digest, digest)
            if digest in self.digests:
                assert job_id == self.digests[digest]
                return
        else:
            job_id = self.board.new_id()
            self.board.submit(job_id, digest.encode(), digest, digest)
        self.last_id += 1
        assert job_id == str(self.last_id)
        self.digests.setdefault(digest, job_id)
        self.jobs[job_id] = ["waiting", 0, False]
        self.line.append(job_id)

    @rule()
    def take(self):
        running = self.running()
        if running is None and self.line:
            running = self.line.pop(0)
            self.jobs[running][0] = "running"
            self.jobs[running][1] += 1
        entry = self.board.take()
        assert (entry and entry.id) == running

    @rule(number=st.integers(0, 9), off=st.sampled_from([0, 0, 0, -1, 1]), state=st.sampled_from(OVER))
    def end(self, number, off, state):
        job_id = self.pick(number)
        life = self.jobs[job_id][1] + off if job_id in self.jobs else 1
        done, ended = self.call("end", job_id, life, state, "reason")
        if done:
            assert ended is (self.jobs[job_id][0] == "running" and off == 0)
            if ended:
                self.jobs[job_id][0] = state

    @rule(number=st.integers(0, 9))
    def ask_to_stop(self, number):
        job_id = self.pick(number)
        done, _ = self.call("ask_to_stop", job_id)
        if done and self.jobs[job_id][0] == "waiting":
            self.jobs[job_id][0] = "stopped"
            self.line.remove(job_id)
        elif done and self.jobs[job_id][0] == "running":
            self.jobs[job_id][2] = True

    @rule(number=st.integers(0, 9))
    def resume(self, number):
        job_id = self.pick(number)
        done, _ = self.call("resume", job_id, refused={"waiting", "running"})
        if done:
            self.jobs[job_id][0], self.jobs[job_id][2] = "waiting", False
            self.line.append(job_id)

    @rule(number=st.integers(0, 9))
    def delete(self, number):
        job_id = self.pick(number)
        done, _ = self.call("delete", job_id, refused={"running"})
        if done:
            del self.jobs[job_id]
            self.line = [each for each in self.line if each != job_id]

    def running(self):
        running = [job_id for job_id, (state, _, _) in self.jobs.items() if state == "running"]
        assert len(running) <= 1
        return running[0] if running else None

    @invariant()
    def the_board_is_as_the_model(self):
        entries = self.board.entries()
        found = {entry.id: [entry.state, entry.life, entry.stop_asked] for entry in entries}
        assert list(found.items()) == list(self.jobs.items())
        running = self.board.running()
        assert (running and running.id) == self.running()

    def teardown(self):
        self.board.close()


@pytest.mark.parametrize("kind", KINDS)
def test_any_sequence_of_calls_keeps_to_the_arrows(kind, request, tmp_path):
    runs = iter(range(10**6))

    def machine():
        return Machine(open_board(uri_of(kind, request, tmp_path / f"{next(runs)}")))

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=3 if kind == "directory" else 25,  # each step waits for the disk, and memory is the same SQL
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


# --- addresses


@pytest.mark.parametrize("uri", ["", "memory", "file:///x", "dir://relative", "dir:", "http://host"])
def test_an_unknown_address_is_refused(uri):
    with pytest.raises(SettingError, match="is no job board: write memory://, dir:///folder or redis://"):
        open_board(uri)


def test_an_impossible_redis_address_is_refused_without_its_password():
    with pytest.raises(SettingError, match="is no Redis address") as caught:
        open_board("redis://user:secret@host/notanumber?socket_timeout=abc")
    assert "secret" not in str(caught.value)


# --- the folder


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"the job board .*/file/board.sqlite cannot be used"):
        DirectoryBoard(tmp_path / "file")


def test_a_file_that_is_no_board_is_damaged(tmp_path):
    (tmp_path / "board.sqlite").write_bytes(b"something else, and long enough for a header " * 10)
    with pytest.raises(CorruptError, match="is damaged"):
        DirectoryBoard(tmp_path)


def test_a_board_in_a_folder_without_room_refuses_and_keeps_what_is_there(tmp_path):
    board = DirectoryBoard(tmp_path)
    job_id = submit(board)
    pages = board._database.execute("PRAGMA page_count").fetchone()[0]
    board._database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageError, match="full; free space there"):
        board.submit(board.new_id(), b"x" * 100_000, "", "")
    board._database.execute("PRAGMA max_page_count = 100000")
    assert [entry.id for entry in board.entries()] == [job_id]
    assert submit(board)
    board.close()


@pytest.mark.parametrize(
    ("change", "method"),
    [
        ("UPDATE jobs SET state = 'x'", "entry"),
        ("UPDATE jobs SET life = 'x'", "entry"),
        ("UPDATE reports SET data = x'c1'", "reports"),
        ("UPDATE history SET data = x'c1'", "history"),
        ("UPDATE tuning SET data = x'c1'", "tuning"),
        ("DROP TABLE tuning", "tuning"),
    ],
)
def test_damaged_rows_in_a_folder_are_noticed(tmp_path, change, method):
    board = DirectoryBoard(tmp_path)
    job_id = submit(board)
    board.report(job_id, "learner", {}, keep=True)
    board.tune(job_id, {"x": 1})
    with sqlite3.connect(tmp_path / "board.sqlite", isolation_level=None) as database:
        database.execute(change)
    database.close()
    with pytest.raises(CorruptError, match="damaged"):
        getattr(board, method)(job_id)
    if not change.startswith("DROP"):
        board.delete(job_id)
        assert board.entries() == []
    board.close()


# --- Redis


def test_a_redis_that_does_not_answer_is_named_without_its_password():
    board = RedisBoard("redis://user:secret@127.0.0.1:1/3")
    for call in (board.new_id, board.take, board.running, board.entries, lambda: board.delete("1")):
        with pytest.raises(
            StorageError, match=r"the job board redis://127\.0\.0\.1:1/3 cannot be used: .*refused"
        ) as caught:
            call()
        assert "secret" not in str(caught.value)
    board.close()


def test_a_redis_that_comes_back_is_used_again(tmp_path):
    server = RedisServer(tmp_path)
    board = open_board(server.url)
    submit(board)
    server.stop()
    with pytest.raises(StorageError):
        board.running()
    server = RedisServer(tmp_path)
    try:
        assert board.take() is None
        submit(board)
        assert board.take().id == "1"
    finally:
        board.close()
        server.stop()


def test_a_redis_without_memory_refuses_and_keeps_what_is_there(request, tmp_path, redis_server):
    board = open_board(uri_of("redis", request, tmp_path))
    job_id, next_id = submit(board), board.new_id()
    with redis.Redis.from_url(redis_server.url) as client:
        client.config_set("maxmemory", "1")
        try:
            with pytest.raises(StorageError, match="it is full"):
                board.submit(next_id, b"", "", "")
        finally:
            client.config_set("maxmemory", "0")
    assert [entry.id for entry in board.entries()] == [job_id]
    board.submit(next_id, b"", "", "")
    board.close()


@pytest.mark.parametrize(
    ("command", "method"),
    [
        (("HSET", "srl:board:job:1", "state", "x"), "entry"),
        (("HSET", "srl:board:job:1", "life", "x"), "entry"),
        (("HSET", "srl:board:job:1", "name", b"\xff"), "entry"),
        (("HDEL", "srl:board:job:1", "reason"), "entry"),
        (("HSET", "srl:board:reports:1", "learner", b"\xc1"), "reports"),
        (("RPUSH", "srl:board:history:1", b"\xc1"), "history"),
        (("HSET", "srl:board:tuning:1", "x", b"\xc1"), "tuning"),
    ],
)
def test_damaged_values_in_redis_are_noticed(request, tmp_path, redis_server, command, method):
    board = open_board(uri_of("redis", request, tmp_path))
    submit(board)
    with redis.Redis.from_url(redis_server.url) as client:
        client.execute_command(*command)
    with pytest.raises(CorruptError, match="of job 1 is damaged|of job 1 .*delete the job"):
        getattr(board, method)("1")
    board.delete("1")
    assert board.entries() == []
    board.close()


READS = ("get", "hget", "hmget", "hgetall", "lrange", "exists")


def test_who_may_only_read_can_follow_the_board_and_nothing_else(tmp_path):
    server = RedisServer(tmp_path)
    keys = tmp_path / "keys"
    keys.mkdir()
    write_login(keys, "reader:pass\n")
    board = open_board(server.url)
    try:
        job_id = submit(board)
        running = board.take()
        board.report(job_id, "learner", {"n": 1}, keep=True)
        board.tune(job_id, {"x": 1})
        allowed = [f"+{command}" for command in READS]
        board._redis.execute_command("ACL", "SETUSER", "reader", "on", ">pass", "%R~srl:board:*", *allowed)
        reader = open_board(server.url, str(keys))
        assert reader.running() == reader.entry(job_id) == running
        assert reader.entries() == [running]
        assert reader.fetch(job_id) == b"\0the job"
        assert reader.reports(job_id)["learner"]["n"] == 1
        assert reader.history(job_id)[0]["n"] == 1
        assert reader.tuning(job_id) == {"x": 1}
        for write in (reader.new_id, reader.take, lambda: reader.ask_to_stop(job_id)):
            with pytest.raises(StorageError, match="has no permissions"):
                write()
        reader.close()
        assert board.running() == running
    finally:
        board.close()
        server.stop()


def write_login(folder, text, mode=0o600):
    path = folder / "redis.auth"
    path.write_text(text)
    path.chmod(mode)


@pytest.mark.parametrize(
    ("text", "mode", "says"),
    [("nothing", 0o600, "is not one line user:password"), ("a:b", 0o644, "can be read by others: chmod 600")],
)
def test_a_bad_file_of_the_password_is_named(tmp_path, text, mode, says):
    write_login(tmp_path, text, mode)
    with pytest.raises(SettingError, match=f"SRL_KEYS_DIR: .*redis.auth {says}"):
        open_board("redis://host:1/0", str(tmp_path))


def test_a_file_of_the_password_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "redis.auth").mkdir(mode=0o700)
    with pytest.raises(SettingError, match="SRL_KEYS_DIR: .*redis.auth cannot be read"):
        open_board("redis://host:1/0", str(tmp_path))


def test_a_password_in_the_address_comes_first(tmp_path):
    write_login(tmp_path, "other:other")
    server = RedisServer(tmp_path, "--requirepass", "secret")
    board = open_board(f"unix://:secret@{server.socket}", str(tmp_path))
    try:
        assert board.new_id() == "1"
    finally:
        board.close()
        server.stop()


def test_all_keys_begin_with_the_boards_name(request, tmp_path, redis_server):
    board = open_board(uri_of("redis", request, tmp_path))
    job_id = submit(board)
    submit(board)
    board.take()
    board.report(job_id, "learner", {"data": codec.pack(1)}, keep=True)
    board.tune(job_id, {"x": 1})
    with redis.Redis.from_url(redis_server.url) as client:
        keys = client.keys("*")
    assert len(keys) == 10
    assert all(key.startswith(b"srl:board:") for key in keys)
    board.close()
