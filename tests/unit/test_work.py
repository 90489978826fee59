"""The job of a board as a service's loop sees it, and what is made of failures."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from services.jobs import work as work_module
from services.jobs.lifecycle import explained, remove_journal, remove_other_journals, settings_for, wait_on_board
from services.jobs.work import BoardWork, Work, shortened
from services.learner.service import _next_job
from srl_common.directory_board import MemoryBoard
from srl_common.errors import AuthorError, StorageError, UserError
from srl_common.job_board import JobState
from srl_common.service import Stop
from srl_common.settings import ActorSettings, LearnerSettings, MemorySettings


class FlakyBoard(MemoryBoard):
    """A board that is away while `away` is set."""

    away = False

    def _transaction(self, begin):
        if self.away:
            raise StorageError("the board is away")
        return super()._transaction(begin)


def until(condition, timeout_s=20.0):
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.01)


@pytest.fixture
def board():
    board = FlakyBoard()
    yield board
    board.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(work_module, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(work_module, "REPORT_EVERY_S", 0.0)
    monkeypatch.setattr(work_module, "TAKE_NOTE_EVERY_S", 0.0)


@pytest.fixture
def work(board):
    board.submit(board.new_id(), b"", "a job", "d")
    work = BoardWork(board, board.take(), Stop(5.0))
    yield work
    work.close()


def test_a_job_that_is_over_asks_the_service_to_leave_it(board, work):
    assert not work.stop.asked
    board.end("1", 1, JobState.STOPPED, "")
    until(lambda: work.stop.asked)
    assert work.over


def test_a_later_life_of_a_job_is_another_ones(board, work):
    board.end("1", 1, JobState.STOPPED, "")
    board.resume("1")
    board.take()
    until(lambda: work.stop.asked)
    assert board.running().life == 2
    work.end(JobState.FAILED, "of the life before")
    work.close()
    assert board.running().life == 2


def test_a_job_of_the_same_number_on_a_board_that_lost_its_jobs_is_another_one(board, work):
    begun_s = work._entry.begun_s + 100.0
    with board._writing() as database:
        database.execute("UPDATE jobs SET begun_s = ?", [begun_s])
    until(lambda: work.over)


def test_a_job_that_is_deleted_is_over(board, work):
    board.end("1", 1, JobState.STOPPED, "")
    board.delete("1")
    until(lambda: work.over)


def test_the_wish_to_stop_and_tuned_values_are_seen(board, work):
    board.tune("1", {"samples_per_insert": 4.0})
    board.ask_to_stop("1")
    until(lambda: work.stop_asked and work.tuning)
    assert work.tuning == {"samples_per_insert": 4.0}
    assert not work.stop.asked


def test_the_wish_of_a_callback_is_posted(board, work):
    work.ask_to_stop()
    until(lambda: board.running().stop_asked)


def test_the_first_end_is_posted_with_the_last_report(board, work):
    work.report("learner", {"train_count": 7})
    work.end(JobState.ENDED, "over")
    work.end(JobState.FAILED, "too late")
    until(lambda: work.over)
    assert (board.entry("1").state, board.entry("1").reason) == (JobState.ENDED, "over")
    assert board.reports("1")["learner"]["train_count"] == 7
    work.close()
    assert [row["train_count"] for row in board.history("1")] == [7]


def test_what_the_board_does_not_take_is_posted_when_it_is_back(board, work, caplog):
    board.away = True
    until(lambda: "though its board is not up to date" in caplog.text)
    work.end(JobState.ENDED, "over")
    time.sleep(0.1)
    assert not work.over
    board.away = False
    until(lambda: work.over)
    assert board.entry("1").state is JobState.ENDED
    assert caplog.text.count("the board is away") <= 4  # once for each kind of call


def test_an_end_that_the_board_has_not_taken_yet_is_posted_when_the_service_leaves(board, work, monkeypatch, caplog):
    board.away = True
    until(lambda: "though its board is not up to date" in caplog.text)
    monkeypatch.setattr(work_module, "LOOK_EVERY_S", 60.0)
    work.end(JobState.ENDED, "over")
    until(lambda: "end" in work._failing)
    time.sleep(0.1)  # it waits now
    board.away = False
    work.close()
    assert board.entry("1").state is JobState.ENDED


def test_reports_are_kept_now_and_then(board, work, monkeypatch):
    monkeypatch.setattr(work_module, "KEEP_EVERY_S", 0.05)
    work._next_keep_s = 0.0
    for number in range(3):
        assert work.wants_report("learner")
        work.report("learner", {"n": number})
        until(lambda n=number: board.reports("1").get("learner", {}).get("n") == n)
        time.sleep(0.06)
    assert [row["n"] for row in board.history("1")] == [0, 1, 2]
    board.end("1", 1, JobState.STOPPED, "")
    until(lambda: work.over)
    assert not work.wants_report("learner")


def test_of_an_old_job_reports_are_kept_less_often(board, work, monkeypatch):
    monkeypatch.setattr(work_module, "KEEP_EVERY_S", 0.01)
    work._entry = replace(work._entry, begun_s=time.time() - 1e6)
    work._next_keep_s = 0.0
    for number in range(3):
        work.report("learner", {"n": number})
        until(lambda n=number: board.reports("1").get("learner", {}).get("n") == n)
        time.sleep(0.02)
    assert [row["n"] for row in board.history("1")] == [0]


def test_a_board_that_is_slow_stalls_no_loop(board, work):
    with board._lock:
        work.report("learner", {})
        work.end(JobState.ENDED, "over")
        work.ask_to_stop()
    until(lambda: work.over)


def test_without_a_board_a_job_is_over_when_somebody_asks():
    work = Work(Stop(5.0))
    work.end(JobState.ENDED, "over")
    work.report("learner", {})
    work.ask_to_stop()
    assert not work.wants_report("learner")
    assert not work.stop.asked


def test_a_part_is_asked_to_stop_with_the_whole():
    whole = Stop(-1.0)
    part = Stop(5.0, whole=whole)
    part.ask()
    assert (part.asked, part.overdue, whole.asked) == (True, False, False)
    whole.ask()
    assert part.overdue
    assert Stop(5.0, whole=whole).asked


def test_a_long_reason_keeps_where_it_was_and_its_end():
    text = shortened("Worker.policy failed in the actor:\n" + "line\n" * 10_000 + "ZeroDivisionError")
    assert len(text) < work_module.REASON_LENGTH_MAX
    assert text.startswith("Worker.policy failed in the actor:\n[...]\n")
    assert text.endswith("line\nZeroDivisionError")
    assert shortened("short") == "short"


def test_a_failure_names_its_service():
    assert explained(UserError("no module"), "actor-0") == "actor-0: no module"
    assert explained(AuthorError("actor-0", "Worker.policy", "trace"), "x").startswith("Worker.policy failed in the")


def test_each_life_of_a_job_has_a_journal_of_its_own_and_the_others_go(board, tmp_path):
    board.submit(board.new_id(), b"", "", "d")
    entry = board.take()
    settings = MemorySettings(journal_dir=str(tmp_path), store_job="x")
    own = settings_for(settings, entry)
    name = f"job-1-life-1-{entry.begun_s:.0f}"
    assert (own.journal_dir, own.store_job) == (f"{tmp_path}/{name}", "job-1")
    assert settings_for(ActorSettings(), entry).store_job == "job-1"
    others = ["job-1-life-0-5", "job-12-life-1-5", "job-1-life-1-5"]  # the last: of a board that was lost
    for each in (name, "mine", *others):
        (tmp_path / each).mkdir()
    beside = LearnerSettings(journal_dir=str(tmp_path))  # the memory service hosts the Memory
    remove_other_journals(beside, entry)
    remove_journal(settings_for(beside, entry))
    assert len(list(tmp_path.iterdir())) == 5
    remove_other_journals(settings, entry)
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, "mine"]
    remove_journal(own)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    remove_journal(settings_for(ActorSettings(), entry))


def test_a_learner_that_hosts_the_memory_removes_its_journals(board, tmp_path):
    board.submit(board.new_id(), b"", "", "d")
    settings = LearnerSettings(journal_dir=str(tmp_path), memory_mode="learner")
    own = settings_for(settings, board.take())
    Path(own.journal_dir).mkdir()
    remove_journal(own)
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_is_to_stop_when_the_learner_comes_is_not_begun(board):
    """However it fails: a learner that it ends again and again would never get to stopping it."""
    first, second = (board.submit_once(b"", "", digest) for digest in ("1", "2"))
    assert _next_job(board).id == first
    board.ask_to_stop(first)
    assert _next_job(board) is None
    assert (board.entry(first).state, board.entry(first).reason) == (JobState.STOPPED, "asked to stop")
    assert _next_job(board).id == second


def test_a_board_that_is_away_is_waited_for_and_this_is_said_once(tmp_path, caplog):
    stop, looks = Stop(5.0), []

    def look(_board):
        looks.append(1)
        if len(looks) < 3:
            raise StorageError("no board there")
        return "found"

    settings = ActorSettings(store=f"dir://{tmp_path}", metrics_bind="off")
    assert wait_on_board(settings, stop, look) == "found"
    assert caplog.text.count("waiting for the job board: no board there") == 1


def test_nothing_is_found_when_asked_to_end(tmp_path):
    stop = Stop(5.0)
    threading.Timer(0.1, stop.ask).start()
    assert wait_on_board(ActorSettings(store=f"dir://{tmp_path}", metrics_bind="off"), stop, lambda _: None) is None


def test_services_of_two_lives_of_a_job_have_nothing_in_common(board, work):
    board.end("1", 1, JobState.STOPPED, "")
    board.resume("1")
    next_life = BoardWork(board, board.take(), Stop(5.0))
    assert {work.shared_digest("d"), next_life.shared_digest("d")} == {"life-1-d", "life-2-d"}
    next_life.close()
    assert Work(Stop(5.0)).shared_digest("d") == "d"
