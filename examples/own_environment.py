"""An environment of one's own, and Dyna-Q that learns it: bring the lift to who waits, and open its door there.

`python -m examples.own_environment --steps 3000` takes about a second, and then prints a ride.
"""

from __future__ import annotations

import argparse
import random
from typing import Any

import numpy as np

import srl
from srl.algorithms import dynaq
from srl.base.env import EnvBase
from srl.base.env.registration import register
from srl.base.spaces import ArrayDiscreteSpace, DiscreteSpace

FLOORS = 6
ACTIONS = ("down", "open", "up")


class Lift(EnvBase[DiscreteSpace, int, ArrayDiscreteSpace, list[int]]):
    """The state is [floor of the lift, floor of the caller]. Each move costs 0.1, and the meeting brings 1."""

    max_episode_steps = 30
    player_num = 1

    @property
    def action_space(self) -> DiscreteSpace:
        return DiscreteSpace(len(ACTIONS))

    @property
    def observation_space(self) -> ArrayDiscreteSpace:
        return ArrayDiscreteSpace(2, 0, FLOORS - 1)

    def reset(self, *, seed: int | None = None, **_kwargs: Any) -> list[int]:
        self.lift, self.caller = random.Random(seed).sample(range(FLOORS), 2)
        return [self.lift, self.caller]

    def step(self, action: int) -> tuple[list[int], float, bool, bool]:
        self.lift = min(max(self.lift + action - 1, 0), FLOORS - 1)
        met = ACTIONS[action] == "open" and self.lift == self.caller
        return [self.lift, self.caller], 1.0 if met else -0.1, met, False

    def action_to_str(self, action: str | int) -> str:
        return ACTIONS[int(action)]

    def render_terminal(self, **_kwargs: Any) -> None:
        print("".join("L" if f == self.lift else "c" if f == self.caller else "." for f in range(FLOORS)))


register("Lift", __name__ + ":Lift", check_duplicate=False)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="An environment of one's own")
    parser.add_argument("--steps", type=int, default=3_000, help="steps of training")
    options = parser.parse_args(arguments)
    runner = srl.Runner("Lift", dynaq.Config())
    runner.train(max_steps=options.steps, enable_progress=False)
    runner.render_terminal()
    print(f"mean reward of 100 rides: {np.mean(runner.evaluate(100, enable_progress=False)):.2f} (at best about 0.8)")


if __name__ == "__main__":
    main()
