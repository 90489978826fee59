"""The journal on real files: it survives kills and full disks, and refuses what is damaged."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys

import pytest

from srl_common.errors import CorruptError, InternalError, StorageError
from srl_common.journal import Journal


def records(journal):
    return [[bytes(frame) for frame in record] for record in journal.replay()]


def reopened(folder):
    with Journal(folder) as journal:
        return records(journal)


@pytest.fixture
def journal(tmp_path):
    with Journal(tmp_path / "journal") as made:
        yield made


@pytest.fixture
def file(tmp_path):
    """A closed journal's file, with three records."""
    with Journal(tmp_path / "journal") as journal:
        for number in range(3):
            journal.append([b"record", b"%d" % number * 10])
    return tmp_path / "journal" / "journal-00000000"


WRITTEN = [[b"record", b"0" * 10], [b"record", b"1" * 10], [b"record", b"2" * 10]]


def test_records_come_back_in_order(journal, tmp_path):
    written = [[], [b""], [b"a", b"", b"bc"], [memoryview(b"view")], [b"x" * 100_000]]
    for frames in written:
        journal.append(frames)
    assert journal.records == 5
    assert journal.size_bytes == (tmp_path / "journal" / "journal-00000000").stat().st_size
    journal.close()
    assert reopened(tmp_path / "journal") == [[bytes(frame) for frame in frames] for frames in written]


def test_a_record_of_more_frames_than_one_call_writes(journal):
    journal.append([b"%d" % i for i in range(3000)])
    assert records(journal)[0][2999] == b"2999"


def test_replaying_again_gives_the_same(file):
    with Journal(file.parent) as journal:
        assert records(journal) == records(journal) == WRITTEN


def test_records_must_be_replayed_before_anything_is_added(file):
    with Journal(file.parent) as journal:
        for add in (journal.append, journal.checkpoint):
            with pytest.raises(InternalError, match="must be replayed"):
                add([b"more"])
        records(journal)
        journal.append([b"more"])
    assert reopened(file.parent) == [*WRITTEN, [b"more"]]


def test_a_kill_loses_nothing_that_was_appended(tmp_path):
    program = """
import os, signal, sys
from pathlib import Path
from srl_common.journal import Journal
journal = Journal(Path(sys.argv[1]))
for number in range(100):
    journal.append([b"%d" % number])
os.kill(os.getpid(), signal.SIGKILL)
"""
    child = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, timeout=60)
    assert child.returncode == -signal.SIGKILL
    assert reopened(tmp_path) == [[b"%d" % number] for number in range(100)]


def test_a_checkpoint_replaces_the_records(journal, tmp_path):
    assert journal.read_checkpoint() is None
    journal.append([b"before"])
    journal.checkpoint([b"state", b"x" * 10_000])
    assert (journal.size_bytes, journal.records) == (0, 0)
    journal.append([b"after"])
    journal.close()
    with Journal(tmp_path / "journal") as again:
        assert again.read_checkpoint() == [b"state", b"x" * 10_000]
        assert records(again) == [[b"after"]]
        assert sorted(path.name for path in (tmp_path / "journal").iterdir()) == [
            "checkpoint-00000001",
            "journal-00000001",
            "lock",
        ]


def test_checkpoints_follow_each_other(journal):
    for number in range(3):
        journal.checkpoint([b"%d" % number])
    assert journal.read_checkpoint() == [b"2"]


@pytest.mark.parametrize("step", ["write", "open journal", "rename"])
def test_a_checkpoint_that_fails_leaves_the_old_state(journal, tmp_path, monkeypatch, step):
    journal.checkpoint([b"old"])
    journal.append([b"record"])

    def fail(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        if step == "write":
            patch.setattr(os, "writev", fail)
        elif step == "open journal":
            patch.setattr(journal, "_open_journal", fail)
        else:
            patch.setattr("pathlib.Path.rename", fail)
        with pytest.raises(StorageError, match=r"cannot write a checkpoint in .*No space left.*SRL_JOURNAL_DIR"):
            journal.checkpoint([b"new"])
    journal.append([b"later"])
    journal.close()
    with Journal(tmp_path / "journal") as again:
        assert again.read_checkpoint() == [b"old"]
        assert records(again) == [[b"record"], [b"later"]]
        assert len(list((tmp_path / "journal").iterdir())) == 3


class Killed(BaseException):
    pass


@pytest.mark.parametrize("step", ["_write_file", "_open_journal", "rename", "_sync_folder", "_remove"])
def test_a_crash_at_any_step_of_a_checkpoint_leaves_the_old_or_the_new(tmp_path, monkeypatch, step):
    def crash(*_args):
        raise Killed

    journal = Journal(tmp_path)
    journal.append([b"zero"])
    journal.checkpoint([b"old"])
    journal.append([b"record"])
    with monkeypatch.context() as patch:
        where = {"_open_journal": journal, "_remove": journal}.get(step)
        if where is not None:
            patch.setattr(where, step, crash)
        elif step == "rename":
            patch.setattr("pathlib.Path.rename", crash)
        else:
            patch.setattr(f"srl_common.journal.{step}", crash)
        with pytest.raises(Killed):
            journal.checkpoint([b"new"])
    journal.close()
    with Journal(tmp_path) as again:
        state = again.read_checkpoint(), records(again)
        is_new = step in {"_sync_folder", "_remove"}
        assert state == (([b"new"], []) if is_new else ([b"old"], [[b"record"]]))
        assert len(list(tmp_path.iterdir())) == 3


def test_a_torn_end_is_cut_and_counted(file):
    with file.open("r+b") as journal:
        journal.truncate(file.stat().st_size - 1)
    with Journal(file.parent) as journal:
        assert journal.cut_bytes > 0
        assert records(journal) == WRITTEN[:2]
        journal.append([b"more"])
    assert reopened(file.parent) == [*WRITTEN[:2], [b"more"]]


@pytest.mark.parametrize("zeros", [1, 19, 20, 4096, 3 << 20])
def test_zeros_at_the_end_are_cut(file, zeros):
    with file.open("ab") as journal:
        journal.write(bytes(zeros))
    with Journal(file.parent) as journal:
        assert journal.cut_bytes == zeros
        assert records(journal) == WRITTEN


def test_a_record_of_which_only_the_length_reached_the_disk_is_cut(file):
    data = file.read_bytes()
    third = len(data) // 3
    file.write_bytes(data[: 2 * third + 25] + bytes(third - 25) + bytes(4096))
    assert reopened(file.parent) == WRITTEN[:2]


def flip(path, offset):
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x10
    path.write_bytes(data)


@pytest.mark.parametrize("offset", [0, 5, 13, 17, 30])
def test_damage_before_the_end_is_an_error_that_names_the_place(file, offset):
    flip(file, offset)
    with pytest.raises(CorruptError, match=r"journal-00000000 is damaged at byte (0|20), and more follows"):
        Journal(file.parent)


def test_damage_while_it_is_open_is_noticed(file):
    with Journal(file.parent) as journal:
        flip(file, 30)
        with pytest.raises(CorruptError):
            records(journal)


@pytest.mark.parametrize("offset", [0, 5, 10, 18, 25, -1])
def test_a_damaged_checkpoint_is_an_error(tmp_path, offset):
    with Journal(tmp_path) as journal:
        journal.checkpoint([b"state" * 10])
    flip(tmp_path / "checkpoint-00000001", offset)
    with Journal(tmp_path) as journal, pytest.raises(CorruptError, match="checkpoint-00000001 is damaged"):
        journal.read_checkpoint()


def test_a_cut_checkpoint_is_an_error(tmp_path):
    with Journal(tmp_path) as journal:
        journal.checkpoint([b"state"])
    (tmp_path / "checkpoint-00000001").write_bytes(b"SRJ1")
    with Journal(tmp_path) as journal, pytest.raises(CorruptError, match="is damaged"):
        journal.read_checkpoint()


def test_a_journal_whose_checkpoint_is_gone_is_an_error(tmp_path):
    with Journal(tmp_path) as journal:
        journal.checkpoint([b"state"])
        journal.append([b"record"])
    (tmp_path / "checkpoint-00000001").unlink()
    with pytest.raises(CorruptError, match="journal-00000001 has records, but its checkpoint is gone"):
        Journal(tmp_path)


def test_a_folder_belongs_to_one_journal_at_a_time(journal, tmp_path):
    with pytest.raises(StorageError, match="in use by another process"):
        Journal(tmp_path / "journal")
    journal.close()
    journal.close()
    Journal(tmp_path / "journal").close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"cannot open the journal in .*file/journal"):
        Journal(tmp_path / "file" / "journal")


def test_an_append_that_fails_leaves_whole_records(journal, tmp_path, monkeypatch):
    journal.append([b"first"])
    real_writev = os.writev

    def half(file, parts):
        real_writev(file, [b"".join(parts)[:10]])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "writev", half)
        with pytest.raises(StorageError, match=r"cannot append to the journal in .*No space left.*free space"):
            journal.append([b"lost"])
    assert journal.records == 1
    journal.append([b"second"])
    journal.close()
    assert reopened(tmp_path / "journal") == [[b"first"], [b"second"]]


def test_a_disk_that_cannot_even_cut_is_cut_by_the_next_append(journal, monkeypatch):
    real_writev = os.writev

    def half(file, parts):
        real_writev(file, [b"".join(parts)[:10]])
        raise OSError(errno.EIO, "Input/output error")

    def fail(*_args):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "writev", half)
        patch.setattr(os, "ftruncate", fail)
        for _ in range(2):
            with pytest.raises(StorageError, match="Input/output error"):
                journal.append([b"lost"])
    journal.append([b"second"])
    assert records(journal) == [[b"second"]]


def test_a_short_write_is_finished(journal, monkeypatch):
    real_writev = os.writev
    monkeypatch.setattr(os, "writev", lambda file, parts: real_writev(file, [b"".join(parts)[:10]]))
    journal.append([b"in two pieces"])
    assert records(journal) == [[b"in two pieces"]]


def test_a_file_that_may_not_grow_refuses_and_goes_on_when_it_may(tmp_path):
    program = """
import resource, signal, sys
from pathlib import Path
from srl_common.errors import StorageError
from srl_common.journal import Journal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = resource.getrlimit(resource.RLIMIT_FSIZE)
with Journal(Path(sys.argv[1])) as journal:
    journal.append([b"first"])
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        journal.append([bytes(2000)])
    except StorageError as error:
        assert "File too large" in str(error), error
    else:
        raise SystemExit("the limit did not hold")
    resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    journal.append([b"second"])
"""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, timeout=60)
    assert reopened(tmp_path) == [[b"first"], [b"second"]]


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(journal):
    while True:
        journal.append([bytes(50_000)])


def test_a_full_disk_refuses_and_goes_on_when_there_is_room(small_disk):
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(600_000))
    with Journal(small_disk / "journal") as journal:
        journal.checkpoint([b"old"])
        with pytest.raises(StorageError, match="No space left on device"):
            fill(journal)
        written = journal.records
        assert written > 0
        with pytest.raises(StorageError, match="No space left on device"):
            journal.checkpoint([bytes(300_000)])
        ballast.unlink()
        journal.append([b"again"])
    with Journal(small_disk / "journal") as journal:
        assert journal.read_checkpoint() == [b"old"]
        assert len(records(journal)) == written + 1


@pytest.mark.parametrize(
    ("fsync", "synced"),
    [("always", [1, 2, 2, 2, 3, 3, 3]), ("interval", [0, 0, 1, 1, 1, 2, 2]), ("never", [0] * 7)],
)
def test_when_the_disk_is_forced(tmp_path, monkeypatch, fsync, synced):
    calls = []
    real_sync = os.fdatasync
    with Journal(tmp_path, fsync, fsync_interval_s=2.0) as journal:
        monkeypatch.setattr(os, "fdatasync", lambda file: (calls.append(file), real_sync(file)))
        steps = [
            lambda: journal.append([b"a"]),
            lambda: journal.append([b"b"]),
            lambda: journal.sync(10.0),
            lambda: journal.sync(11.0),
            lambda: journal.append([b"c"]),
            lambda: journal.sync(12.0),
            lambda: journal.sync(99.0),
        ]
        seen = []
        for step in steps:
            step()
            seen.append(len(calls))
    assert seen == synced


def test_closing_forces_what_is_left(tmp_path, monkeypatch):
    calls = []
    journal = Journal(tmp_path)
    journal.append([b"a"])
    monkeypatch.setattr(os, "fdatasync", calls.append)
    journal.close()
    assert len(calls) == 1


def test_a_disk_that_cannot_be_forced_is_an_error(tmp_path, monkeypatch):
    def fail(_file):
        raise OSError(errno.EIO, "Input/output error")

    journal = Journal(tmp_path, "always")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fail)
        with pytest.raises(StorageError, match="Input/output error"):
            journal.append([b"not promised"])
    journal.close()
    assert reopened(tmp_path) == []


def test_what_was_written_is_counted_whatever_a_checkpoint_cuts(journal):
    journal.append([b"a" * 100])
    before = journal.appended_bytes
    assert before == journal.size_bytes > 100
    journal.checkpoint([b"all"])
    journal.append([b"b" * 100])
    assert (journal.appended_records, journal.appended_bytes) == (2, 2 * before)
    assert journal.records == 1


def test_every_forcing_of_the_disk_is_timed(tmp_path):
    with Journal(tmp_path, "always") as journal:
        for _ in range(3):
            journal.append([b"a"])
        assert journal.fsync_seconds.count == 3
        assert journal.fsync_seconds.sum > 0


def test_the_disk_says_how_full_it_is(journal, monkeypatch):
    free, size = journal.disk_bytes()
    assert 0 <= free <= size

    def fail(_folder):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "statvfs", fail)
    with pytest.raises(StorageError, match="cannot look at the disk"):
        journal.disk_bytes()
