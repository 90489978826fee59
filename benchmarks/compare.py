"""Runs of ours and of another library's: interleaved, each in a process of its own, as medians and spread."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PEERS = Path(__file__).parent.parent / "out" / "peers"
TORCH = "torch==2.13.0"
STABLE_BASELINES3 = ("stable-baselines3==2.9.2", TORCH)
"""What `peer_python` takes for it; without a version of PyTorch named, pip installs the newest one."""


def peer_python(requirement: str, *more: str) -> str:
    """Return the interpreter of a virtual environment for that package, and what it needs, made at the first call.

    Raises CalledProcessError when it cannot be installed.
    """
    folder = PEERS / requirement.replace("==", "-")
    python = folder / "bin" / "python"
    if not (folder / ".installed").exists():
        print(f"installing {requirement} into {folder} (once)", file=sys.stderr)
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", requirement, *more], check=True)
        (folder / ".installed").touch()
    return str(python)


def run_json(command: Sequence[str], timeout_s: float) -> dict[str, float]:
    """Run a command and return the JSON of its line that begins with RESULT."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, env=environ, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            return dict(json.loads(line.removeprefix("RESULT ")))
    raise RuntimeError(f"{' '.join(command)} gave no result:\n{done.stdout}\n{done.stderr}")


def interleave(cases: dict[str, Callable[[], dict[str, float]]], repeats: int) -> dict[str, list[dict[str, float]]]:
    """Run every case `repeats` times, in turn, so that a slow phase of the machine meets all of them."""
    results: dict[str, list[dict[str, float]]] = {name: [] for name in cases}
    for turn in range(repeats):
        for name, run in cases.items():
            results[name].append(run())
            print(f"{turn + 1}/{repeats} {name}: {results[name][-1]}", file=sys.stderr)
    return results


def spread(results: list[dict[str, float]], key: str) -> dict[str, float]:
    """Return minimum, median and maximum of one figure."""
    values = [result[key] for result in results]
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def between(figure: dict[str, float], digits: int) -> str:
    """Return a figure of `spread` as people read it."""
    low, median, high = (f"{figure[key]:,.{digits}f}" for key in ("min", "median", "max"))
    return median if low == high else f"{median} ({low} to {high})"


def machine() -> dict[str, str | int | None]:
    """Return what the figures were taken on."""
    return {"python": platform.python_version(), "machine": platform.machine(), "cores": os.cpu_count()}
