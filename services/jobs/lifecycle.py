"""How a service works for the jobs of a board: it waits for one, works until that is over, and begins anew.

The learner takes jobs and ends them; the memory service and the actors follow the one that runs. Between two jobs each
becomes a fresh interpreter, so that no module and no state of a job is left in the next.
"""

from __future__ import annotations

import logging
import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard, TypeVar

from services.jobs.job import Job
from services.jobs.work import LOOK_EVERY_S, BoardWork, Work
from services.store_wait import look_until_found
from srl_common.errors import (
    AccessError,
    AuthorError,
    SettingError,
    StorageError,
    UndeliveredError,
    UnknownJobError,
    UserError,
)
from srl_common.job_board import JobState, open_board
from srl_common.service import Again, Stop
from srl_common.settings import HostSettings, LearnerSettings, MemorySettings, ServiceSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from srl_common.job_board import JobBoard, JobEntry

log = logging.getLogger("srl")

S = TypeVar("S", bound=ServiceSettings)
R = TypeVar("R")

RETRY_AFTER_S = 2.0
"""After a failure that is not the job's, a service looks at the board again after so long."""


def work_for_jobs(
    settings: S,
    stop: Stop,
    find: Callable[[JobBoard], JobEntry | None],
    serve: Callable[[S, Job, Work], None],
    *,
    ends_jobs: bool = True,
) -> Again | None:
    """Wait for a job on the board, and work for it until it is over, or the process is asked to end.

    Args:
        settings: of the service.
        stop: the wish that the process ends.
        find: looks for the job to work for.
        serve: works for a job until its `Work` says to stop. An error of the author's or the user's fails the job.
        ends_jobs: this service may write to the board; one that may not waits for another to end such a job.
    """
    found = wait_on_board(settings, stop, lambda board: _find(board, find))
    if found is None:
        return None
    entry, data = found
    log.info("works for job %s (%s), life %d", entry.id, entry.name, entry.life)
    own = settings_for(settings, entry)
    remove_other_journals(settings, entry)
    with closing(open_board(settings.store, settings.keys_dir)) as board:
        work = BoardWork(board, entry, Stop(settings.drain_timeout_s, whole=stop))
        try:
            serve(own, Job.unpack(data, entry.digest), work)
        except (SettingError, AccessError):
            raise
        except (StorageError, UndeliveredError) as error:
            if stop.asked:
                raise
            log.warning("job %s: %s", entry.id, error)
            work.stop.wait(RETRY_AFTER_S)
        except (AuthorError, UserError) as error:
            _on_failure(work, explained(error, settings.name), ends_jobs=ends_jobs)
        finally:
            work.close()
    if work.over:
        remove_journal(own)
    return Again()


def wait_on_board(settings: ServiceSettings, stop: Stop, look: Callable[[JobBoard], R | None]) -> R | None:
    """Look at the board again and again, and return what was found; None: the process is asked to end.

    A board that is away is waited for; this is said once.
    """
    with closing(open_board(settings.store, settings.keys_dir)) as board:
        return look_until_found(settings, stop, lambda: look(board), "waiting for the job board", "waiting for a job")


def _find(board: JobBoard, find: Callable[[JobBoard], JobEntry | None]) -> tuple[JobEntry, bytes] | None:
    try:
        entry = find(board)
        return None if entry is None else (entry, board.fetch(entry.id))
    except UnknownJobError:
        return None  # the board was emptied just now


def _on_failure(work: BoardWork, text: str, *, ends_jobs: bool) -> None:
    log.warning("the job fails: %s", text)
    if ends_jobs:
        work.end(JobState.FAILED, text)
    while not work.stop.asked:
        work.stop.wait(LOOK_EVERY_S)


def explained(error: Exception, name: str) -> str:
    """Return what the board says of a failure: which service, and what."""
    return str(error) if isinstance(error, AuthorError) else f"{name}: {error}"


def settings_for(settings: S, entry: JobEntry) -> S:
    """Return the settings that a service works with for one life of a job."""
    own = replace(settings, store_job=entry.snapshot_name)
    if isinstance(own, HostSettings):
        return replace(own, journal_dir=str(Path(own.journal_dir) / _journal_name(entry)))
    return own


def remove_journal(own: ServiceSettings) -> None:
    """Remove the journal of a life that is over: it does not come back. `own` are the settings for it."""
    if _hosts_memory(own):
        shutil.rmtree(own.journal_dir, ignore_errors=True)


def remove_other_journals(settings: ServiceSettings, entry: JobEntry) -> None:
    """Remove the journals of all lives of jobs of the board but this one: what killed services have left."""
    if _hosts_memory(settings):
        for folder in Path(settings.journal_dir).glob("job-*-life-*"):
            if folder.name != _journal_name(entry):
                shutil.rmtree(folder, ignore_errors=True)


def _hosts_memory(settings: ServiceSettings) -> TypeGuard[HostSettings]:
    """Tell whether this service is the one with a journal: others may share its folder."""
    if isinstance(settings, LearnerSettings):
        return settings.memory_mode == "learner"
    return isinstance(settings, MemorySettings)


def _journal_name(entry: JobEntry) -> str:
    # With the time: a board that lost its jobs counts them anew, and the journal would be another one's.
    return f"{entry.snapshot_name}-life-{entry.life}-{entry.begun_s:.0f}"
