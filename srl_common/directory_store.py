"""Snapshots in a folder: for the processes of one machine, or of machines that share it with working locks."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from srl_common.errors import AccessError, CorruptError, FullError, StorageError
from srl_common.files import write_whole
from srl_common.retention import Retention
from srl_common.snapshots import (
    Head,
    Snapshot,
    SnapshotInfo,
    Version,
    check_newer,
    is_newer,
    parse_version,
    restore,
    unknown_version,
    version_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


LOOK_EVERY_S = 0.02
"""How often a wait looks whether `head` was replaced."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DirectoryStore:
    """A store in a folder, for the processes of one machine or of machines that share it with working locks.

    A job has a folder of its own: `epoch`, and for each snapshot that is kept `data-<version>` and perhaps
    `worker-<version>` with the bytes, and `head-<version>` with all the rest. `head` is the newest one's, written
    after all others, in one step: what is newer than that was not finished.
    """

    def __init__(self, folder: Path, retention: Retention | None = None) -> None:
        self._folder = folder
        self._retention = retention or Retention()
        self._never = threading.Event()
        with self._refusals():
            folder.mkdir(parents=True, exist_ok=True)

    def claim_epoch(self, job: str) -> int:
        """Return a new epoch."""
        with self._refusals(), self._writing(job) as folder:
            epoch = _read_epoch(folder) + 1
            write_whole(folder / "epoch", b"%d" % epoch)
            return epoch

    def publish(self, job: str, snapshot: Snapshot) -> None:
        """Store `snapshot`, or raise StaleSnapshotError."""
        with self._refusals(), self._writing(job) as folder:
            claimed = _read_epoch(folder)
            if check_newer(job, snapshot, claimed, _read_head(folder)):
                if snapshot.epoch > claimed:
                    write_whole(folder / "epoch", b"%d" % snapshot.epoch)
                try:
                    _write_snapshot(folder, snapshot)
                finally:
                    self._discard(folder)  # also what was not finished: there may be no room for another attempt

    def _discard(self, folder: Path) -> None:
        """Remove what is not to be kept, and what a writer left that was killed."""
        infos = [head.info for head in _read_heads(folder)]
        kept = {info.version for info in infos} - {info.version for info in self._retention.discards(infos)}
        names = {f"{part}-{version_text(version)}" for part in ("head", "data", "worker") for version in kept}
        for path in folder.iterdir():
            if path.name not in names and path.name not in {"head", "epoch", "lock"}:
                path.unlink()

    def latest_version(self, job: str) -> Version | None:
        """Return the newest version."""
        with self._refusals():
            head = _read_head(job_folder(self._folder, job))
        return None if head is None else head.version

    def wait_for_newer(
        self, job: str, version: Version | None, timeout_s: float, ends: threading.Event | None = None
    ) -> Version | None:
        """Return the newest version when it is newer than `version`, None when it does not come in time."""
        deadline_s = time.monotonic() + timeout_s
        head = job_folder(self._folder, job) / "head"
        ends = ends or self._never
        seen = None
        while True:
            with self._refusals():
                stamp = _stamp(head)
            if stamp != seen and is_newer(newest := self.latest_version(job), version):
                return newest
            seen = stamp
            left_s = deadline_s - time.monotonic()
            if left_s <= 0 or ends.wait(min(left_s, LOOK_EVERY_S)):
                return None

    def latest(self, job: str) -> Snapshot | None:
        """Return the newest snapshot."""
        with self._refusals(), self._reading(job) as (folder, head):
            return None if head is None else _read_snapshot(folder, head)

    def latest_worker(self, job: str) -> Snapshot | None:
        """Return the newest snapshot's part for actors."""
        with self._refusals(), self._reading(job) as (folder, head):
            if head is None:
                return None
            part = "data" if head.worker_digest is None else "worker"
            return head.worker_snapshot(_part_path(folder, part, head.version).read_bytes())

    def versions(self, job: str) -> list[SnapshotInfo]:
        """Return what is kept."""
        with self._refusals(), self._reading(job) as (folder, newest):
            return [] if newest is None else [head.info for head in _read_heads(folder)]

    def get(self, job: str, version: Version) -> Snapshot:
        """Return a snapshot that is kept, or raise UnknownVersionError."""
        with self._refusals(), self._reading(job) as (folder, newest):
            heads = [] if newest is None else _read_heads(folder)
            for head in heads:
                if head.version == version:
                    return _read_snapshot(folder, head)
        raise unknown_version(job, version, [head.info for head in heads])

    def restore(self, job: str, version: Version) -> Version:
        """Make a snapshot that is kept the newest."""
        return restore(self, job, version)

    def jobs(self) -> list[str]:
        """Return the names of jobs."""
        with self._refusals():
            return sorted(unquote(path.name.removeprefix("job-")) for path in self._folder.glob("job-*"))

    def delete(self, job: str) -> None:
        """Forget `job`."""
        folder = job_folder(self._folder, job)
        away = folder.with_name(f".{folder.name}")
        with self._refusals(), contextlib.suppress(FileNotFoundError), _locked(folder, os.O_RDWR, fcntl.LOCK_EX):
            shutil.rmtree(away, ignore_errors=True)  # left by one who was killed
            folder.rename(away)  # in one step: who reads or writes meets all of it or nothing
            shutil.rmtree(away)

    def close(self) -> None:
        """Do nothing: files are open only while a method runs."""

    @contextlib.contextmanager
    def _writing(self, job: str) -> Iterator[Path]:
        folder = job_folder(self._folder, job)
        folder.mkdir(exist_ok=True)
        with _locked(folder, os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX):
            yield folder

    @contextlib.contextmanager
    def _reading(self, job: str) -> Iterator[tuple[Path, Head | None]]:
        folder = job_folder(self._folder, job)
        if _read_head(folder) is None:
            yield folder, None
            return
        with _locked(folder, os.O_RDONLY, fcntl.LOCK_SH):
            yield folder, _read_head(folder)

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            kind = FullError if error.errno in NO_ROOM else StorageError
            if isinstance(error, PermissionError):
                kind = AccessError
            raise kind(
                f"the snapshot store {self._folder} cannot be used: {error.strerror}; "
                "free space there, allow writing, or point SRL_STORE elsewhere"
            ) from error


def job_folder(folder: Path, job: str) -> Path:
    """Return where in a store's folder the snapshots of a job are."""
    return folder / f"job-{quote(job, safe='')}"


def _write_snapshot(folder: Path, snapshot: Snapshot) -> None:
    head = Head.of(snapshot)
    for name, data in {"data": snapshot.data, "worker": snapshot.worker_data, "head": head.pack()}.items():
        if data is not None:
            write_whole(_part_path(folder, name, head.version), data)
    write_whole(folder / "head", head.pack())


def _read_snapshot(folder: Path, head: Head) -> Snapshot:
    worker_data = None if head.worker_digest is None else _part_path(folder, "worker", head.version).read_bytes()
    return head.snapshot(_part_path(folder, "data", head.version).read_bytes(), worker_data)


def _read_heads(folder: Path) -> list[Head]:
    """Return the heads of all snapshots that were finished, the newest last."""
    newest = _read_head(folder)
    versions = sorted(parse_version(path.name.removeprefix("head-")) for path in folder.glob("head-*[0-9]"))
    paths = [_part_path(folder, "head", version) for version in versions]
    heads = [Head.unpack(path.read_bytes(), str(path)) for path in paths]
    return [head for head in heads if newest is not None and head.version <= newest.version]


def _stamp(path: Path) -> tuple[int, ...] | None:
    """Return what changes when a file is replaced."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_ino


def _part_path(folder: Path, name: str, version: Version) -> Path:
    return folder / f"{name}-{version_text(version)}"


def _read_head(folder: Path) -> Head | None:
    try:
        data = (folder / "head").read_bytes()
    except FileNotFoundError:
        return None
    return Head.unpack(data, str(folder))


def _read_epoch(folder: Path) -> int:
    try:
        return int((folder / "epoch").read_bytes())
    except FileNotFoundError:
        return 0
    except ValueError:
        raise CorruptError(f"{folder / 'epoch'} holds no number: write the highest epoch that was used") from None


@contextlib.contextmanager
def _locked(folder: Path, flags: int, kind: int) -> Iterator[None]:
    file = os.open(folder / "lock", flags | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(file, kind)
        yield
    finally:
        os.close(file)
