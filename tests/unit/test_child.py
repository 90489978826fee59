"""One service as a child: what it says is passed on, what ends it is told, what it reports is raised."""

import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "process"))

import misbehaving

from services.clusters import child as module
from services.clusters.child import Child
from services.jobs.job import Job
from srl.base.context import RunContext
from srl.base.env.config import EnvConfig
from srl_common.errors import AuthorError, InternalError, UserError
from srl_common.settings import MemorySettings

LONG_S = 20.0


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Make memory services as children, none of which outlives the test."""
    monkeypatch.syspath_prepend(str(Path(misbehaving.__file__).parent))
    monkeypatch.syspath_prepend(str(tmp_path))
    made, before = [], psutil.Process().children()  # a session's Redis

    def make_child(raises_in="", **settings):
        config = misbehaving.Config(raises_in=raises_in)
        Job.of(RunContext(env_config=EnvConfig("Grid"), rl_config=config)).save(tmp_path / "job")
        values = {
            "job": str(tmp_path / "job"),
            "name": "memory",
            "memory_uri": f"ipc://{tmp_path}/m",
            "trainer_uri": f"ipc://{tmp_path}/t",
            "metrics_bind": "off",
            "journal": "off",
            "report_file": str(tmp_path / "report"),
            "exit_with_stdin": True,
            **settings,
        }
        said = []
        child = Child("memory", MemorySettings(**values), said.append)
        child.said = said
        made.append(child)
        return child

    yield make_child
    for child in made:
        child.kill()
    assert psutil.Process().children() == before


def until(condition):
    end_s = time.monotonic() + LONG_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def wait_until_it_serves(child, tmp_path):
    until(lambda: (tmp_path / "m").exists() or not child.running)
    assert child.running, child.said


def revive_when_ended(child):
    until(lambda: not child.running)
    child.revive()


def test_a_child_runs_and_ends_when_asked(make, tmp_path):
    child = make()
    wait_until_it_serves(child, tmp_path)
    pid = child.pid
    child.revive()
    assert (child.pid, child.restarts, child.running) == (pid, 0, True)
    child.ask_to_end()
    child.end(LONG_S)
    child.check_end()
    assert not child.running
    child.kill()


def test_it_is_in_a_session_of_its_own_and_has_no_other_settings(make, tmp_path, monkeypatch):
    monkeypatch.setenv("SRL_NONSENSE", "1")
    child = make()
    wait_until_it_serves(child, tmp_path)
    assert os.getsid(child.pid) != os.getsid(0)


@pytest.mark.parametrize(
    ("number", "cause"), [(signal.SIGKILL, "SIGKILL"), (signal.SIGTERM, "a request to end that was not ours")]
)
def test_what_a_signal_ended_is_started_anew_and_this_is_said(make, tmp_path, number, cause):
    child = make()
    wait_until_it_serves(child, tmp_path)
    pid = child.pid
    os.kill(pid, number)
    revive_when_ended(child)
    assert child.said[-1] == f"memory was ended by {cause}: started anew"
    assert child.running
    assert (child.restarts, child.pid == pid) == (1, False)


def test_one_that_is_ended_again_and_again_is_given_up(make, monkeypatch):
    monkeypatch.setattr(module, "RESTARTS_MAX", 2)
    child = make()
    for _ in range(2):
        os.kill(child.pid, signal.SIGKILL)
        revive_when_ended(child)
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(UserError, match="memory is ended by SIGKILL again and again: is there enough memory"):
        revive_when_ended(child)


def test_restarts_long_ago_do_not_count(make, monkeypatch):
    monkeypatch.setattr(module, "RESTARTS_MAX", 1)
    monkeypatch.setattr(module, "RESTARTS_WINDOW_S", 0.0)
    child = make()
    for _ in range(3):
        os.kill(child.pid, signal.SIGKILL)
        revive_when_ended(child)
    assert child.restarts == 3


def test_an_exception_of_the_author_is_raised_with_hook_and_traceback(make):
    child = make(raises_in="Memory.setup")
    with pytest.raises(AuthorError, match="Memory.setup failed in the memory:\nTraceback") as caught:
        revive_when_ended(child)
    assert caught.value.hook == "Memory.setup"
    assert "ZeroDivisionError: by zero in Memory.setup" in caught.value.traceback_text
    assert not any("ZeroDivisionError" in line for line in child.said), "the report is raised, not said"


def test_a_users_mistake_is_raised_with_the_name_of_the_service(make):
    child = make(job="/nowhere")
    with pytest.raises(UserError, match="memory: SettingError: SRL_JOB=/nowhere: No such file"):
        revive_when_ended(child)


@pytest.mark.parametrize(
    ("exit_code", "kind", "says"),
    [
        (70, InternalError, "^exit code 70 without a report"),
        (78, UserError, "memory: exit code 78 without a report"),
        (1, InternalError, "memory was ended from within, such as by os._exit: exit code 1 without a report"),
    ],
)
def test_an_end_without_a_report_is_an_error_too(make, tmp_path, exit_code, kind, says):
    (tmp_path / "sitecustomize.py").write_text(f"import os; os._exit({exit_code})")
    child = make()
    with pytest.raises(kind, match=says):
        revive_when_ended(child)


def test_what_the_peer_said_to_it_is_no_reason_to_give_up(make, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import os; os._exit(76)")
    child = make()
    until(lambda: not child.running)
    (tmp_path / "sitecustomize.py").unlink()
    child.revive()
    assert child.said == ["memory was ended by what another service said to it: started anew"]


def test_what_it_prints_is_passed_on_with_its_name(make, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("print('a word of the author\\n\\n')")
    child = make()
    wait_until_it_serves(child, tmp_path)
    child.kill()
    assert child.said[0] == "[memory] a word of the author"
    assert "[memory] " not in child.said


def test_one_that_does_not_end_is_killed_and_this_is_said(make, tmp_path):
    child = make()
    wait_until_it_serves(child, tmp_path)
    os.kill(child.pid, signal.SIGSTOP)
    child.ask_to_end()
    child.end(0.0)
    assert child.said[-1] == "memory did not end within 0 s and was killed"
    child.check_end()


def test_a_failure_while_it_drains_is_raised(make):
    child = make(raises_in="Memory.setup")
    until(lambda: not child.running)
    child.ask_to_end()
    child.end(LONG_S)
    with pytest.raises(AuthorError):
        child.check_end()


def test_it_ends_with_its_parents_end_of_standard_input(make, tmp_path):
    child = make()
    wait_until_it_serves(child, tmp_path)
    child._process.stdin.close()
    until(lambda: not child.running)
