"""Do the algorithms learn, and how fast: `python -m benchmarks.learning --json FILE [--quick] [--plot FILE]`.

DQN, PPO and SAC beside those of stable-baselines3, at equal hyperparameters (learning_cases.py) and on one thread
each: env steps and seconds until the threshold. Every so many steps, with the clock at rest, both play evaluation
episodes without exploration in an environment of their own; the threshold is reached when the mean of 100 of them is
at or above it. Each run is a process of its own; runs of the two sides take turns. Figures are medians over the seeds,
with minimum and maximum.

Then the algorithms without networks, each trained for a fixed number of steps.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.compare import STABLE_BASELINES3, between, machine, peer_python, run_json, spread
from benchmarks.learning_cases import CASES, TABLE_CASES

SCRIPT = str(Path(__file__).parent / "learning_once.py")
RUN_TIMEOUT_S = 3600
FIGURES = ("env_steps", "wall_s", "cpu_s", "reward")

Runs = dict[str, dict[str, list[dict[str, Any]]]]
"""By case, by library, one result a seed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", help="where to write the figures")
    parser.add_argument("--plot", metavar="FILE", help="where to draw the learning curves, such as learning.png")
    parser.add_argument("--quick", action="store_true", help="one seed a case")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cases", nargs="+", choices=[*CASES, *TABLE_CASES], default=[*CASES, *TABLE_CASES])
    args = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    runs = run_all(args.cases, 1 if args.quick else args.seeds)
    report = summarize(runs)
    if args.json:
        Path(args.json).write_text(json.dumps({**report, "runs": runs}, indent=2) + "\n")
    if args.plot:
        plot(runs, args.plot)
    show(report)


def run_all(cases: list[str], seeds: int) -> Runs:
    """Run each case on both sides with each seed, and show how far it is."""
    plan = [(case, seed, library) for case in cases for seed in range(1, seeds + 1) for library in libraries(case)]
    pythons = {"srl": sys.executable, "table": sys.executable}
    if any(library == "stable-baselines3" for *_, library in plan):
        pythons["stable-baselines3"] = peer_python(*STABLE_BASELINES3)
    runs: Runs = {case: {library: [] for library in libraries(case)} for case in cases}
    columns = TextColumn("{task.description:40}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=len(plan))
        for case, seed, library in plan:
            progress.update(task, description=f"{case}, seed {seed}, {library}")
            command = [pythons[library], SCRIPT, "--library", library, "--case", case, "--seed", str(seed)]
            runs[case][library].append(run_json(command, RUN_TIMEOUT_S))
            progress.advance(task)
    return runs


def libraries(case: str) -> list[str]:
    return ["srl", "stable-baselines3"] if case in CASES else ["table"]


def summarize(runs: Runs) -> dict[str, Any]:
    """Return figures by case and library, and by case the ratio of medians, theirs to ours."""
    figures = {
        case: {
            library: {
                "seeds": len(results),
                "reached": int(sum(result["reached"] for result in results)),
                **{key: spread(results, key) for key in FIGURES},
            }
            for library, results in libraries_.items()
        }
        for case, libraries_ in runs.items()
    }
    ratios = {
        case: {
            key: by_library["stable-baselines3"][key]["median"] / by_library["srl"][key]["median"]
            for key in ("env_steps", "wall_s", "cpu_s")
        }
        for case, by_library in figures.items()
        if case in CASES
    }
    return {"machine": machine(), "peer": STABLE_BASELINES3[0], "figures": figures, "ratios": ratios}


def show(report: dict[str, Any]) -> None:
    """Print the report as a table."""
    titles = "algorithm", "environment", "library", "threshold", "reached", "env steps", "seconds", "reward"
    table = Table(*titles, width=140)
    for name, by_library in report["figures"].items():
        case: Any = CASES.get(name) or TABLE_CASES[name]
        for library, figures in by_library.items():
            table.add_row(
                name,
                case.env,
                "srl" if library == "table" else library,
                str(case.threshold),
                f"{figures['reached']}/{figures['seeds']}",
                *(between(figures[key], digits) for key, digits in (("env_steps", 0), ("wall_s", 0), ("reward", 2))),
            )
    console = Console(soft_wrap=True)
    console.print(table)
    for name, ratio in report["ratios"].items():
        console.print(f"{name}: stable-baselines3 takes {ratio['wall_s']:.1f} times the seconds of ours on the wall, ")
        console.print(f"  {ratio['cpu_s']:.1f} times of CPU, and {ratio['env_steps']:.1f} times the env steps")


def plot(runs: Runs, path: str) -> None:
    """Draw reward by env steps and by seconds, a line a run, of the cases that have curves."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    cases = [case for case in runs if case in CASES]
    if not cases:
        return
    figure, axes = plt.subplots(len(cases), 2, figsize=(10, 3 * len(cases)), squeeze=False, layout="constrained")
    for row, case in zip(axes, cases, strict=True):
        for axis, x, label in zip(row, (0, 1), ("env steps", "seconds on the wall"), strict=True):
            draw_curves(axis, runs[case], x)
            axis.axhline(CASES[case].threshold, color="gray", linestyle=":")
            axis.set(title=f"{case} on {CASES[case].env}", xlabel=label, ylabel="mean return")
        row[0].legend()
    figure.savefig(path)


def draw_curves(axis: Any, by_library: dict[str, list[dict[str, Any]]], x: int) -> None:
    for color, (library, results) in zip(("C0", "C1"), by_library.items(), strict=True):
        for number, result in enumerate(results):
            points = result["points"]
            label = library if number == 0 else None
            axis.plot([point[x] for point in points], [point[2] for point in points], color=color, label=label)


if __name__ == "__main__":
    main()
