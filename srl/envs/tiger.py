"""Tiger: behind one of two doors waits a tiger, and one can only listen for it.

The partially observable problem of Kaelbling, Littman and Cassandra, "Planning and acting in partially
observable stochastic domains", Artificial Intelligence 101 (1998), section 5.1. Here the episode ends when
a door is opened.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from srl.base.env.genre import SinglePlayEnv
from srl.base.spaces.discrete import DiscreteSpace

if TYPE_CHECKING:
    from srl.base.define import KeyBindType

LISTEN, OPEN_LEFT, OPEN_RIGHT = range(3)
LEFT, RIGHT = range(2)
_DOORS = ("left", "right")


@dataclass
class Tiger(SinglePlayEnv[DiscreteSpace, int, DiscreteSpace, int]):
    """Actions: 0 listen, 1 open the left door, 2 the right one. Observations: 0 it roars left, 1 right.

    After listening, the side is right with probability `accuracy`. The first observation, and the one after a
    door was opened, are as likely the one as the other: they tell nothing.
    """

    accuracy: float = 0.85
    listen_reward: float = -1.0
    tiger_reward: float = -100.0
    treasure_reward: float = 10.0

    def __post_init__(self) -> None:
        super().__init__()
        self._random = random.Random()
        self.tiger = LEFT
        self.heard = LEFT

    @property
    def action_space(self) -> DiscreteSpace:
        return DiscreteSpace(3)

    @property
    def observation_space(self) -> DiscreteSpace:
        return DiscreteSpace(2)

    @property
    def max_episode_steps(self) -> int:
        return 50

    @property
    def reward_range(self) -> tuple[float, float]:
        return (self.listen_reward * (self.max_episode_steps - 1) + self.tiger_reward, self.treasure_reward)

    @property
    def reward_baseline(self) -> dict[str, float]:
        """The best policy opens once one side was heard three times more than the other: 5.2 on average."""
        return {"episode": 1000, "baseline": 4.0}

    def reset(self, *, seed: int | None = None, **_kwargs: Any) -> int:
        if seed is not None:
            self._random.seed(seed)
        self.tiger = self._random.randrange(2)
        self.heard = self._random.randrange(2)
        return self.heard

    def step(self, action: int) -> tuple[int, float, bool, bool]:
        if action == LISTEN:
            self.heard = self.tiger if self._random.random() < self.accuracy else 1 - self.tiger
            return self.heard, self.listen_reward, False, False
        self.heard = self._random.randrange(2)
        is_tiger = action == (OPEN_LEFT, OPEN_RIGHT)[self.tiger]
        return self.heard, self.tiger_reward if is_tiger else self.treasure_reward, True, False

    def backup(self) -> tuple[int, int]:
        return self.tiger, self.heard

    def restore(self, data: tuple[int, int]) -> None:
        self.tiger, self.heard = data

    # --- for people

    def action_to_str(self, action: str | int) -> str:
        return ("listen", "open left", "open right")[int(action)]

    def get_key_bind(self) -> KeyBindType:
        return {"s": LISTEN, "a": OPEN_LEFT, "d": OPEN_RIGHT}

    @property
    def render_interval(self) -> float:
        return 1000 / 2

    def render_terminal(self, **_kwargs: Any) -> None:
        print(f"tiger: {_DOORS[self.tiger]}, heard: {_DOORS[self.heard]}\n")
