"""How fast a cluster of containers comes, grows, mends itself and goes: `python -m benchmarks.cluster --json FILE`.

It is what docker-compose.yml says, with two actors and without Grafana, on a real engine. The image is built before;
each repeat begins without containers and volumes, and makes its keys. Training and actors are seen by Prometheus, which
looks every 2 s. Figures are seconds: medians of the repeats, with minimum and maximum, beside what is aimed at.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from benchmarks.compare import between, interleave, machine, spread
from benchmarks.containers import PATIENCE_S, SERVICES, STEPS_BY_ACTOR, TRAINED, Cluster, engine_is_here, until

if TYPE_CHECKING:
    from collections.abc import Callable

HEALTHY = "up --wait: all healthy"
TRAINS = "up --wait: first update seen"
SCALED = "--scale actor=4, from 2: all four counted"
DOWN = "down: all ended with exit code 0"
TARGETS_S = {TRAINS: 20.0, SCALED: 10.0, DOWN: 10.0}
"""The others have none of their own."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", help="where to write the figures")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    if not engine_is_here():
        sys.exit("no Docker engine with Compose answers here")
    with TemporaryDirectory() as folder:
        cluster = Cluster(Path(folder))
        cluster.build()
        try:
            runs = interleave({"cluster": partial(measure, cluster)}, args.repeats)["cluster"]
        finally:
            cluster.remove()
    report = summarize(runs)
    if args.json:
        Path(args.json).write_text(json.dumps({**report, "runs": runs}, indent=2) + "\n")
    show(report)


def measure(cluster: Cluster) -> dict[str, float]:
    """Return the seconds of one life of a cluster, by what they were needed for."""
    cluster.remove()
    begun_s = time.monotonic()
    cluster.up(actors=2)
    seconds = {HEALTHY: time.monotonic() - begun_s}
    until(lambda: cluster.value(TRAINED) > 0, "the default job trains", PATIENCE_S)
    seconds[TRAINS] = time.monotonic() - begun_s
    seconds[SCALED] = _timed(partial(_scale, cluster, 4))
    for service in SERVICES:
        seconds[f"kill -9 of {service}: healthy again"] = _timed(partial(_kill, cluster, service))
    return {**seconds, DOWN: _timed(partial(_end, cluster))}


def _timed(act: Callable[[], None]) -> float:
    begun_s = time.monotonic()
    act()
    return time.monotonic() - begun_s


def _scale(cluster: Cluster, actors: int) -> None:
    cluster.scale(actors)
    until(lambda: len(cluster.query(STEPS_BY_ACTOR)) == actors, f"{actors} actors are counted", PATIENCE_S)


def _kill(cluster: Cluster, service: str) -> None:
    container = cluster.kill(service)
    until(lambda: cluster.is_back(container), f"{service} is back", PATIENCE_S)


def _end(cluster: Cluster) -> None:
    since_s = time.time()
    cluster.compose("down")
    codes = cluster.died(since_s)
    if any(any(each) for each in codes.values()):
        raise RuntimeError(f"not all containers ended with exit code 0: {codes}")


def summarize(runs: list[dict[str, float]]) -> dict[str, Any]:
    """Return minimum, median and maximum by what was measured, and the targets that there are."""
    return {"machine": machine(), "seconds": {what: spread(runs, what) for what in runs[0]}, "targets_s": TARGETS_S}


def show(report: dict[str, Any]) -> None:
    """Print the report as a table."""
    table = Table("docker compose", "seconds", "target", title="A cluster of containers")
    for what, figure in report["seconds"].items():
        target = report["targets_s"].get(what)
        colour = "" if target is None else "green" if figure["median"] <= target else "red"
        table.add_row(what, between(figure, 1), "" if target is None else f"{target:.0f}", style=colour)
    Console(soft_wrap=True).print(table)


if __name__ == "__main__":
    main()
