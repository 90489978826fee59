"""`srl submit`: give a cluster something to train."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from srl.cli import choice, cluster
from srl.cli.cluster import ClusterUri, KeysDir
from srl.cli.failures import EXIT_PROBLEMS, fail
from srl.cli.output import AsJson, print_json
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from services.clusters.remote_cluster import RemoteCluster
    from services.jobs.job import Job
    from srl.base.context import RunContext

LOOK_EVERY_S = 0.1


def submit(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
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
        float, typer.Option(metavar="SECONDS", min=0, show_default=False, help="Train for so many seconds.")
    ] = 0,
    max_train_count: Annotated[
        int, typer.Option(metavar="N", min=0, show_default=False, help="Train so many updates.")
    ] = 0,
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
    from services.clusters.remote_cluster import RemoteCluster
    from srl.runner.checks import writable

    if save is not None and not wait:
        raise UsageError("--save needs --wait; without it, srl snapshots export JOB FILE writes what was learned")
    if save is not None:
        writable(save)
    where = cluster.find(uri, keys_dir)
    chosen = _algorithm(file, algorithm, env)
    context, own_name = choice.make_named_context(env, chosen, settings, env_settings, players)
    given = {"timeout": timeout or None, "max_train_count": max_train_count or None, "seed": seed}
    context, job = _job(context, given, name or own_name)
    with closing(RemoteCluster.submit(where.uri, job, _say_aside, keys_dir=where.keys_dir)) as remote:
        job_id = remote.entry.id
        with _leaving(job_id):
            if not as_json:
                print(f"job {job_id} is waiting: {job.name}", flush=True)
            if hint := cluster.asleep(where):
                _say_aside(hint)
            if wait:
                _wait(remote, context, show=not as_json)
        entry = remote.entry
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


def _job(context: "RunContext", given: dict[str, Any], name: str) -> "tuple[RunContext, Job]":
    """Return how a job is run, and the job; limits that are given count, and what cannot be trained is refused here."""
    from services.jobs.job import Job

    settings = {key: value for key, value in given.items() if value is not None}
    context = replace(context, play_mode="train_cluster", training=True, distributed=True, **settings)
    runner = choice.make_runner(context)
    return runner.context, Job.of(runner.context, travels=True, name=name)


@contextmanager
def _leaving(job_id: str) -> Iterator[None]:
    """End the command where the job fails, and say to who leaves with Ctrl-C that the job does not end."""
    from services.clusters.remote_cluster import JobFailedError

    try:
        yield
    except JobFailedError as error:
        fail(str(error), EXIT_PROBLEMS)
    except KeyboardInterrupt:
        _say_aside(f"job {job_id} goes on: srl stop {job_id} ends it")
        raise


def _wait(remote: "RemoteCluster", context: "RunContext", *, show: bool) -> None:
    """Show how the job is going until it is over, and its results."""
    from srl.runner.cluster_progress import ClusterProgress
    from srl.runner.progress import ProgressOptions

    progress = ClusterProgress(context, ProgressOptions(), enable=show)
    progress.begin()
    try:
        while not remote.is_over:
            remote.watch(LOOK_EVERY_S)
            progress.update(remote)
    except BaseException:
        progress.finish(results=False)
        raise
    progress.finish()


def _say_aside(text: str) -> None:
    """Show a line that is no result."""
    print(text, file=sys.stderr)
