"""A full disk under the journal: nothing is acknowledged that is not written, and all goes on once there is space."""

import contextlib
import os
import signal
import subprocess

import pytest
from running import HERE, Cluster, until

from srl_common.errors import EXIT_USER

SIZE_BYTES = 64 << 20
LEFT_BYTES = 1 << 20
"""What the ballast leaves for the journal."""
WINDOW = 8


class Disk:
    """A small disk of its own, filled up but for a little."""

    def __init__(self, folder):
        self.folder = folder
        self.journal = folder / "journal"
        self._ballast = folder / "ballast"
        with self._ballast.open("wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, SIZE_BYTES - LEFT_BYTES)

    def free(self):
        self._ballast.unlink()

    def checkpoints(self):
        """Return the checkpoints by name, as they are on the disk."""
        return {path.name: path.read_bytes() for path in self.journal.glob("checkpoint-*")}


@pytest.fixture
def disk(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_BYTES}", "none", str(folder)]
    with contextlib.ExitStack() as stack:
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            pytest.skip("this machine does not let us mount a small disk")
        stack.callback(subprocess.run, ["umount", str(folder)], check=True)
        yield Disk(folder)


def wait_until_full(memory, actor):
    """Wait until the disk refuses what comes again and again, and all credit is used up."""
    until(lambda: memory.metric("srl_journal_failures_total") >= 2, f"the disk is full: {memory.said}")
    until(lambda: actor.metric("srl_chunks_unacked") == WINDOW, "the actor waits")


def check_that_nothing_is_acknowledged(memory, actor):
    applied, steps = memory.metric("srl_applied_chunks_total"), actor.metric("srl_env_steps_total")
    failures = memory.metric("srl_journal_failures_total")
    until(lambda: memory.metric("srl_journal_failures_total") >= failures + 2, "what was refused comes again")
    assert memory.metric("srl_applied_chunks_total") == applied
    assert actor.metric("srl_chunks_unacked") == WINDOW
    assert actor.metric("srl_env_steps_total") == steps > 0
    assert memory.page("/healthz")[0] == 200


def check_books(cluster, memory, learner, actor):
    """All goes on, ends in order, and nothing is missing."""
    applied = memory.metric("srl_applied_chunks_total")
    until(lambda: memory.metric("srl_applied_chunks_total") > applied + 2 * WINDOW, "inserts go on")
    cluster.wait_for_training(learner)
    for service in (actor, learner, memory):
        service.drain()
    books = cluster.books()
    assert books.items > 1000
    assert (books.lost, books.duplicated) == (0, 0)


def test_a_full_disk_makes_actors_wait_and_loses_nothing(tmp_path, disk):
    with Cluster(tmp_path) as cluster:
        cluster.settings["journal_dir"] = disk.journal
        memory, learner, actor = cluster.start_all(window_calls=WINDOW)
        cluster.wait_for_training(learner)
        checkpoints = disk.checkpoints()
        wait_until_full(memory, actor)
        check_that_nothing_is_acknowledged(memory, actor)
        assert disk.checkpoints() == checkpoints != {}
        lines = [line for line in memory.said.splitlines() if "nothing is inserted until this is mended" in line]
        assert len(lines) == 1, "said once"
        assert f"cannot append to the journal in {disk.journal}: No space left on device" in lines[0]
        assert "point SRL_JOURNAL_DIR elsewhere" in lines[0]
        disk.free()
        check_books(cluster, memory, learner, actor)


def test_a_checkpoint_that_finds_no_space_leaves_the_old_one(tmp_path, disk):
    with Cluster(tmp_path) as cluster:
        cluster.settings["journal_dir"] = disk.journal
        memory, learner, actor = cluster.start_all(window_calls=WINDOW, checkpoint_bytes=LEFT_BYTES * 3 // 4)
        cluster.wait_for_training(learner, 1)
        learner.send(signal.SIGSTOP)  # so that a checkpoint is as large as the journal
        checkpoints = disk.checkpoints()
        until(lambda: "the journal goes on without a checkpoint: " in memory.said, "a checkpoint is refused")
        wait_until_full(memory, actor)
        check_that_nothing_is_acknowledged(memory, actor)
        assert disk.checkpoints() == checkpoints != {}
        assert not list(disk.journal.glob("*.tmp"))
        disk.free()
        learner.send(signal.SIGCONT)
        check_books(cluster, memory, learner, actor)


def test_a_memory_service_that_is_killed_while_the_disk_is_full_starts_again(tmp_path, disk):
    with Cluster(tmp_path) as cluster:
        cluster.settings["journal_dir"] = disk.journal
        memory, learner, actor = cluster.start_all(window_calls=WINDOW)
        wait_until_full(memory, actor)
        memory.kill()
        again = cluster.start("memory", window_calls=WINDOW)
        again.wait_until_ready()
        until(lambda: again.metric("srl_journal_failures_total") >= 1, "it refuses as well")
        check_that_nothing_is_acknowledged(again, actor)
        disk.free()
        check_books(cluster, again, learner, actor)


def test_control_without_waiting_for_the_disk_what_was_acknowledged_is_missing(tmp_path, disk):
    with Cluster(tmp_path) as cluster:
        cluster.settings["journal_dir"] = disk.journal
        memory = cluster.start("memory", path=str(HERE / "sabotage" / "disk"), window_calls=WINDOW)
        cluster.start("learner")
        actor = cluster.start("actor")
        until(lambda: os.statvfs(disk.folder).f_bavail == 0, "the disk is full")
        applied = memory.metric("srl_applied_chunks_total")
        until(lambda: memory.metric("srl_applied_chunks_total") > applied + 10 * WINDOW, "inserts go on")
        memory.kill()
        disk.free()
        cluster.start("memory", window_calls=WINDOW)
        assert actor.wait() == EXIT_USER
        assert "was acknowledged, but the journal ends with call" in actor.said
