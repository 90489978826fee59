"""`srl snapshots`: what jobs have learned, version by version."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from srl.cli import cluster
from srl.cli.cluster import ClusterUri, KeysDir
from srl.cli.jobs import JobId
from srl.cli.output import AsJson, ago_text, bytes_text, number_text, print_json, print_table

if TYPE_CHECKING:
    from srl.runner.runner import Runner
    from srl_common.job_board import JobEntry
    from srl_common.snapshots import Snapshot

Version = Annotated[str, typer.Argument(metavar="VERSION", help="As srl snapshots list shows it: epoch and updates.")]


def overview() -> None:
    """What jobs have learned, version by version: list, export to a file, restore an older one.

    srl snapshots list 3
    srl snapshots export 3 cartpole.dat
    """


def list_all(job_id: JobId, uri: ClusterUri = "", keys_dir: KeysDir = "", as_json: AsJson = False) -> None:
    """List the snapshots that are kept of a job, the newest last.

    srl snapshots list 3
    """
    from srl_common.snapshots import version_text

    where = cluster.find(uri, keys_dir)
    with cluster.board(where) as board, cluster.store(where) as store:
        entry = board.entry(job_id)
        found = store.versions(entry.snapshot_name)
    if as_json:
        print_json([{**vars(each), "version": version_text(each.version)} for each in found])
        return
    if not found:
        print(f"job {entry.id} ({entry.name}) has no snapshot yet: it is {entry.state}")
        return
    now_s = time.time()
    rows = [
        [
            version_text(each.version),
            number_text(each.version[1]),
            f"{ago_text(now_s - each.created_s)} ago",
            bytes_text(each.bytes),
            each.digest[:12],
        ]
        for each in found
    ]
    print_table(["version", "updates", "made", "size", "digest"], rows)


def export(
    job_id: JobId,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the parameter.")],
    version: Annotated[str, typer.Option(metavar="VERSION", help="An older one; default: the newest.")] = "",
    uri: ClusterUri = "",
    keys_dir: KeysDir = "",
) -> None:
    """Write what a job has learned to a file, for srl evaluate --load, srl render --load and Runner.load_parameter.

        srl snapshots export 3 cartpole.dat
        srl snapshots export 3 cartpole.dat --version 1-2000

    It loads the job's files into this process: do this only with jobs that you trust.
    """
    from srl_common.snapshots import parse_version

    where = cluster.find(uri, keys_dir)
    with cluster.board(where) as board, cluster.store(where) as store:
        entry = board.entry(job_id)
        snapshot = store.get(entry.snapshot_name, parse_version(version)) if version else _newest(store, entry)
        runner = _runner(board.fetch(job_id), entry)
    _write(runner, snapshot, file)


def restore(job_id: JobId, version: Version, uri: ClusterUri = "", keys_dir: KeysDir = "") -> None:
    """Make an older snapshot the newest: what trains the job goes on from it.

        srl snapshots restore 3 1-2000

    Next: srl jobs resume 3 where the job is over; of a running one the learner starts again.
    """
    from srl_common.snapshots import parse_version, version_text

    where = cluster.find(uri, keys_dir)
    with cluster.board(where) as board, cluster.store(where) as store:
        newest = store.restore(board.entry(job_id).snapshot_name, parse_version(version))
    print(f"{version} of job {job_id} is the newest now, as {version_text(newest)}")


def export_newest(where: cluster.Cluster, entry: "JobEntry", file: Path) -> None:
    """Write the newest parameter of a job to a file. Raises UserError when there is none."""
    with cluster.board(where) as board, cluster.store(where) as store:
        snapshot, runner = _newest(store, entry), _runner(board.fetch(entry.id), entry)
    _write(runner, snapshot, file)


def _newest(store: Any, entry: "JobEntry") -> "Snapshot":
    from srl_common.errors import UserError

    newest: Snapshot | None = store.latest(entry.snapshot_name)
    if newest is None:
        raise UserError(f"job {entry.id} ({entry.name}) has no snapshot yet: it is {entry.state}")
    return newest


def _runner(job: bytes, entry: "JobEntry") -> "Runner":
    from services.jobs.job import Job
    from srl.runner.runner import Runner

    return Runner(context=Job.unpack(job, entry.digest).make_context())


def _write(runner: "Runner", snapshot: "Snapshot", file: Path) -> None:
    from services.snapshot import learner_state
    from srl.runner.checks import writable

    runner.parameter.restore(learner_state(snapshot).parameter, from_serialized=True)
    runner.save_parameter(writable(file))
    print(f"wrote {file}: what was learned in {snapshot.train_count} updates")
