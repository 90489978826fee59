"""Replay memories, ours beside those of four libraries: `python -m benchmarks.replay --json FILE`.

Transitions of CartPole's size (two observations of 4 float32, an action, a reward, a flag) in one process with one
thread, without sockets. Figures are items per second of CPU: medians of interleaved runs, each library in a process and
a virtual environment of its own, of which the fastest tenth counts; the file has minimum and maximum too. Ratios are
ours to the best of the others, of medians and, as other work slows whole runs down, of the fastest runs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from rich.console import Console
from rich.table import Table

from benchmarks.compare import STABLE_BASELINES3, TORCH, interleave, machine, peer_python, run_json, spread

if TYPE_CHECKING:
    from collections.abc import Iterable

OURS = "srl"
PEERS = {
    "cpprb": ("cpprb==11.0.0",),
    "stable-baselines3": STABLE_BASELINES3,
    "torchrl": ("torchrl==0.14.1", TORCH),
    "tianshou": ("tianshou==2.0.1", TORCH),
}
SCRIPT = str(Path(__file__).parent / "replay_once.py")
KINDS = {"uniform": [], "prioritized": ["--prioritized"]}
CAPACITIES = {"100 k": 100_000, "1 M": 1_000_000}
PROCESS_TIMEOUT_S = 600

Rows: TypeAlias = dict[str, dict[str, dict[str, float]]]
"""By what was done, by library: minimum, median and maximum."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="where to write the figures")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="of one measurement")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS), help="beside which libraries")
    parser.add_argument("--quick", action="store_true", help="two short runs and one capacity: does it work at all?")
    args = parser.parse_args()
    if args.quick:
        args.repeats, args.seconds = 2, 0.05
    pythons, missing = install(args.peers)
    rows: Rows = {}
    for kind, options in KINDS.items():
        for size, capacity in list(CAPACITIES.items())[: 1 if args.quick else None]:
            command = [SCRIPT, "--capacity", str(capacity), "--seconds", str(args.seconds), *options]
            results, failed = run(pythons, command, args.repeats)
            missing |= {f"{library}, {kind}": why for library, why in failed.items()}
            rows |= rows_of(f"{kind} ({size}): ", results)
    report = report_of(rows, missing)
    show(report)
    if args.json:
        Path(args.json).write_text(json.dumps(report, indent=2) + "\n")


def install(peers: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the interpreter of each library, and why others have none."""
    pythons, missing = {OURS: sys.executable}, {}
    for library in peers:
        try:
            pythons[library] = peer_python(*PEERS[library])
        except subprocess.CalledProcessError as error:
            missing[library] = f"cannot be installed: {error}"
    return pythons, missing


def run(
    pythons: dict[str, str], command: list[str], repeats: int
) -> tuple[dict[str, list[dict[str, float]]], dict[str, str]]:
    """Return the results of the libraries that can do it, and the last words of the others."""
    cases = {
        library: partial(run_json, [python, *command, "--library", library], PROCESS_TIMEOUT_S)
        for library, python in pythons.items()
    }
    first, failed = {}, {}
    for library, case in cases.items():
        try:
            first[library] = case()
        except RuntimeError as error:
            failed[library] = str(error).strip().splitlines()[-1]
    more = interleave({library: cases[library] for library in first}, repeats - 1)
    return {library: [result, *more[library]] for library, result in first.items()}, failed


def rows_of(prefix: str, results: dict[str, list[dict[str, float]]]) -> Rows:
    """Return results by what was done."""
    done = results[OURS][0]
    return {
        prefix + name: {library: spread(runs, name) for library, runs in results.items() if name in runs[0]}
        for name in done
    }


def report_of(rows: Rows, missing: dict[str, str]) -> dict[str, Any]:
    """Return all that is known: of the machine, of each library, and of ours beside the best of the others."""
    return {
        "machine": machine(),
        "items_per_s": rows,
        "ratios_of_medians": ratios(rows, "median"),
        "ratios_of_fastest": ratios(rows, "max"),
        "missing": missing,
    }


def ratios(rows: Rows, figure: str) -> dict[str, float]:
    """Return our figure over the best of the others, where there are any."""
    figures = {name: {library: each[figure] for library, each in row.items()} for name, row in rows.items()}
    return {name: row.pop(OURS) / max(row.values()) for name, row in figures.items() if len(row) > 1}


def show(report: dict[str, Any]) -> None:
    """Print medians as a table."""
    table = Table("thousand items/s", OURS, *PEERS, "ours to the best: medians", "fastest", width=120)
    for name, row in report["items_per_s"].items():
        cells = [f"{row[library]['median'] / 1000:,.0f}" if library in row else "-" for library in (OURS, *PEERS)]
        found = (report[kind].get(name) for kind in ("ratios_of_medians", "ratios_of_fastest"))
        table.add_row(name, *cells, *(f"{ratio:.2f}" if ratio else "-" for ratio in found))
    console = Console(soft_wrap=True)
    console.print(table)
    for what, why in report["missing"].items():
        console.print(f"{what}: {why}", markup=False)


if __name__ == "__main__":
    main()
