"""`srl submit`: give a cluster something to train."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from srl.cli import choice, cluster, standing
from srl.cli.cluster import ClusterUri, KeysDir
from srl.cli.failures import EXIT_PROBLEMS, fail
from srl.cli.output import AsJson, number_text, print_json
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from services.jobs.job import Job
    from srl.base.context import RunContext
    from srl_common.job_board import JobBoard, JobEntry

LOOK_EVERY_S = 0.5
NO_LIMIT = -1


def submit(
    file: Annotated[
        str,
        typer.Argument(
            metavar="[FILE]",
            autocompletion=choice.complete_algorithm,
            help="A job file: it has a function job(), or registers your algorithm.",
        ),
    ] = "",
    env: Annotated[str, typer.Option(metavar="ENV", autocompletion=choice.complete_env, help="The environment.")] = "",
    algorithm: Annotated[
        str,
        typer.Option(metavar="ALGORITHM", autocompletion=choice.complete_algorithm, help="A built-in algorithm."),
    ] = "",
    settings: choice.Settings = None,
    env_settings: choice.EnvSettings = None,
    players: choice.Players = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", show_default=False, help="Train for so many seconds.")
    ] = -1,
    max_train_count: Annotated[int, typer.Option(metavar="N", show_default=False, help="Train so many updates.")] = -1,
    seed: choice.Seed = None,
    name: Annotated[str, typer.Option(help="A name for people.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Show the progress until the job is over.")] = False,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --wait: write what was learned to this file.")
    ] = None,
    uri: ClusterUri = "",
    keys_dir: KeysDir = "",
    as_json: AsJson = False,
) -> None:
    """Give a cluster a job: your algorithm's file, or a built-in algorithm. Your files travel with it.

        srl submit my_algorithm.py --env Grid --timeout 600
        srl submit --env CartPole-v1 --algorithm dqn -s lr=0.0005 --wait --save cartpole.dat

    The job waits until those before it are over. Without a limit it trains until srl stop. Next: srl top, srl jobs.
    """
    if save is not None and not wait:
        raise UsageError("--save needs --wait; without it, srl snapshots export JOB FILE writes what was learned")
    where = cluster.find(uri, keys_dir)
    context = choice.make_context(env, _algorithm(file, algorithm, env), settings, env_settings, players)
    limits = {"timeout": timeout, "max_train_count": max_train_count}
    job = _job(context, {**limits, "seed": seed}, name)
    with cluster.board(where) as board:
        job_id = board.new_id()
        board.submit(job_id, job.pack(), job.name, job.digest)
        with _goes_on(job_id):
            if not as_json:
                print(f"job {job_id} is waiting: {job.name}", flush=True)
            entry = _wait(board, job_id, show=not as_json) if wait else board.entry(job_id)
    if save is not None:
        from srl.cli.snapshots import export_newest

        export_newest(where, entry, save)
    if as_json:
        print_json({"id": entry.id, "name": entry.name, "state": str(entry.state), "reason": entry.reason})
    elif wait:
        print(f"job {job_id} is {entry.state}: {entry.reason}")
    else:
        print(f"Next: srl jobs show {job_id}, srl top, srl stop {job_id}")


def _algorithm(file: str, algorithm: str, env: str) -> str:
    """Return what is to be trained. Raises UsageError unless it is one thing."""
    if bool(file) == bool(algorithm):
        raise UsageError("give a job FILE, or --env and --algorithm: srl submit my_algorithm.py --env Grid")
    if algorithm and not env:
        raise UsageError(f"--algorithm {algorithm} needs an environment: --env Grid")
    if file and not file.endswith(choice.FILE_SUFFIX):
        raise UsageError(f"{file} is no Python file: a built-in algorithm is --algorithm {file}")
    return file or algorithm


def _job(context: "RunContext", given: dict[str, Any], name: str) -> "Job":
    """Return the job of a context; the limits that are given count, and what cannot be trained is refused here."""
    from services.jobs.job import Job

    limits = {key: value for key, value in given.items() if value is not None and value != NO_LIMIT}
    context = replace(context, play_mode="train_cluster", training=True, distributed=True, **limits)
    runner = choice.make_runner(context)
    return Job.of(runner.context, travels=True, name=name)


@contextmanager
def _goes_on(job_id: str) -> Iterator[None]:
    """Say to who leaves with Ctrl-C that the job does not end."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"job {job_id} goes on: srl stop {job_id} ends it", file=sys.stderr)
        raise


def _wait(board: "JobBoard", job_id: str, *, show: bool) -> "JobEntry":
    """Show how the job is going until it is over. Ends the command where it has failed."""
    from srl.runner.progress_line import ProgressLine
    from srl_common.job_board import JobState

    line = ProgressLine(live=True)
    try:
        while (entry := board.entry(job_id)).state in {JobState.WAITING, JobState.RUNNING}:
            if show:
                line.update(_progress(board, entry))
            time.sleep(LOOK_EVERY_S)
    finally:
        line.finish({})
    if entry.state is JobState.FAILED:
        fail(f"job {job_id} has failed: {entry.reason}", EXIT_PROBLEMS)
    return entry


def _progress(board: "JobBoard", entry: "JobEntry") -> str:
    running = board.running()
    if running is None or running.id != entry.id:
        before = f"job {running.id} is trained" if running is not None else "no learner has taken it yet"
        return f"job {entry.id} is waiting: {before}"
    found = standing.of(board.reports(entry.id))
    parts = [f"{name.replace('_', ' ')} {number_text(found[name])}" for name in standing.NAMES]
    return f"job {entry.id}: {', '.join(parts)}"
