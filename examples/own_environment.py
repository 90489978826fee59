"""An environment of one's own, and Dyna-Q that learns it: thread a lift through a building to who is waiting.

`python -m examples.own_environment --steps 3000` takes about a second, and then prints a ride.
"""

from __future__ import annotations

import argparse
import random
from typing import Any

import numpy as np

import srl
from srl.algorithms import dynaq
from srl.base.env.registration import register
from srl.base.spaces import ArrayDiscreteSpace, DiscreteSpace

FLOORS = 6


class Lift(srl.EnvBase[DiscreteSpace, int, ArrayDiscreteSpace, list[int]]):
    """The state is [floor of the lift, floor of the caller]; actions are down, open the door, up."""

    action_space = DiscreteSpace(3)
    observation_space = ArrayDiscreteSpace(2, 0, FLOORS - 1)
    max_episode_steps = 30
    player_num = 1

    def reset(self, *, seed: int | None = None, **kwargs: Any) -> list[int]:
        self.floor, self.caller = random.sample(range(FLOORS), 2)
        return [self.floor, self.caller]

    def step(self, action: int) -> tuple[list[int], float, bool, bool]:
        self.floor = min(max(self.floor + action - 1, 0), FLOORS - 1)
        met = action == 1 and self.floor == self.caller
        return [self.floor, self.caller], 1.0 if met else -0.1, met, False

    def action_to_str(self, action: str | int) -> str:
        return ("down", "open", "up")[int(action)]

    def render_terminal(self, **kwargs: Any) -> None:
        print("".join("L" if f == self.floor else "c" if f == self.caller else "." for f in range(FLOORS)))


register("Lift", __name__ + ":Lift", check_duplicate=False)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="An environment of one's own")
    parser.add_argument("--steps", type=int, default=3_000, help="steps of training")
    options = parser.parse_args(arguments)
    runner = srl.Runner("Lift", dynaq.Config())
    runner.train(max_steps=options.steps, enable_progress=False)
    runner.render_terminal()
    print(f"mean reward of 100 rides: {np.mean(runner.evaluate(100, enable_progress=False)):.2f}")


if __name__ == "__main__":
    main()
