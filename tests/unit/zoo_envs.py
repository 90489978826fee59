"""Games against PettingZoo's API, for tests: one of three agents who leave at different times, one of two at once."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.utils import AgentSelector

AGENTS = ["a", "b", "c"]


class Candles(AECEnv):
    """Each agent has a candle, of length 2, 3 and 4, and blows out as much as its action says, from 1 on.

    Whoever acts gives the next agent 1 and itself -0.5. Whose candle is out leaves with 10.
    After `limit` actions all are cut off. Its own number is not allowed to agent i in its first turn.
    """

    metadata: ClassVar = {"name": "candles", "render_modes": ["ansi"], "is_parallelizable": False}

    def __init__(self, limit: int = 100, mask_in: str = "info", render_mode: str | None = None) -> None:
        super().__init__()
        self.possible_agents = AGENTS[:]
        self.limit = limit
        self.mask_in = mask_in
        self.render_mode = render_mode
        observation = spaces.Box(0, 9, (2,), np.int64)
        masked = spaces.Dict({"observation": observation, "action_mask": spaces.MultiBinary(3)})
        self.observation_spaces = dict.fromkeys(AGENTS, masked if mask_in == "observation" else observation)
        self.action_spaces = {agent: spaces.Discrete(3) for agent in AGENTS}

    def observation_space(self, agent: str) -> Any:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: Any = None) -> None:
        self.agents = AGENTS[:]
        self.candles = dict(zip(AGENTS, (2, 3, 4), strict=True))
        self.acted = dict.fromkeys(AGENTS, 0)
        self.rewards = dict.fromkeys(AGENTS, 0.0)
        self._cumulative_rewards = dict.fromkeys(AGENTS, 0.0)
        self.terminations = dict.fromkeys(AGENTS, False)
        self.truncations = dict.fromkeys(AGENTS, False)
        self._set_infos()
        self._selector = AgentSelector(AGENTS)
        self.agent_selection = self._selector.reset()

    def _set_infos(self) -> None:
        self.infos = {agent: {"left": self.candles[agent]} for agent in self.agents}
        if self.mask_in == "info":
            for agent in self.agents:
                self.infos[agent]["action_mask"] = self._mask(agent)

    def _mask(self, agent: str) -> Any:
        mask = np.ones(3, np.int8)
        if self.acted[agent] == 0:
            mask[AGENTS.index(agent)] = 0
        return mask

    def observe(self, agent: str) -> Any:
        seen = np.array([AGENTS.index(agent), max(0, self.candles[agent])])
        return {"observation": seen, "action_mask": self._mask(agent)} if self.mask_in == "observation" else seen

    def step(self, action: Any) -> None:
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            self._selector.reinit([each for each in AGENTS if each in self.agents]) if self.agents else None
            self._skip_to(agent)
            return
        self._cumulative_rewards[agent] = 0
        self._clear_rewards()
        self.acted[agent] += 1
        self.candles[agent] -= 1 + action
        self.rewards[agent] -= 0.5
        self.rewards[self._after(agent)] += 1
        if self.candles[agent] <= 0:
            self.rewards[agent] += 10
            self.terminations[agent] = True
        if sum(self.acted.values()) >= self.limit:
            self.truncations = dict.fromkeys(self.agents, True)
        self._set_infos()
        self._accumulate_rewards()
        self.agent_selection = self._after(agent)
        self._deads_step_first()

    def _skip_to(self, agent: str) -> None:
        """After a dead agent has left: go on with the one behind it."""
        if self.agents and not any(self.terminations.values()) and not any(self.truncations.values()):
            self.agent_selection = self._after(agent)

    def _after(self, agent: str) -> str:
        order = AGENTS[AGENTS.index(agent) + 1 :] + AGENTS[: AGENTS.index(agent) + 1]
        return next(each for each in order if each in self.agents)

    def render(self) -> str:
        return f"candles: {self.candles}"

    def close(self) -> None:
        """Nothing is open."""


class Matching(ParallelEnv):
    """Two agents show 0 or 1 at once; the first wins if they match. Five rounds, then it is cut off."""

    metadata: ClassVar = {"name": "matching"}

    def __init__(self, render_mode: str | None = None) -> None:
        self.possible_agents = ["x", "y"]
        self.render_mode = render_mode

    def observation_space(self, agent: str) -> Any:
        return spaces.Discrete(6)

    def action_space(self, agent: str) -> Any:
        return spaces.Discrete(2)

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        self.agents = self.possible_agents[:]
        self.round = 0
        return dict.fromkeys(self.agents, 0), {agent: {} for agent in self.agents}

    def step(self, actions: Any) -> Any:
        self.round += 1
        won = 1 if actions["x"] == actions["y"] else -1
        rewards = {"x": won, "y": -won}
        over = self.round >= 5
        agents = self.agents
        if over:
            self.agents = []
        return (
            dict.fromkeys(agents, self.round),
            rewards,
            dict.fromkeys(agents, False),
            dict.fromkeys(agents, over),
            {agent: {} for agent in agents},
        )


class Uneven(Candles):
    """The agents have different actions."""

    def action_space(self, agent: str) -> Any:
        return spaces.Discrete(3 if agent == "a" else 2)


class Unknown(Candles):
    """Does not say which agents there are."""

    def __init__(self) -> None:
        super().__init__()
        del self.possible_agents


def nothing() -> int:
    return 1
