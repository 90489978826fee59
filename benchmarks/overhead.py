"""What a step costs, ours beside srl-framework 1.4.5: `python -m benchmarks.overhead --json FILE [--quick]`.

The same environment and algorithm, which do nothing (do_nothing.py), run under both libraries: evaluation and training,
with a Discrete and with a Box of four floats as observation. Figures are env steps a second of CPU time, of one thread
and without the time to set up. Each process makes many short runs, of which the fastest counts, so that a busy machine
changes little; medians of interleaved processes, with minimum and maximum.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path

from benchmarks.compare import interleave, machine, peer_python, run_json, spread

PEER = "srl-framework==1.4.5"
SCRIPT = str(Path(__file__).parent / "overhead_once.py")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="where to write the figures")
    parser.add_argument("--quick", action="store_true", help="few and short runs: to see that it works")
    args = parser.parse_args()
    repeats, runs = (2, 3) if args.quick else (7, 20)
    pythons = {"srl": sys.executable, PEER: peer_python(PEER)}
    cases = {
        library: partial(run_json, [python, SCRIPT, "--runs", str(runs)], 300) for library, python in pythons.items()
    }
    report = summarize(interleave(cases, repeats))
    show(report)
    if args.json:
        Path(args.json).write_text(json.dumps(report, indent=2) + "\n")


def summarize(results: dict[str, list[dict[str, float]]]) -> dict[str, object]:
    """Return env steps a second of CPU time by library and case, and the ratios of medians by case."""
    figures = {library: {case: spread(runs, case) for case in runs[0]} for library, runs in results.items()}
    return {
        "machine": machine(),
        "env_steps_per_s": figures,
        "ratios": {case: mine["median"] / figures[PEER][case]["median"] for case, mine in figures["srl"].items()},
    }


def show(report: dict[str, object]) -> None:
    """Print the report as a table."""
    figures, ratios = dict(report["env_steps_per_s"]), dict(report["ratios"])  # type: ignore[call-overload]
    for case, ratio in ratios.items():
        for library, by_case in figures.items():
            figure = by_case[case]
            print(f"{case:20} {library:24} {figure['median']:>10,.0f} ({figure['min']:,.0f} to {figure['max']:,.0f})")
        print(f"{case:20} ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
