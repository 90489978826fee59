"""Real services as real children, and the proof that none is left behind."""

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """Services find the tests' algorithms by the path that this process has."""
    monkeypatch.syspath_prepend(str(HERE))


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path, monkeypatch):
    """No process, no temporary folder, no socket file outlives a test."""
    folder = tmp_path / "t"
    folder.mkdir()
    # A short path: a unix socket's has at most 107 bytes.
    monkeypatch.setattr("tempfile.tempdir", f"/tmp/srl-test-{os.getpid()}-{time.monotonic_ns() % 10**6}")
    import tempfile

    os.mkdir(tempfile.tempdir, 0o700)
    before = psutil.Process().children(recursive=True)  # a session's Redis
    yield
    left = os.listdir(tempfile.tempdir)
    for name in left:
        print("left:", name, os.listdir(Path(tempfile.tempdir, name)))
    try:
        assert left == []
        assert psutil.Process().children(recursive=True) == before
    finally:
        import shutil

        shutil.rmtree(tempfile.tempdir)
