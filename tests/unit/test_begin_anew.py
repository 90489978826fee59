"""A process that becomes a fresh interpreter: what stays, what goes, and that no signal gets lost on the way."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROGRAM = """
    import atexit, os, signal, sys, time
    from srl_common import service
    from srl_common.service import Again, run
    from srl_common.settings import ServiceSettings

    if {ends}:
        service.end_when_asked()
    print("begun", os.getpid(), os.getcwd(), os.environ.get("AUTHOR"), *sys.argv[1:], flush=True)
    time.sleep(60 if "--long" in sys.argv else 0)  # imports

    def work(stop):
        os.environ["AUTHOR"] = "was here"
        os.chdir("/")
        atexit.register(print, "end of a life", flush=True)
        return {returns}

    sys.exit(run(ServiceSettings(name="it"), work))
"""


@pytest.fixture
def start(tmp_path):
    processes = []

    def start(returns, *, ends=True):
        (tmp_path / "it.py").write_text(textwrap.dedent(PROGRAM.format(returns=returns, ends=ends)))
        process = subprocess.Popen(
            [sys.executable, "it.py", "--flag"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def lines_of(process, count):
    return [process.stdout.readline().rstrip("\n") for _ in range(count)]


def test_a_process_begins_anew_as_it_was_started(start, tmp_path):
    process = start('None if "--done" in sys.argv else Again(("--done",))')
    begun = f"begun {process.pid} {tmp_path} None --flag"
    assert lines_of(process, 4) == [begun, "end of a life", f"{begun} --done", "end of a life"]
    assert process.wait(20) == 0


def test_an_authors_alarm_does_not_ring_in_the_next_life(start):
    process = start(
        'None if "--done" in sys.argv else signal.setitimer(signal.ITIMER_REAL, 0.2) and Again(("--done",))'
    )
    lines_of(process, 4)
    assert process.wait(20) == 0


def signalled_while_it_begins(process):
    lines_of(process, 3)  # begun, end of a life, begun
    process.send_signal(signal.SIGTERM)
    return process


def test_a_signal_that_comes_while_a_process_begins_anew_ends_it_at_once(start):
    assert signalled_while_it_begins(start('Again(("--long",))')).wait(20) == 0


def test_control_otherwise_the_signal_waits_for_the_imports(start):
    process = signalled_while_it_begins(start('Again(("--long",))', ends=False))
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)


def test_a_process_that_is_asked_to_end_does_not_begin_anew(start):
    process = start("os.kill(os.getpid(), 15) or Again()")
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert output.count("begun") == 1
