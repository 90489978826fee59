"""Train Q-learning on Grid with two actors through the three services, and look at the result.

`python -m examples.demo` takes about twenty seconds and leaves an animation in out/grid.gif.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import srl
from srl.algorithms import ql

ACTOR_NUM = 2
TRAIN_S = 15
EVALUATE_EPISODES = 100
GIF = Path("out/grid.gif")


def main() -> None:
    runner = srl.Runner("Grid", ql.Config())
    train(runner)
    evaluate(runner)
    show(runner)


def train(runner: srl.Runner) -> None:
    """Start a memory service, a learner and two actors as processes; afterwards the runner has what they learned."""
    print(f"Training Q-learning on Grid for {TRAIN_S} s: a memory service, a learner and {ACTOR_NUM} actors.\n")
    runner.set_progress(start_time=0.5, interval_limit=1)
    runner.train_mp(actor_num=ACTOR_NUM, timeout=TRAIN_S)


def evaluate(runner: srl.Runner) -> None:
    """Play without exploring, and compare with what the environment calls good."""
    reward = np.mean(runner.evaluate(EVALUATE_EPISODES, enable_progress=False))
    baseline = runner.env.reward_baseline["baseline"]
    print(f"\nMean reward of {EVALUATE_EPISODES} episodes: {reward:.3f} (baseline of Grid: {baseline}).\n")


def show(runner: srl.Runner) -> None:
    """Print an episode, and draw another one."""
    print("An episode: P is the player, G the goal, X the hole; below it the value of each action.\n")
    runner.render_terminal()
    runner.animation_save_gif(GIF, enable_progress=False)
    print(f"\nAnother one is drawn in {GIF.resolve()}")


if __name__ == "__main__":
    main()
