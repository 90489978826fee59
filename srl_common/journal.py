"""An append-only record log in a folder: what was appended survives kill -9, a checkpoint replaces it.

Files of generation g: `checkpoint-g`, the state when it began (none for 0), and `journal-g`, records since.
Both hold records: a header with checksums, then a table of frames and the frames. What a crash leaves undone
at the end of a journal is cut off when it is opened; damage anywhere else is an error, never skipped.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import time
import zlib
from typing import TYPE_CHECKING, Literal, Self, TypeAlias

from srl_common import codec
from srl_common.errors import CorruptError, InternalError, StorageError
from srl_common.histogram import SECONDS, Histogram

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from srl_common.codec import Frame

Fsync: TypeAlias = Literal["always", "interval", "never"]

_HEADER = struct.Struct("<4sQII")  # magic, bytes of the payload, its crc32, crc32 of the header before it
_CHECKED = struct.Struct("<4sQI")
_MAGIC = b"SRJ1"
_TEMPORARY = "checkpoint.tmp"
_READ_BYTES = 1 << 20
_IOV_MAX = os.sysconf("SC_IOV_MAX")


class Journal:
    """The journal in `folder`, which is made if needed and belongs to this object until `close`.

    Args:
        folder: where the files are; no other process may have it open (StorageError).
        fsync: when appended records are forced to the disk, which only a power loss makes matter: with each
            "always", by `sync` at an "interval", or "never".
        fsync_interval_s: seconds between two of them with "interval".

    Raises StorageError when the disk refuses, CorruptError when a file is damaged other than by a crash.
    """

    def __init__(self, folder: Path, fsync: Fsync = "interval", fsync_interval_s: float = 1.0) -> None:
        self._folder = folder
        self._fsync = fsync
        self._fsync_interval_s = fsync_interval_s
        self._synced_s = float("-inf")
        self._unsynced = False
        self._torn = False
        self.size_bytes = 0
        """Of the records since the checkpoint."""
        self.records = 0
        """Records since the checkpoint."""
        self.cut_bytes = 0
        """What was cut off the end when the journal was opened."""
        self.appended_records = self.appended_bytes = 0
        """By this object, whatever checkpoints have cut."""
        self.fsync_seconds = Histogram(SECONDS)
        self._file = -1
        self._generation = 0
        self._replayed = False
        with self._refusals("open the journal"):
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(folder)
        try:
            with self._refusals("open the journal"):
                self._open()
        except BaseException:
            self.close()
            raise

    # --- appending

    def append(self, frames: Sequence[Frame]) -> None:
        """Write one record. Raises StorageError when the disk refuses: nothing was appended then."""
        self._check_replayed()
        record = _record(frames)
        size = sum(memoryview(part).nbytes for part in record)
        with self._refusals("append to the journal"):
            self._write(record)
        self.size_bytes += size
        self.records += 1
        self.appended_bytes += size
        self.appended_records += 1

    def sync(self, now_s: float) -> None:
        """Force what was appended to the disk if that is due.

        Args:
            now_s: seconds of any monotonic clock.
        """
        due = now_s - self._synced_s >= self._fsync_interval_s
        if due and self._unsynced and self._fsync == "interval":
            with self._refusals("force the journal to the disk"):
                self._force()
            self._synced_s = now_s
            self._unsynced = False

    def _write(self, record: list[Frame]) -> None:
        if self._torn:
            self._cut()
        self._torn = True
        try:
            _write_all(self._file, record)
            if self._fsync == "always":
                self._force()
        except OSError:
            with contextlib.suppress(OSError):  # the next append cuts if this one cannot
                self._cut()
            raise
        self._torn = False
        self._unsynced = True

    def _force(self) -> None:
        start_s = time.perf_counter()
        os.fdatasync(self._file)
        self.fsync_seconds.observe(time.perf_counter() - start_s)

    def _cut(self) -> None:
        os.ftruncate(self._file, self.size_bytes)
        self._torn = False

    def disk_bytes(self) -> tuple[int, int]:
        """Return what is free on the disk of the folder, and its size. Raises StorageError."""
        with self._refusals("look at the disk"):
            disk = os.statvfs(self._folder)
        return disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize

    # --- reading

    def read_checkpoint(self) -> list[Frame] | None:
        """Return the frames of the checkpoint, None when there is none. Raises CorruptError."""
        if self._generation == 0:
            return None
        path = self._checkpoint_path(self._generation)
        with self._refusals("read the checkpoint"):
            data = path.read_bytes()
        payload_bytes = _read_header(data[: _HEADER.size])
        if payload_bytes is None or payload_bytes != len(data) - _HEADER.size:
            raise CorruptError(f"{path} is damaged at byte 0: restore it from a copy, or remove the folder")
        payload = memoryview(data)[_HEADER.size :]
        if not _is_whole(data[: _HEADER.size], payload):
            raise CorruptError(f"{path} is damaged after byte {_HEADER.size}: restore it, or remove the folder")
        return codec.split_frames(payload)

    def replay(self) -> Iterator[list[Frame]]:
        """Yield the records since the checkpoint, oldest first; to be read to the end before appending."""
        with self._refusals("read the journal"):
            for _, payload in self._read_records(self.size_bytes):
                yield codec.split_frames(payload)
        self._replayed = True

    def _read_records(self, end: int) -> Iterator[tuple[int, bytes]]:
        """Yield (where it ends, payload) of each whole record, up to a torn one. Raises CorruptError."""
        offset = 0
        while offset < end:
            header = os.pread(self._file, _HEADER.size, offset)
            payload_bytes = _read_header(header)
            start = offset + _HEADER.size
            if payload_bytes is None:
                self._expect_torn_header(offset, end)
                return
            if start + payload_bytes > end:
                return
            payload = os.pread(self._file, payload_bytes, start)
            offset = start + payload_bytes
            if not _is_whole(header, payload):
                if self._last_byte(offset, end) > offset:
                    raise self._damaged(start)
                return
            yield offset, payload

    def _expect_torn_header(self, offset: int, end: int) -> None:
        """Raise CorruptError unless less than a header is left, but for zeros that a power loss leaves."""
        if self._last_byte(offset, end) - offset >= _HEADER.size:
            raise self._damaged(offset)

    def _last_byte(self, offset: int, end: int) -> int:
        """Return where the zeros begin that the file ends with, at least `offset`."""
        while end > offset:
            begin = max(offset, end - _READ_BYTES)
            rest = os.pread(self._file, end - begin, begin).rstrip(b"\0")
            if rest:
                return begin + len(rest)
            end = begin
        return offset

    def _damaged(self, offset: int) -> CorruptError:
        return CorruptError(
            f"{self._journal_path(self._generation)} is damaged at byte {offset}, and more follows: "
            "restore it from a copy; to go on with what is before, cut it there (truncate -s)"
        )

    # --- checkpoints

    def checkpoint(self, frames: Sequence[Frame]) -> None:
        """Replace checkpoint and records by `frames`. Raises StorageError; nothing is lost then."""
        self._check_replayed()
        old, new = self._generation, self._generation + 1
        with self._refusals("write a checkpoint"):
            file = self._write_checkpoint(frames, new)
        os.close(self._file)
        self._file, self._generation = file, new
        self.size_bytes = self.records = 0
        self._torn = self._unsynced = False
        with self._refusals("write a checkpoint"):
            _sync_folder(self._folder)
            self._remove(old)

    def _write_checkpoint(self, frames: Sequence[Frame], generation: int) -> int:
        """Write the files of `generation`, the rename last. Returns its journal."""
        temporary = self._folder / _TEMPORARY
        file = -1
        try:
            _write_file(temporary, _record(frames))
            file = self._open_journal(generation)
            temporary.rename(self._checkpoint_path(generation))
        except OSError:
            if file >= 0:
                os.close(file)
            self._journal_path(generation).unlink(missing_ok=True)
            temporary.unlink(missing_ok=True)
            raise
        return file

    # --- files

    def _open(self) -> None:
        checkpoints, journals = (
            _generations(self._folder, "checkpoint"),
            _generations(self._folder, "journal"),
        )
        self._generation = max(checkpoints, default=0)
        self._check_orphans(journals)
        (self._folder / _TEMPORARY).unlink(missing_ok=True)
        for generation in {*checkpoints, *journals} - {self._generation}:
            self._remove(generation)
        self._file = self._open_journal(self._generation)
        _sync_folder(self._folder)
        self._count_records()
        self._replayed = self.records == 0

    def _check_orphans(self, journals: list[int]) -> None:
        # An empty journal without its checkpoint is what a crash before the rename leaves.
        for generation in journals:
            if generation > self._generation and self._journal_path(generation).stat().st_size:
                raise CorruptError(
                    f"{self._journal_path(generation)} has records, but its checkpoint is gone: "
                    "restore it from a copy, or remove the folder"
                )

    def _count_records(self) -> None:
        end = os.fstat(self._file).st_size
        for offset, _ in self._read_records(end):
            self.size_bytes = offset
            self.records += 1
        self.cut_bytes = end - self.size_bytes
        if self.cut_bytes:
            self._cut()

    def _remove(self, generation: int) -> None:
        self._checkpoint_path(generation).unlink(missing_ok=True)
        self._journal_path(generation).unlink(missing_ok=True)

    def _open_journal(self, generation: int) -> int:
        return os.open(self._journal_path(generation), os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def _checkpoint_path(self, generation: int) -> Path:
        return self._folder / f"checkpoint-{generation:08}"

    def _journal_path(self, generation: int) -> Path:
        return self._folder / f"journal-{generation:08}"

    @contextlib.contextmanager
    def _refusals(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(
                f"cannot {what} in {self._folder}: {error.strerror}; "
                "free space there, or point SRL_JOURNAL_DIR elsewhere"
            ) from error

    def _check_replayed(self) -> None:
        if not self._replayed:
            raise InternalError(f"the records in {self._folder} must be replayed before anything is added")

    def close(self) -> None:
        """Force all to the disk (unless fsync is "never") and give the folder free. May be called twice."""
        try:
            with self._refusals("force the journal to the disk"):
                if self._unsynced and self._fsync != "never":
                    os.fdatasync(self._file)
        finally:
            self._release()

    def _release(self) -> None:
        for file in (self._file, self._lock):
            if file >= 0:
                os.close(file)
        self._file = self._lock = -1
        self._unsynced = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _record(frames: Sequence[Frame]) -> list[Frame]:
    """Return the parts of a record: its header, the table of its frames, the frames."""
    payload = [codec.frame_table(frames), *frames]
    checksum = payload_bytes = 0
    for part in payload:
        checksum = zlib.crc32(part, checksum)
        payload_bytes += memoryview(part).nbytes
    checked = _CHECKED.pack(_MAGIC, payload_bytes, checksum)
    return [checked + zlib.crc32(checked).to_bytes(4, "little"), *payload]


def _read_header(header: bytes) -> int | None:
    """Return how many bytes of payload follow; None when this is no header."""
    if len(header) < _HEADER.size:
        return None
    magic, payload_bytes, _, checksum = _HEADER.unpack(header)
    if magic != _MAGIC or checksum != zlib.crc32(header[: _CHECKED.size]):
        return None
    return int(payload_bytes)


def _is_whole(header: bytes, payload: Frame) -> bool:
    return bool(_HEADER.unpack(header)[2] == zlib.crc32(payload))


def _write_all(file: int, parts: list[Frame]) -> None:
    if len(parts) > _IOV_MAX:
        parts = [b"".join(parts)]
    written = os.writev(file, parts)
    if written == sum(memoryview(part).nbytes for part in parts):
        return
    rest = memoryview(b"".join(parts))[written:]
    while rest:
        rest = rest[os.write(file, rest) :]


def _write_file(path: Path, parts: list[Frame]) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        _write_all(file, parts)
        os.fsync(file)
    finally:
        os.close(file)


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _generations(folder: Path, kind: str) -> list[int]:
    numbers = [path.name.removeprefix(f"{kind}-") for path in folder.glob(f"{kind}-*")]
    return [int(number) for number in numbers if number.isdecimal()]


def _lock(folder: Path) -> int:
    file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise StorageError(
            f"{folder} is in use by another process: end that one, or point SRL_JOURNAL_DIR elsewhere"
        ) from None
    return file
