"""Where jobs are posted: what waits to be trained, what is being trained, and how that is going.

A cluster works for one job at a time. The learner takes the oldest that waits and ends it; the memory service and the
actors follow the one that is running. Jobs are bytes here: what they mean is known to `services`.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    """How often it was taken up from the start or resumed: 1 for the first time. A journal belongs to one life."""
    submitted_s: float
    """Seconds since 1970; 0.0 for what has not happened yet."""
    begun_s: float
    ended_s: float
    reason: str
    """Why it is over, or the error that it failed with."""
    stop_asked: bool
    """Somebody wants it to end; the learner sees to it."""

    @property
    def snapshot_name(self) -> str:
        return f"job-{self.id}"


class JobBoard(Protocol):
    """Jobs of one cluster. Every method raises StorageError when the board cannot be used.

    `running`, `entry`, `entries` and `fetch` only read. A method that is given an id that is not there raises
    UnknownJobError (a UserError), which names the ids that are.
    """

    def new_id(self) -> str:
        """Return an id that no job has had."""

    def submit(self, job_id: str, job: bytes, name: str, digest: str) -> None:
        """Put a job at the end of the line."""

    def submit_once(self, job: bytes, name: str, digest: str) -> str:
        """Put a job at the end of the line unless one with this digest was ever there. Returns its id, in one step."""

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
        """Ask for the end of a job: a waiting one is stopped at once, of a running one the learner is told."""

    def resume(self, job_id: str) -> JobEntry:
        """Put a job that is over at the end of the line again: its next life begins at its newest snapshot."""

    def delete(self, job_id: str) -> None:
        """Forget a job that is not running, its reports and history too. Its snapshots are the store's."""

    def report(self, job_id: str, service: str, counters: Mapping[str, Any], *, keep: bool = False) -> None:
        """Say how a job is going, as plain data, in place of what `service` said before; `keep` adds to the history."""

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
