"""Snapshots in a folder: for the processes of one machine, or of machines that share it with working locks."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from typing import TYPE_CHECKING
from urllib.parse import quote

from srl_common.errors import CorruptError, StorageError
from srl_common.snapshots import Head, Snapshot, Version, check_newer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class DirectoryStore:
    """A store in a folder, for the processes of one machine or of machines that share it with working locks.

    A job has a folder of its own: `epoch`, `head` (all of the newest snapshot but its bytes), and in
    `data-<version>` and `worker-<version>` the bytes. The `head` is written after its bytes, in one step.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with self._refusals():
            folder.mkdir(parents=True, exist_ok=True)

    def claim_epoch(self, job: str) -> int:
        """Return a new epoch."""
        with self._refusals(), self._writing(job) as folder:
            epoch = _read_epoch(folder) + 1
            _write_whole(folder / "epoch", b"%d" % epoch)
            return epoch

    def publish(self, job: str, snapshot: Snapshot) -> None:
        """Store `snapshot`, or raise StaleSnapshotError."""
        with self._refusals(), self._writing(job) as folder:
            claimed = _read_epoch(folder)
            if check_newer(job, snapshot, claimed, _read_head(folder)):
                if snapshot.epoch > claimed:
                    _write_whole(folder / "epoch", b"%d" % snapshot.epoch)
                _write_snapshot(folder, snapshot)

    def latest_version(self, job: str) -> Version | None:
        """Return the newest version."""
        with self._refusals():
            head = _read_head(self._job_folder(job))
        return None if head is None else head.version

    def latest(self, job: str) -> Snapshot | None:
        """Return the newest snapshot."""
        with self._refusals(), self._reading(job) as (folder, head):
            if head is None:
                return None
            worker_data = None if head.worker_digest is None else _part_path(folder, "worker", head).read_bytes()
            return head.snapshot(_part_path(folder, "data", head).read_bytes(), worker_data)

    def latest_worker(self, job: str) -> Snapshot | None:
        """Return the newest snapshot's part for actors."""
        with self._refusals(), self._reading(job) as (folder, head):
            if head is None:
                return None
            part = "data" if head.worker_digest is None else "worker"
            return head.worker_snapshot(_part_path(folder, part, head).read_bytes())

    def delete(self, job: str) -> None:
        """Forget `job`."""
        with self._refusals(), contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._job_folder(job))

    def close(self) -> None:
        """Do nothing: files are open only while a method runs."""

    @contextlib.contextmanager
    def _writing(self, job: str) -> Iterator[Path]:
        folder = self._job_folder(job)
        folder.mkdir(exist_ok=True)
        with _locked(folder, os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX):
            yield folder

    @contextlib.contextmanager
    def _reading(self, job: str) -> Iterator[tuple[Path, Head | None]]:
        folder = self._job_folder(job)
        if _read_head(folder) is None:
            yield folder, None
            return
        with _locked(folder, os.O_RDONLY, fcntl.LOCK_SH):
            yield folder, _read_head(folder)

    def _job_folder(self, job: str) -> Path:
        return self._folder / f"job-{quote(job, safe='')}"

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(
                f"the snapshot store {self._folder} cannot be used: {error.strerror}; "
                "free space there, allow writing, or point SRL_STORE elsewhere"
            ) from error


def _write_snapshot(folder: Path, snapshot: Snapshot) -> None:
    head = Head.of(snapshot)
    parts = {"data": snapshot.data, "worker": snapshot.worker_data}
    kept = {_part_path(folder, name, head): data for name, data in parts.items() if data is not None}
    for path, data in kept.items():
        _write_whole(path, data)
    _write_whole(folder / "head", head.pack())
    for path in {*folder.glob("data-*"), *folder.glob("worker-*")} - kept.keys():
        path.unlink()


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a crash leaves the old or the new one."""
    temporary = path.with_name(f"{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)


def _part_path(folder: Path, name: str, head: Head) -> Path:
    return folder / f"{name}-{head.epoch}-{head.train_count}"


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
