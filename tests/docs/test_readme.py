"""README.md and docs/services.md: what they say to type works."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
from markdown import ROOT, blocks

from srl_common.snapshots import open_store

SERVICES = ROOT / "docs" / "services.md"


def run(script, folder):
    return subprocess.run(
        [sys.executable, script], cwd=folder, text=True, capture_output=True, timeout=100, check=True, env=environ()
    ).stdout


def environ(**more):
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def test_the_readmes_examples_run(tmp_path):
    first, second = blocks(ROOT / "README.md", "python")
    (tmp_path / "first.py").write_text(first.replace("timeout=2", "timeout=0.5"))
    rewards = run("first.py", tmp_path).splitlines()[-1]
    assert len(re.findall(r"-?\d+\.\d+", rewards)) == 10
    (tmp_path / "second.py").write_text(second)
    assert "max_steps over" in run("second.py", tmp_path)


def test_make_targets_that_are_named_exist():
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for page in ("README.md", "CONTRIBUTING.md"):
        named = re.findall(r"\bmake (\w+)\s+#|`make (\w+)`", (ROOT / page).read_text())
        assert named
        assert {a or b for a, b in named} <= set(targets)


@pytest.fixture
def socket_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("s")  # short: a unix socket's path is limited


def test_services_started_by_hand_train_and_what_they_learned_is_read_back(tmp_path, socket_folder):
    make_job, use = blocks(SERVICES, "python")
    (tmp_path / "make_job.py").write_text(make_job.replace("timeout=10", "timeout=1"))
    run("make_job.py", tmp_path)
    processes = start(blocks(SERVICES, "bash")[0], tmp_path, socket_folder)
    try:
        wait_until_it_has_trained(tmp_path)
    finally:
        exit_codes = end(processes)
    assert exit_codes == [0, 0, 0, 0]
    (tmp_path / "use.py").write_text(use.replace("/path/to", str(tmp_path)))
    assert "[" in run("use.py", tmp_path)


def start(commands, folder, socket_folder):
    """Start the services that a shell would, at addresses of this test's own."""
    own = {name: f"ipc://{socket_folder}/{name}" for name in ("SRL_MEMORY_URI", "SRL_TRAINER_URI")}
    exported = dict(re.findall(r"(SRL_\w+)=(\S+)", commands.replace("$PWD", str(folder))))
    assert exported.keys() == {"SRL_JOB", "SRL_STORE"}
    lines = re.findall(r"^python (-m services\..*) &$", commands, re.MULTILINE)
    return [
        subprocess.Popen([sys.executable, *line.split()], cwd=folder, env=environ(**exported, **own)) for line in lines
    ]


def wait_until_it_has_trained(folder, timeout_s=30):
    store = open_store(f"dir://{folder}/snapshots")
    end_s = time.monotonic() + timeout_s
    while (store.latest_version("default") or (0, 0))[1] == 0:
        assert time.monotonic() < end_s
        time.sleep(0.05)


def end(processes):
    for process in reversed(processes):
        process.send_signal(signal.SIGTERM)
    return [process.wait(20) for process in processes]
