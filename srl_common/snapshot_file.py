"""One snapshot in a file of its own: to keep it, or to carry it to another store."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from srl_common import codec
from srl_common.errors import CorruptError, DecodeError, StorageError
from srl_common.files import write_whole
from srl_common.snapshots import Snapshot

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = b"SRL snapshot 1\n"
"""Begins the file; the SHA-256 of the rest follows, then the rest."""
_DIGEST_BYTES = hashlib.sha256().digest_size


def export_snapshot(snapshot: Snapshot, path: Path) -> None:
    """Write a snapshot to a file, which is there as a whole or not at all. Raises StorageError.

    Args:
        snapshot: with version, `meta` and the part for actors, all of which the file has.
        path: the file; one that is there is replaced.
    """
    content = codec.pack(
        [*snapshot.version, snapshot.digest, snapshot.data, dict(snapshot.meta), snapshot.worker_data],
    )
    try:
        write_whole(path, MAGIC + hashlib.sha256(content).digest() + content)
    except OSError as error:
        raise StorageError(f"cannot write the snapshot to {path}: {error.strerror}") from error


def import_snapshot(path: Path) -> Snapshot:
    """Return the snapshot that `export_snapshot` wrote. Raises StorageError, or CorruptError for another file.

    To have it trained on, publish `snapshot.restored(store.claim_epoch(job))`.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StorageError(f"cannot read the snapshot in {path}: {error.strerror}") from error
    if not data.startswith(MAGIC):
        raise CorruptError(f"{path} is no snapshot that this version can read")
    begin = len(MAGIC) + _DIGEST_BYTES
    content = memoryview(data)[begin:]
    if hashlib.sha256(content).digest() != data[len(MAGIC) : begin]:
        raise CorruptError(f"the snapshot in {path} is damaged: its bytes have another digest")
    return _unpack(content, path)


def _unpack(content: memoryview, path: Path) -> Snapshot:
    try:
        epoch, train_count, digest, data, meta, worker_data = codec.unpack(content, codec.UNLIMITED)
        snapshot = Snapshot(epoch, train_count, digest, data, meta, worker_data)
    except (DecodeError, TypeError, ValueError):
        raise CorruptError(f"{path} is no snapshot that this version can read") from None
    snapshot.verify()
    return snapshot
