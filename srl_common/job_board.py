"""Where jobs are posted: what waits to be trained, what is being trained, and how that is going.

A cluster works for one job at a time. The learner takes the oldest that waits and ends it; the memory service and the
actors follow the one that is running. Jobs are bytes here: what they mean is known to `services`.
"""

from __future__ import annotations

import enum
import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from srl_common import codec
from srl_common.errors import CorruptError, DecodeError, SettingError, UnknownJobError, UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

JOB_BYTES_MAX = 64 << 20
"""Of one job, its files included."""
HISTORY_ROWS_MAX = 10_000
"""Of one job: the oldest go."""


class JobState(enum.StrEnum):
    """Where a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"
    """A limit of its own was reached."""
    STOPPED = "stopped"
    """Somebody asked for it."""
    FAILED = "failed"


@dataclass(frozen=True)
class JobEntry:
    """What the board knows of one job."""

    id: str
    """Short, counted up: "1", "2"; `snapshot_name` is what its snapshots are stored under."""
    name: str
    """For people: the file or the environment and the algorithm."""
    digest: str
    state: JobState
    life: int
    """How often it has begun: 0 while it waits for the first time, 1 from then on. A journal belongs to one life."""
    submitted_s: float
    """When it was put in the line, also by `resume`. Seconds since 1970; 0.0 for what has not happened yet."""
    begun_s: float
    ended_s: float
    reason: str
    """Why it is over, or the error that it failed with."""
    stop_asked: bool
    """Somebody wants it to end; the learner sees to it."""

    @property
    def snapshot_name(self) -> str:
        return snapshot_name(self.id)


def snapshot_name(job_id: str) -> str:
    """Return what the snapshots of a job are stored under."""
    return f"job-{job_id}"


class JobBoard(Protocol):
    """Jobs of one cluster, for any number of processes and threads: each method is one step.

    Every method raises StorageError when the board cannot be used, and CorruptError when what it needs is damaged.
    `running`, `entry`, `entries`, `fetch`, `reports`, `history` and `tuning` only read. A method that is given an id
    that is not there raises UnknownJobError (a UserError), which names the ids that are.
    """

    def new_id(self) -> str:
        """Return an id that no job has had, nor any snapshot beside the board: one that was lost counts anew."""

    def submit(self, job_id: str, job: bytes, name: str, digest: str) -> None:
        """Put a job at the end of the line.

        `job_id` is of `new_id`, so that what belongs to the job can be stored under its name before. The very same
        again does nothing: an answer may have been lost. Raises UserError for an id that is not of `new_id`, or that
        another job has, and for a job of more than `JOB_BYTES_MAX`.
        """

    def submit_once(self, job: bytes, name: str, digest: str) -> str:
        """Put a job at the end of the line unless one with this digest was ever there. Returns its id.

        It may be deleted since: what was ever submitted is not submitted again.
        """

    def take(self) -> JobEntry | None:
        """Return the running job; when there is none, the oldest that waits begins to run; None: nothing to do."""

    def running(self) -> JobEntry | None:
        """Return the running job."""

    def entry(self, job_id: str) -> JobEntry:
        """Return what is known of a job."""

    def entries(self) -> list[JobEntry]:
        """Return all jobs, oldest first."""

    def fetch(self, job_id: str) -> bytes:
        """Return the job itself."""

    def end(self, job_id: str, life: int, state: JobState, reason: str) -> bool:
        """Say that the running job is over; False, and nothing changes, unless that life of it is running."""

    def ask_to_stop(self, job_id: str) -> JobEntry:
        """Ask for the end of a job: a waiting one is stopped at once, of a running one the learner is told.

        One that is over stays as it is.
        """

    def resume(self, job_id: str) -> JobEntry:
        """Put a job that is over at the end of the line again: its next life begins at its newest snapshot.

        Raises UserError when it is not over.
        """

    def delete(self, job_id: str) -> None:
        """Forget a job, its reports and history too. Its snapshots are the store's. Raises UserError while it runs."""

    def report(self, job_id: str, service: str, counters: Mapping[str, Any], *, keep: bool = False) -> None:
        """Say how a job is going, as plain data, in place of what `service` said before; `keep` adds to the history.

        Raises EncodeError for what is not plain data.
        """

    def reports(self, job_id: str) -> dict[str, dict[str, Any]]:
        """Return the last report of each service, with "reported_s", seconds since 1970."""

    def history(self, job_id: str) -> list[dict[str, Any]]:
        """Return the reports that were kept, oldest first, with "service" and "reported_s"; the oldest may be gone."""

    def tune(self, job_id: str, values: Mapping[str, Any]) -> None:
        """Set values that services of the running job look at while it runs, beside those set before."""

    def tuning(self, job_id: str) -> dict[str, Any]:
        """Return the values set by `tune`."""

    def close(self) -> None:
        """Give connections and locks back."""


def open_board(uri: str, keys_dir: str = "") -> JobBoard:
    """Return the board at memory://, dir:///folder or redis://host:port/db. Raises SettingError.

    Args:
        uri: the snapshot store's too.
        keys_dir: where the user and password for Redis are (`redis.auth`), if the address has none.
    """
    scheme = urlsplit(uri).scheme
    if scheme == "memory":
        from srl_common.directory_board import MemoryBoard

        return MemoryBoard()
    if scheme == "dir" and uri.startswith("dir:///"):
        from srl_common.directory_board import DirectoryBoard

        return DirectoryBoard(Path(uri.removeprefix("dir://")))
    if scheme in {"redis", "rediss", "unix"}:
        from srl_common.redis_board import RedisBoard

        return RedisBoard(uri, keys_dir)
    raise SettingError(f"'{scheme}:' is no job board: write memory://, dir:///folder or redis://host:port/db")


# --- what the boards share

FIELDS = tuple(each.name for each in fields(JobEntry) if each.name != "id")


def to_entry(job_id: str, values: Iterable[Any]) -> JobEntry:
    """Return the entry whose `FIELDS` a board has as `values`, numbers perhaps as text. Raises CorruptError."""
    try:
        name, digest, state, life, submitted_s, begun_s, ended_s, reason, stop_asked = values
        return JobEntry(
            job_id, name, digest, JobState(state), int(life),
            float(submitted_s), float(begun_s), float(ended_s), reason, bool(int(stop_asked)),
        )  # fmt: skip
    except ValueError as error:
        raise CorruptError(f"what the job board has of job {job_id} is damaged ({error}): delete the job") from None


def pack_report(service: str, counters: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """Return a report and a row of the history. Raises EncodeError."""
    data = codec.pack({**counters, "reported_s": time.time()})
    return data, codec.pack([service, data])


def unpack_history(rows: Iterable[bytes], job_id: str) -> list[dict[str, Any]]:
    """Return what was reported in the rows of a history. Raises CorruptError."""
    where = f"the history of job {job_id}"
    unpacked = [unpack_plain(row, where) for row in rows]
    return [{"service": service, **unpack_plain(data, where)} for service, data in unpacked]


def check_size(job: bytes, name: str) -> None:
    """Raise UserError for a job that is too large for a board."""
    if len(job) > JOB_BYTES_MAX:
        raise UserError(
            f"the job '{name}' has {len(job) / (1 << 20):.1f} MiB, a board takes {JOB_BYTES_MAX >> 20} MiB at most: "
            "let data of that size be read from where the services are"
        )


def unknown_job(job_id: str, known: Iterable[str]) -> UnknownJobError:
    return UnknownJobError(f"there is no job {job_id}: the board has {', '.join(known) or 'none'}")


def refused_id(job_id: str) -> UserError:
    return UserError(f"a job cannot be submitted as {job_id}: that id is taken, or none that new_id gave")


def refused_in(state: str, job_id: str) -> UserError:
    """Return the error for what can only be done with a job that is over (or, to delete it, waits)."""
    return UserError(f"job {job_id} is {state}: stop it first, and wait until it is over")


def unpack_plain(data: bytes, where: str) -> Any:
    """Return what was packed. Raises CorruptError."""
    try:
        return codec.unpack(data, codec.UNLIMITED)
    except DecodeError as error:
        raise CorruptError(f"what the job board has of {where} is damaged ({error}): delete the job") from None
