"""A cluster that is started with a job: the learner puts SRL_JOB on the board before it does anything else."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from services.jobs.job import Job
from services.jobs.job_file import load_job
from services.jobs.lifecycle import wait_on_board
from srl_common.service import Again

if TYPE_CHECKING:
    from srl_common.service import Stop
    from srl_common.settings import LearnerSettings

log = logging.getLogger("srl")


def post_job(settings: LearnerSettings, stop: Stop) -> Again | None:
    """Put the settings' job on the board, unless it was ever there; then begin anew without it.

    The file has been imported into this process, which is therefore no place for a job any more. Raises what
    `load_job` does: a cluster that is given a job that cannot be loaded does not start.
    """
    job = _load(settings)
    data, digest = job.pack(), job.digest
    job_id = wait_on_board(settings, stop, lambda board: board.submit_once(data, job.name, digest))
    if job_id is None:
        return None
    log.info("%s is job %s", settings.job, job_id)
    return Again(("--job=",))


def _load(settings: LearnerSettings) -> Job:
    """Return the job of a Python job file, or of a file that `Job.save` wrote."""
    path = Path(settings.job)
    if path.is_file() and path.suffix != ".py":
        return Job.load(path)
    return load_job(settings.job, settings.job_env, settings.job_timeout_s, settings.job_max_train_count)
