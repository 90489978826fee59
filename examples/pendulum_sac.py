"""SAC on Pendulum-v1 of gymnasium: a pendulum is swung up and held there.

Random play has about -1200 an episode; this comes to about -190.
`python -m examples.pendulum_sac --steps 8000` takes about a minute, and needs the extra `srl-cluster[gymnasium]`.
"""

from __future__ import annotations

import argparse

import numpy as np

import srl
from srl.algorithms import sac


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="SAC on Pendulum-v1")
    parser.add_argument("--steps", type=int, default=8_000, help="steps of training")
    parser.add_argument("--episodes", type=int, default=10, help="episodes of evaluation")
    options = parser.parse_args(arguments)

    config = sac.Config(hidden_sizes=[64, 64])
    config.memory.warmup_size = 1_000
    runner = srl.Runner("Pendulum-v1", config)
    runner.train(max_steps=options.steps)

    rewards = runner.evaluate(options.episodes, enable_progress=False)
    print(f"mean reward of {options.episodes} episodes: {np.mean(rewards):.1f}")


if __name__ == "__main__":
    main()
