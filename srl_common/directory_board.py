"""A job board in a folder, or in this process alone: a small SQLite database, whose locks and journal make it safe."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

from srl_common import codec
from srl_common.directory_store import job_folder
from srl_common.errors import CorruptError, StorageError, UnknownJobError
from srl_common.job_board import (
    FIELDS,
    HISTORY_ROWS_MAX,
    JobEntry,
    JobState,
    check_size,
    pack_report,
    refused_id,
    refused_in,
    snapshot_name,
    to_entry,
    unknown_job,
    unpack_history,
    unpack_plain,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FILE = "board.sqlite"
LOCK_TIMEOUT_S = 30.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS ids (id INTEGER PRIMARY KEY AUTOINCREMENT);
CREATE TABLE IF NOT EXISTS digests (digest TEXT PRIMARY KEY, id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS jobs (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    place INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    state TEXT NOT NULL,
    life INTEGER NOT NULL DEFAULT 0,
    submitted_s REAL NOT NULL,
    begun_s REAL NOT NULL DEFAULT 0.0,
    ended_s REAL NOT NULL DEFAULT 0.0,
    reason TEXT NOT NULL DEFAULT '',
    stop_asked INTEGER NOT NULL DEFAULT 0,
    job BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS one_runs ON jobs (state) WHERE state = 'running';
CREATE TABLE IF NOT EXISTS reports (id TEXT, service TEXT, data BLOB NOT NULL, PRIMARY KEY (id, service));
CREATE TABLE IF NOT EXISTS history (row INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS history_of ON history (id, row);
CREATE TABLE IF NOT EXISTS tuning (id TEXT, name TEXT, data BLOB NOT NULL, PRIMARY KEY (id, name));
"""
"""`jobs.place` is where a job waits in the line: after all that were put there before."""

_ENTRY = f"SELECT id, {', '.join(FIELDS)} FROM jobs"  # noqa: S608  our own names
_DAMAGED = ("malformed", "not a database", "no such table", "no such column", "disk image")


class SqliteBoard:
    """A board in an SQLite database, with one connection for all threads.

    Args:
        database: its file.
        where: for errors.
    """

    def __init__(self, database: str, where: str) -> None:
        self._where = where
        self._lock = threading.Lock()
        with self._refusals():
            self._database = sqlite3.connect(
                database, timeout=LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            try:
                self._database.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}COMMIT;")
            except sqlite3.Error:
                self._database.close()
                raise

    # --- the line

    def new_id(self) -> str:
        """Return an id that no job has had."""
        with self._writing() as database:
            return self._new_id(database)

    def _new_id(self, database: sqlite3.Connection) -> str:
        while True:
            job_id = str(database.execute("INSERT INTO ids DEFAULT VALUES").lastrowid)
            if not self._has_snapshots(job_id):
                return job_id

    def _has_snapshots(self, _job_id: str) -> bool:
        return False

    def submit(self, job_id: str, job: bytes, name: str, digest: str) -> None:
        """Put a job at the end of the line."""
        check_size(job, name)
        with self._writing() as database:
            given = database.execute("SELECT 1 FROM ids WHERE CAST(id AS TEXT) = ?", [job_id]).fetchone()
            taken = database.execute("SELECT digest FROM jobs WHERE id = ?", [job_id]).fetchone()
            if taken == (digest,):
                return
            if taken or not given:
                raise refused_id(job_id)
            _submit(database, job_id, job, name, digest)

    def submit_once(self, job: bytes, name: str, digest: str) -> str:
        """Put a job at the end of the line unless one with this digest was ever there."""
        check_size(job, name)
        with self._writing() as database:
            known = database.execute("SELECT id FROM digests WHERE digest = ?", [digest]).fetchone()
            if known:
                return str(known[0])
            job_id = self._new_id(database)
            _submit(database, job_id, job, name, digest)
            return job_id

    def take(self) -> JobEntry | None:
        """Return the running job, or let the oldest that waits begin."""
        with self._writing() as database:
            database.execute(
                "UPDATE jobs SET state = 'running', life = life + 1, begun_s = ? WHERE position = "
                "(SELECT position FROM jobs WHERE state = 'waiting' ORDER BY place LIMIT 1) "
                "AND NOT EXISTS (SELECT 1 FROM jobs WHERE state = 'running')",
                [time.time()],
            )
            return self._running(database)

    def end(self, job_id: str, life: int, state: JobState, reason: str) -> bool:
        """Say that the running job is over."""
        with self._writing() as database:
            self._entry(database, job_id)
            change = database.execute(
                "UPDATE jobs SET state = ?, reason = ?, ended_s = ? WHERE id = ? AND life = ? AND state = 'running'",
                [str(state), reason, time.time(), job_id, life],
            )
            return change.rowcount > 0

    def ask_to_stop(self, job_id: str) -> JobEntry:
        """Ask for the end of a job."""
        with self._writing() as database:
            state = self._entry(database, job_id).state
            if state is JobState.WAITING:
                database.execute(
                    "UPDATE jobs SET state = 'stopped', reason = 'stopped before it began', ended_s = ? WHERE id = ?",
                    [time.time(), job_id],
                )
            elif state is JobState.RUNNING:
                database.execute("UPDATE jobs SET stop_asked = 1 WHERE id = ?", [job_id])
            return self._entry(database, job_id)

    def resume(self, job_id: str) -> JobEntry:
        """Put a job that is over at the end of the line again."""
        with self._writing() as database:
            state = self._entry(database, job_id).state
            if state in {JobState.WAITING, JobState.RUNNING}:
                raise refused_in(state, job_id)
            database.execute(
                "UPDATE jobs SET state = 'waiting', submitted_s = ?, begun_s = 0.0, ended_s = 0.0, reason = '', "
                "stop_asked = 0, place = (SELECT MAX(place) + 1 FROM jobs) WHERE id = ?",
                [time.time(), job_id],
            )
            return self._entry(database, job_id)

    def delete(self, job_id: str) -> None:
        """Forget a job that is not running."""
        with self._writing() as database:
            found = database.execute("SELECT state FROM jobs WHERE id = ?", [job_id]).fetchone()
            if found is None:
                raise self._unknown(database, job_id)
            if found == (JobState.RUNNING,):
                raise refused_in(JobState.RUNNING, job_id)
            for table in ("jobs", "reports", "history", "tuning"):
                database.execute(f"DELETE FROM {table} WHERE id = ?", [job_id])  # noqa: S608  our own names

    # --- what is there

    def running(self) -> JobEntry | None:
        """Return the running job."""
        with self._reading() as database:
            return self._running(database)

    def entry(self, job_id: str) -> JobEntry:
        """Return what is known of a job."""
        with self._reading() as database:
            return self._entry(database, job_id)

    def entries(self) -> list[JobEntry]:
        """Return all jobs, oldest first."""
        with self._reading() as database:
            return [to_entry(row[0], row[1:]) for row in database.execute(f"{_ENTRY} ORDER BY position")]

    def fetch(self, job_id: str) -> bytes:
        """Return the job itself."""
        with self._reading() as database:
            self._entry(database, job_id)
            return bytes(database.execute("SELECT job FROM jobs WHERE id = ?", [job_id]).fetchone()[0])

    # --- how it is going

    def report(self, job_id: str, service: str, counters: Mapping[str, Any], *, keep: bool = False) -> None:
        """Say how a job is going."""
        data, row = pack_report(service, counters)
        with self._writing() as database:
            self._entry(database, job_id)
            database.execute("INSERT OR REPLACE INTO reports VALUES (?, ?, ?)", [job_id, service, data])
            if keep:
                database.execute("INSERT INTO history (id, data) VALUES (?, ?)", [job_id, row])
                database.execute(
                    "DELETE FROM history WHERE id = ? AND row <= "
                    "(SELECT row FROM history WHERE id = ? ORDER BY row DESC LIMIT 1 OFFSET ?)",
                    [job_id, job_id, HISTORY_ROWS_MAX],
                )

    def reports(self, job_id: str) -> dict[str, dict[str, Any]]:
        """Return the last report of each service."""
        return self._unpack_pairs("SELECT service, data FROM reports WHERE id = ?", job_id, "the reports")

    def history(self, job_id: str) -> list[dict[str, Any]]:
        """Return the reports that were kept, oldest first."""
        with self._reading() as database:
            self._entry(database, job_id)
            found = database.execute("SELECT data FROM history WHERE id = ? ORDER BY row", [job_id]).fetchall()
        return unpack_history([row for (row,) in found], job_id)

    def tune(self, job_id: str, values: Mapping[str, Any]) -> None:
        """Set values that services look at."""
        packed = [(job_id, name, codec.pack(value)) for name, value in values.items()]
        with self._writing() as database:
            self._entry(database, job_id)
            database.executemany("INSERT OR REPLACE INTO tuning VALUES (?, ?, ?)", packed)

    def tuning(self, job_id: str) -> dict[str, Any]:
        """Return the values set by `tune`."""
        return self._unpack_pairs("SELECT name, data FROM tuning WHERE id = ?", job_id, "the tuning")

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()

    def _unpack_pairs(self, query: str, job_id: str, what: str) -> dict[str, Any]:
        with self._reading() as database:
            self._entry(database, job_id)
            pairs = database.execute(query, [job_id]).fetchall()
        return {name: unpack_plain(data, f"{what} of job {job_id}") for name, data in pairs}

    def _running(self, database: sqlite3.Connection) -> JobEntry | None:
        row = database.execute(f"{_ENTRY} WHERE state = 'running'").fetchone()
        return None if row is None else to_entry(row[0], row[1:])

    def _entry(self, database: sqlite3.Connection, job_id: str) -> JobEntry:
        row = database.execute(f"{_ENTRY} WHERE id = ?", [job_id]).fetchone()
        if row is None:
            raise self._unknown(database, job_id)
        return to_entry(row[0], row[1:])

    def _unknown(self, database: sqlite3.Connection, job_id: str) -> UnknownJobError:
        known = database.execute("SELECT id FROM jobs ORDER BY position").fetchall()
        return unknown_job(job_id, [each for (each,) in known])

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._transaction("BEGIN IMMEDIATE") as database:
            yield database

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._transaction("BEGIN") as database:
            yield database

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock, self._refusals():
            self._database.execute(begin)
            try:
                yield self._database
                self._database.execute("COMMIT")
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if any(word in str(error) for word in _DAMAGED):
                raise CorruptError(f"{self._where} is damaged ({error}): restore it, or remove it") from error
            raise StorageError(
                f"{self._where} cannot be used: {error}; free space there, allow writing, or point SRL_STORE elsewhere"
            ) from error


class DirectoryBoard(SqliteBoard):
    """A board in a folder, for the processes of one machine or of machines that share it with working locks."""

    def __init__(self, folder: Path) -> None:
        where = f"the job board {folder / FILE}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"{where} cannot be used: {error.strerror}; allow writing, or point SRL_STORE elsewhere"
            ) from error
        super().__init__(str(folder / FILE), where)
        self._folder = folder

    def _has_snapshots(self, job_id: str) -> bool:
        return job_folder(self._folder, snapshot_name(job_id)).exists()


class MemoryBoard(SqliteBoard):
    """A board in this process, for its threads."""

    def __init__(self) -> None:
        super().__init__(":memory:", "the job board in memory")


def _submit(database: sqlite3.Connection, job_id: str, job: bytes, name: str, digest: str) -> None:
    database.execute(
        "INSERT INTO jobs (place, id, name, digest, state, submitted_s, job) "
        "VALUES ((SELECT COALESCE(MAX(place), 0) + 1 FROM jobs), ?, ?, ?, 'waiting', ?, ?)",
        [job_id, name, digest, time.time(), job],
    )
    database.execute("INSERT OR IGNORE INTO digests VALUES (?, ?)", [digest, job_id])
