"""Environments of gymnasium for tests, registered there: one for each kind of space, and one with extra methods."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import EzPickle

from srl.base.rl.algorithms.env_worker import EnvWorker


class Echo(gymnasium.Env[Any, Any]):
    """Observes samples of its space, and remembers the actions that it got. Ends after 5 steps."""

    metadata: ClassVar = {"render_modes": ["ansi"], "render_fps": 4}

    def __init__(
        self, observation_space: Any = None, action_space: Any = None, reward: Any = 1, render_mode: str | None = None
    ) -> None:
        self.observation_space = observation_space or spaces.Discrete(3)
        self.action_space = action_space or spaces.Discrete(2)
        self.observation_space.seed(0)
        self.render_mode = render_mode
        self.reward = reward
        self.actions: list[Any] = []
        self.observed: list[Any] = []
        self.options: Any = None

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.actions = []
        self.options = options
        return self._observe(), {"level": 1}

    def step(self, action: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        assert self.action_space.contains(action), action
        self.actions.append(action)
        info = {"mask": np.ones(2), "action": str(action), "luck": np.float64(0.5)}
        return self._observe(), self.reward, np.bool_(len(self.actions) == 5), False, info

    def _observe(self) -> Any:
        self.observed.append(self.observation_space.sample())
        return self.observed[-1]

    def render(self) -> str:
        return f"{len(self.actions)} steps"


class Extra(Echo, EzPickle):
    """Has every method that gymnasium does not know."""

    def __init__(self, **kwargs: Any) -> None:
        EzPickle.__init__(self)
        super().__init__(action_space=spaces.Discrete(4), **kwargs)
        self.mode: Any = None

    def setup(self, **kwargs: Any) -> None:
        self.mode = kwargs["render_mode"]

    def backup(self) -> int:
        return len(self.actions)

    def restore(self, data: int) -> None:
        self.actions = [0] * data

    def get_invalid_actions(self, player_index: int) -> list[int]:
        return [3]

    def action_to_str(self, action: int) -> str:
        return "abcd"[action]

    def get_key_bind(self) -> dict[str, int]:
        return {"a": 0}

    def make_worker(self, name: str, **kwargs: Any) -> Any:
        return First(**kwargs) if name == "first" else None

    def get_display_name(self) -> str:
        return "with extras"


class First(EnvWorker):
    """Plays the first valid action."""

    def call_policy(self, env: Any) -> int:
        return env.get_valid_actions()[0]


class Stateful(Echo, EzPickle):
    """Keeps all in attributes; pickling it would make a new one (EzPickle)."""

    def __init__(self, **kwargs: Any) -> None:
        EzPickle.__init__(self, **kwargs)
        super().__init__(**kwargs)
        self.mapping = {"self": self}
        self.callback = lambda: len(self.actions)


class Uncopyable(Echo):
    """Holds a generator, which cannot be copied."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stream = (i for i in range(3))


def make_echo(env_id: str, **kwargs: Any) -> gymnasium.Env[Any, Any]:
    """Make an environment by a function, with a limit of its own."""
    return gymnasium.make("test/Echo-v0", max_episode_steps=3, **kwargs)


for cls in (Echo, Extra, Stateful, Uncopyable):
    if f"test/{cls.__name__}-v0" not in gymnasium.registry:
        gymnasium.register(f"test/{cls.__name__}-v0", cls, max_episode_steps=7, reward_threshold=4)
