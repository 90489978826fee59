"""`srl jobs`, `srl stop` and `srl tune`: what the cluster trains, has trained, and is to train."""

import csv
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from srl.cli import cluster, standing
from srl.cli.cluster import ClusterUri, KeysDir
from srl.cli.output import AsJson, ago_text, number_text, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from srl_common.job_board import JobBoard, JobEntry


ANSWER_WITHIN_S = 5.0
"""Services look at the board and report to it about once a second."""
LOOK_EVERY_S = 0.2
ROUND_S = 5.0
"""Services keep a report every ten seconds, and one more at the end."""


def complete_job(incomplete: str) -> list[tuple[str, str]]:
    """Return ids and names of the cluster's jobs, for the shell; none where it does not answer."""
    from srl_common.errors import ClusterError

    uri, keys_dir = os.environ.get("SRL_STORE", ""), os.environ.get("SRL_KEYS_DIR", "")
    with suppress(ClusterError), cluster.board(cluster.find(uri, keys_dir)) as board:
        return [(entry.id, entry.name) for entry in board.entries() if entry.id.startswith(incomplete)]
    return []


JobId = Annotated[
    str, typer.Argument(metavar="JOB", autocompletion=complete_job, help="The number of a job, as srl jobs lists it.")
]


def list_all(ctx: typer.Context, uri: ClusterUri = "", keys_dir: KeysDir = "", as_json: AsJson = False) -> None:
    """List the jobs of a cluster, or look after one of them.

        srl jobs                                  all, the oldest first
        srl jobs show 3                           one, with what its services report
        srl jobs history 3 --csv rewards.csv      how it went
        srl jobs resume 3                         let it go on where it ended

    Next: srl top watches a cluster; srl stop 3 ends a job; srl snapshots export 3 saves what it has learned.
    """
    if ctx.invoked_subcommand is not None:
        return
    where = cluster.find(uri, keys_dir)
    with cluster.board(where) as board:
        found = [_summary(board, entry) for entry in board.entries()]
    if as_json:
        print_json(found)
    elif not found:
        print("no jobs yet: srl submit my_algorithm.py --env Grid, or srl submit --help")
    else:
        rows = [_row(each) for each in found]
        print_table(["job", "state", "name", "age", "reward", "updates", "env steps", "reason"], rows)
        if any(each["state"] in {"waiting", "running"} for each in found) and (hint := cluster.asleep(where)):
            print(hint)


def show(job_id: JobId, uri: ClusterUri = "", keys_dir: KeysDir = "", as_json: AsJson = False) -> None:
    """Show one job: its state, and what its services report.

        srl jobs show 3

    Next: srl jobs history 3 for how it went, srl stop 3 to end it.
    """
    with cluster.board(cluster.find(uri, keys_dir)) as board:
        entry = board.entry(job_id)
        found = {**_summary(board, entry), "reports": board.reports(job_id), "tuning": board.tuning(job_id)}
    if as_json:
        print_json(found)
        return
    now_s = time.time()
    rows = [
        ["job", f"{entry.id}: {entry.name}"],
        ["state", f"{entry.state}{f' ({_first_line(entry.reason)})' if entry.reason else ''}"],
        ["digest", entry.digest[:16]],
        ["snapshots", entry.snapshot_name],
        ["life", str(entry.life)],
        *([name.removesuffix("_s"), f"{ago_text(now_s - at_s)} ago"] for name, at_s in _times(entry).items() if at_s),
        *([name.replace("_", " "), number_text(found[name])] for name in standing.NAMES if found[name] is not None),
        *(["tuned", f"{name} = {value}"] for name, value in found["tuning"].items()),
        *(["report", f"{name}, {ago_text(now_s - each['reported_s'])} ago"] for name, each in found["reports"].items()),
    ]
    print_table(["", ""], rows)
    if "\n" in entry.reason:
        print(f"\n{entry.reason}")


def history(
    job_id: JobId,
    file: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write all that was kept as CSV.")] = None,
    uri: ClusterUri = "",
    keys_dir: KeysDir = "",
    as_json: AsJson = False,
) -> None:
    """Show how a job went: updates, steps and reward by time.

        srl jobs history 3
        srl jobs history 3 --csv job3.csv

    A row is kept every ten seconds or so, and less often as a job grows old.
    """
    with cluster.board(cluster.find(uri, keys_dir)) as board:
        entry = board.entry(job_id)
        kept = board.history(job_id)
    if file is not None:
        _write_csv(file, kept)
        print(f"wrote {len(kept)} rows to {file}")
    elif as_json:
        print_json(kept)
    elif not kept:
        print(f"job {entry.id} ({entry.name}) has no history yet: it is {entry.state}")
    else:
        rows = [_history_row(reports, entry.begun_s) for reports in _rounds(kept)]
        print_table(["after", *(name.replace("_", " ") for name in standing.NAMES)], rows)


def resume(
    job_id: JobId,
    snapshot: Annotated[
        str, typer.Option(metavar="VERSION", help="Go on from this one, as srl snapshots list shows it.")
    ] = "",
    uri: ClusterUri = "",
    keys_dir: KeysDir = "",
) -> None:
    """Put a job that is over at the end of the line again: it goes on from its newest snapshot, or an older one.

        srl jobs resume 3
        srl jobs resume 3 --snapshot 1-2000

    Limits count from the start of the job: one that has reached its own ends at once.
    """
    where = cluster.find(uri, keys_dir)
    with cluster.board(where) as board:
        if snapshot:
            _restore(where, board.entry(job_id), snapshot)
        entry = board.resume(job_id)
    print(f"job {entry.id} ({entry.name}) is {entry.state}")


def delete(
    job_id: JobId,
    keep_snapshots: Annotated[bool, typer.Option("--keep-snapshots", help="Forget the job alone.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    uri: ClusterUri = "",
    keys_dir: KeysDir = "",
) -> None:
    """Forget a job that is not running: its history, and all that it has learned.

        srl jobs delete 3

    Before that, srl snapshots export 3 FILE saves what it has learned.
    """
    from services.snapshot import worker_job
    from srl_common.job_board import snapshot_name

    where = cluster.find(uri, keys_dir)
    with cluster.board(where) as board, cluster.store(where) as store:
        if not yes:
            entry = board.entry(job_id)
            typer.confirm(f"Forget job {entry.id} ({entry.name}) and all that it has learned?", abort=True)
        board.delete(job_id)
        if not keep_snapshots:
            for name in (snapshot_name(job_id), worker_job(snapshot_name(job_id))):
                store.delete(name)
    print(f"job {job_id} is forgotten")


def stop(job_id: JobId, uri: ClusterUri = "", keys_dir: KeysDir = "") -> None:
    """End a job: a waiting one at once, the running one with a last snapshot.

        srl stop 3

    Next: the cluster takes the next job. srl jobs resume 3 lets this one go on later.
    """
    from srl_common.job_board import JobState

    where = cluster.find(uri, keys_dir)
    with cluster.board(where) as board:
        before = board.entry(job_id).state
        entry = board.ask_to_stop(job_id)
    if before not in {JobState.WAITING, JobState.RUNNING}:
        print(f"job {entry.id} is over already: {entry.state} ({_first_line(entry.reason)})")
    elif entry.state is JobState.RUNNING:
        print("; ".join(filter(None, [f"job {entry.id} ({entry.name}) has been asked to end", cluster.asleep(where)])))
    else:
        print(f"job {entry.id} ({entry.name}) is {entry.state}")


def tune(
    job_id: JobId,
    samples_per_insert: Annotated[
        str | None,
        typer.Option(metavar="X", help="How often each item is to be sampled on average; off: as it comes."),
    ] = None,
    tolerance_items: Annotated[
        float | None, typer.Option(metavar="N", min=0, help="How many samples that may be off before somebody waits.")
    ] = None,
    minimum_items: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="How many items must be there before any is sampled.")
    ] = None,
    max_staleness_updates: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Sample no items that are older than so many updates; 0: any."),
    ] = None,
    uri: ClusterUri = "",
    keys_dir: KeysDir = "",
) -> None:
    """Change how samples and inserts are balanced, while a job runs.

        srl tune 3 --samples-per-insert 4
        srl tune 3 --max-staleness-updates 500

    Next: srl top shows who waits for whom.
    """
    from srl.utils.usage import UsageError

    values: dict[str, Any] = {
        "samples_per_insert": None if samples_per_insert is None else _ratio(samples_per_insert),
        "samples_per_insert_tolerance_items": tolerance_items,
        "samples_minimum_items": minimum_items,
        "max_staleness_updates": max_staleness_updates,
    }
    chosen = {name: value for name, value in values.items() if value is not None}
    if not chosen:
        raise UsageError("nothing to tune: give --samples-per-insert, or another value of srl tune --help")
    with cluster.board(cluster.find(uri, keys_dir)) as board:
        board.tune(job_id, chosen)
        state = board.entry(job_id).state
        later = _answer(board, job_id) if state == "running" else f"it is {state}, so this counts when it runs"
    print(f"job {job_id}: {', '.join(f'{name} = {value}' for name, value in chosen.items())}; {later}")


def _answer(board: "JobBoard", job_id: str) -> str:
    """Return what the memory service says of the values. Raises UserError when it refuses them."""
    from srl_common.errors import UserError

    tuning, end_s = board.tuning(job_id), time.monotonic() + ANSWER_WITHIN_S
    while time.monotonic() < end_s:
        hosts = [report.get("host", {}) for report in board.reports(job_id).values()]
        answers = [host["tuning_refusal"] for host in hosts if host.get("tuning") == tuning]
        if any(answers):
            raise UserError(
                f"job {job_id} goes on as before, its memory service refuses: {next(filter(None, answers))}"
            )
        if answers:
            return "taken up"
        time.sleep(LOOK_EVERY_S)
    return "its memory service has not answered yet: srl top says whether it refuses"


def _ratio(text: str) -> float | str:
    from srl.utils.usage import UsageError

    if text in {"off", "auto"}:
        return text
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise UsageError(f"--samples-per-insert {text}: write a number above 0, off, or auto (what the algorithm says)")
    return value


def _restore(where: cluster.Cluster, entry: "JobEntry", version: str) -> None:
    from srl_common.snapshots import parse_version

    with cluster.store(where) as store:
        store.restore(entry.snapshot_name, parse_version(version))


def _summary(board: "JobBoard", entry: "JobEntry") -> dict[str, Any]:
    known = {name: getattr(entry, name) for name in ("id", "name", "digest", "life", "reason", "stop_asked")}
    return {**known, "state": str(entry.state), **_times(entry), **standing.of(board.reports(entry.id))}


def _times(entry: "JobEntry") -> dict[str, float]:
    return {name: getattr(entry, name) for name in ("submitted_s", "begun_s", "ended_s")}


def _row(found: "Mapping[str, Any]") -> list[str]:
    return [
        found["id"],
        "stopping" if found["stop_asked"] and found["state"] == "running" else found["state"],
        found["name"],
        ago_text(time.time() - found["submitted_s"]),
        number_text(found["reward"]),
        number_text(found["updates"]),
        number_text(found["env_steps"]),
        _first_line(found["reason"]),
    ]


def _first_line(reason: str) -> str:
    """Return what a reason begins with; a traceback may follow."""
    return reason.partition("\n")[0].rstrip(":.")


def _rounds(kept: "Iterable[Mapping[str, Any]]") -> "Iterator[dict[str, Mapping[str, Any]]]":
    """Yield by service what was reported at about the same time: a service that comes again begins another round.

    At the end of a job some report twice within seconds: the later report counts.
    """
    reports: dict[str, Mapping[str, Any]] = {}
    for row in kept:
        before = reports.get(row["service"])
        if before is not None and row["reported_s"] - before["reported_s"] >= ROUND_S:
            yield reports
            reports = {}
        reports[row["service"]] = row
    if reports:
        yield reports


def _history_row(reports: "Mapping[str, Mapping[str, Any]]", begun_s: float) -> list[str]:
    found = standing.of(reports)
    at_s = max(report["reported_s"] for report in reports.values())
    return [ago_text(at_s - begun_s), *(number_text(found[name]) for name in standing.NAMES)]


def _write_csv(path: Path, rows: "Iterable[Mapping[str, Any]]") -> None:
    from srl.runner.checks import writable

    flat = [dict(_flat(row)) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    with writable(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(flat)


def _flat(value: "Mapping[str, Any]", prefix: str = "") -> "Iterable[tuple[str, Any]]":
    """Yield "a.b" and value of nested reports."""
    for name, each in value.items():
        if isinstance(each, dict):
            yield from _flat(each, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", each
