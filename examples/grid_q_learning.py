"""Q-learning on Grid in this process: what it learned as arrows, one for each cell, and how good that is.

`python -m examples.grid_q_learning --steps 20000` takes about a second. The way along the top, away from the hole,
is the best: the player slips to either side once in ten moves.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import srl
from srl.algorithms import ql
from srl.envs.grid import ARROWS, FIELD, WALL


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Q-learning on Grid")
    parser.add_argument("--steps", type=int, default=20_000, help="steps of training")
    parser.add_argument("--episodes", type=int, default=500, help="episodes of evaluation")
    options = parser.parse_args(arguments)

    runner = srl.Runner("Grid", ql.Config(lr=0.02))
    runner.train(max_steps=options.steps)
    print(f"\n{arrows(runner.parameter)}\n")

    rewards = runner.evaluate(options.episodes, enable_progress=False)
    baseline = runner.env.reward_baseline["baseline"]
    print(f"mean reward of {options.episodes} episodes: {np.mean(rewards):.3f} (baseline of Grid: {baseline})")


def arrows(parameter: Any) -> str:
    """Return the field with the best action of each cell that was visited."""
    return "\n".join(
        "".join(arrow(parameter, (x, y)) if cell not in f"{WALL}GX" else cell for x, cell in enumerate(row))
        for y, row in enumerate(FIELD)
    )


def arrow(parameter: Any, cell: tuple[int, int]) -> str:
    values = parameter.q.get(cell)
    return ARROWS[int(np.argmax(values))] if values else " "


if __name__ == "__main__":
    main()
