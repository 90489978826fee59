"""A snapshot in a file: what is read is what was written, or an error."""

import hashlib

import pytest
from no_room import files_of_at_most

from srl_common import codec
from srl_common.errors import CorruptError, StorageError
from srl_common.memory_store import MemoryStore
from srl_common.snapshot_file import MAGIC, export_snapshot, import_snapshot
from srl_common.snapshots import Snapshot

META = {"created_s": 1.5, "name": "x", "raw": b"\0", "none": None}


@pytest.mark.parametrize("worker_data", [None, b"", b"part"])
@pytest.mark.parametrize("size", [0, 5, 100_000])
def test_what_is_exported_is_imported(tmp_path, size, worker_data):
    snapshot = Snapshot.make(3, 7, bytes(size), META, worker_data)
    for _ in range(2):
        export_snapshot(snapshot, tmp_path / "file")
    assert import_snapshot(tmp_path / "file") == snapshot
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_it_goes_on_in_another_store(tmp_path):
    store = MemoryStore()
    store.publish("job", Snapshot.make(1, 99, b"other"))
    export_snapshot(Snapshot.make(3, 7, b"all of it"), tmp_path / "file")
    store.publish("job", import_snapshot(tmp_path / "file").restored(store.claim_epoch("job")))
    newest = store.latest("job")
    assert (newest.version, newest.data, newest.meta["restored_from"]) == ((2, 7), b"all of it", "3-7")


def test_every_flipped_byte_is_noticed(tmp_path):
    path = tmp_path / "file"
    export_snapshot(Snapshot.make(3, 7, b"all of it", META, b"part"), path)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(CorruptError, match="file is|in .*file is damaged"):
            import_snapshot(path)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(CorruptError):
            import_snapshot(path)


@pytest.mark.parametrize("content", [b"", b"\xff", codec.pack([1, 2]), codec.pack("text")])
def test_what_is_whole_but_no_snapshot_is_refused(tmp_path, content):
    (tmp_path / "file").write_bytes(MAGIC + hashlib.sha256(content).digest() + content)
    with pytest.raises(CorruptError, match="is no snapshot that this version can read"):
        import_snapshot(tmp_path / "file")


def test_a_snapshot_with_another_digest_is_refused(tmp_path):
    export_snapshot(Snapshot(1, 2, "0" * 64, b"other"), tmp_path / "file")
    with pytest.raises(CorruptError, match="is damaged"):
        import_snapshot(tmp_path / "file")


def test_a_file_that_cannot_be_used_is_named(tmp_path):
    with pytest.raises(StorageError, match="cannot write the snapshot to .*/nowhere/file: No such file"):
        export_snapshot(Snapshot.make(1, 1, b""), tmp_path / "nowhere" / "file")
    with pytest.raises(StorageError, match="cannot read the snapshot in .*/none: No such file"):
        import_snapshot(tmp_path / "none")


def test_a_disk_without_room_keeps_the_old_file_and_nothing_else(tmp_path):
    old = Snapshot.make(1, 1, b"old")
    export_snapshot(old, tmp_path / "file")
    with files_of_at_most(1000), pytest.raises(StorageError, match="file: File too large"):
        export_snapshot(Snapshot.make(1, 2, bytes(2000)), tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert import_snapshot(tmp_path / "file") == old
