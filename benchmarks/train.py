"""Q-learning on Grid, ours beside srl-framework 1.4.5: `python -m benchmarks.train --json FILE`.

The same algorithm (q_learning.py) runs under both libraries, in one process and with two actors. Figures are env
steps a second, summed over the actors and without the time to start; medians of interleaved runs, with
minimum and maximum.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path

from benchmarks.compare import interleave, machine, peer_python, run_json, spread

PEER = "srl-framework==1.4.5"
SCRIPT = str(Path(__file__).parent / "train_once.py")
STEPS = "env_steps_per_s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="where to write the figures")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0, help="of one run")
    args = parser.parse_args()
    pythons = {"srl": sys.executable, PEER: peer_python(PEER)}
    cases = {
        f"{library} {mode}": partial(
            run_json, [python, SCRIPT, "--mode", mode, "--seconds", str(args.seconds)], args.seconds + 120
        )
        for mode in ("train", "train_mp")
        for library, python in pythons.items()
    }
    results = interleave(cases, args.repeats)
    report = summarize(results)
    show(report)
    if args.json:
        Path(args.json).write_text(json.dumps(report, indent=2) + "\n")


def summarize(results: dict[str, list[dict[str, float]]]) -> dict[str, object]:
    """Return figures by case, and the ratios of medians that the comparison is about."""
    figures = {
        case: {key: spread(runs, key) for key in (STEPS, "trained_per_s", "reward")} for case, runs in results.items()
    }
    median = {case: figures[case][STEPS]["median"] for case in figures}
    return {
        "machine": machine(),
        "figures": figures,
        "ratios": {
            "train / peer's train": median["srl train"] / median[f"{PEER} train"],
            "train_mp / peer's train_mp": median["srl train_mp"] / median[f"{PEER} train_mp"],
            "train_mp / our train": median["srl train_mp"] / median["srl train"],
        },
    }


def show(report: dict[str, object]) -> None:
    """Print the report as a table."""
    for case, figures in dict(report["figures"]).items():  # type: ignore[call-overload]
        row = [f"{figures[key]['median']:>12,.0f} ({figures[key]['min']:,.0f} to {figures[key]['max']:,.0f})"
               for key in (STEPS, "trained_per_s")]  # fmt: skip
        print(f"{case:32} steps/s {row[0]:36} trained/s {row[1]:36} reward {figures['reward']['median']:.2f}")
    for name, ratio in dict(report["ratios"]).items():  # type: ignore[call-overload]
        print(f"{name:32} {ratio:.2f}")


if __name__ == "__main__":
    main()
