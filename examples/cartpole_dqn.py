"""DQN on CartPole-v1 of gymnasium: a pole on a cart stays upright, one point for each step, 500 at most.

`python -m examples.cartpole_dqn --steps 40000` takes about half a minute, and needs the extra
`srl-cluster[gymnasium]`. Afterwards the pole stays up nearly always.
"""

from __future__ import annotations

import argparse

import numpy as np

import srl
from srl.algorithms import dqn


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="DQN on CartPole-v1")
    parser.add_argument("--steps", type=int, default=40_000, help="steps of training")
    parser.add_argument("--episodes", type=int, default=20, help="episodes of evaluation")
    parser.add_argument("--gif", default="", help="where to draw an episode")
    options = parser.parse_args(arguments)

    config = dqn.Config(lr=5e-4, batch_size=128, target_interval=100, n_step=3, double=False)
    config.memory.warmup_size = 500
    config.epsilon_scheduler.set_linear(1.0, 0.04, 5_000)
    runner = srl.Runner("CartPole-v1", config)
    runner.train(max_steps=options.steps, train_interval=2)

    rewards = runner.evaluate(options.episodes, enable_progress=False)
    print(f"mean reward of {options.episodes} episodes: {np.mean(rewards):.1f}")
    if options.gif:
        runner.animation_save_gif(options.gif, enable_progress=False)
        print(f"an episode is drawn in {options.gif}")


if __name__ == "__main__":
    main()
