"""An environment of PettingZoo, whose agents act one after the other (AEC), as one of this package."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from gymnasium import spaces

from srl.base.env.foreign_env import ForeignEnv
from srl.base.env.gymnasium_spaces import convert_action_space, convert_observation_space
from srl.base.exception import NotSupportedError, UndefinedError
from srl.base.spaces.discrete import DiscreteSpace
from srl.utils.entry_point import load_module
from srl.utils.optional_package import import_optional
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from srl.base.spaces.space import SpaceBase

pettingzoo = import_optional("pettingzoo", "an environment of PettingZoo", "pettingzoo")
_exceptions = pettingzoo.env_registry.exceptions

_MASK = "action_mask"
_OBSERVATION = "observation"


class PettingZooWrapper(ForeignEnv):
    """Plays an environment of PettingZoo; player i is its i-th possible agent.

    `env` is an id of PettingZoo such as "classic/tictactoe_v3", or "module:function" of a function that returns
    an AECEnv or a ParallelEnv; `kwargs` are the arguments to make it with. In a ParallelEnv all agents
    choose before the world moves: they are asked in turn.

    A mask of actions, in the observation or in the info of an agent, becomes invalid actions. An agent that is
    out (terminated or truncated) has no more turns; the episode ends when all are. It counts as truncated if any
    of them was, and not terminated.
    Raises UndefinedError for an unknown id, UsageError for what cannot be made, NotSupportedError unless all
    agents have the same spaces.
    """

    def __init__(self, env: str, **kwargs: Any) -> None:
        self._name = env
        self._kwargs = kwargs
        super().__init__()

    def make(self, mode: str) -> None:
        self.env = _make(self._name, {**self._kwargs, "render_mode": mode} if mode else self._kwargs)
        self._agents: list[Any] = list(getattr(self.env, "possible_agents", []))
        if not self._agents:
            raise NotSupportedError(f"{self._name} does not say which agents there are (possible_agents)")
        observation_space = self._common("observation_space", self.env.observation_space)
        self._is_masked = isinstance(observation_space, spaces.Dict) and set(observation_space) == {_OBSERVATION, _MASK}
        self._actions = convert_action_space(self._common("action_space", self.env.action_space))
        self._observations = convert_observation_space(
            observation_space[_OBSERVATION] if self._is_masked else observation_space
        )

    def _common(self, name: str, of: Callable[[Any], Any]) -> Any:
        first, *others = [of(agent) for agent in self._agents]
        if any(other != first for other in others):
            raise NotSupportedError(
                f"the agents of {self._name} differ in their {name}: "
                "bring them to one, such as with wrappers of SuperSuit"
            )
        return first

    # --- what it is

    @property
    def action_space(self) -> SpaceBase[Any]:
        return self._actions.space

    @property
    def observation_space(self) -> SpaceBase[Any]:
        return self._observations.space

    @property
    def player_num(self) -> int:
        return len(self._agents)

    # --- the episode

    def reset(self, *, seed: int | None = None, **kwargs: Any) -> Any:
        """Begin an episode; `kwargs` are PettingZoo's `options`."""
        self.info.clear()
        self.env.reset(seed=seed, options=kwargs or None)
        self._is_truncated = False
        return self._look()

    def step(self, action: Any) -> tuple[Any, list[float], bool, bool]:
        env = self.env
        env.step(self._actions.to_gym(action))
        rewards = [float(env.rewards.get(agent, 0)) for agent in self._agents]
        self._is_truncated |= any(cut and not env.terminations[agent] for agent, cut in env.truncations.items())
        is_over = all(self._is_out(agent) for agent in env.agents)
        if not is_over:
            self._let_those_leave_who_are_out()
        return self._look(), rewards, is_over and not self._is_truncated, is_over and self._is_truncated

    def _is_out(self, agent: Any) -> bool:
        return bool(self.env.terminations[agent] or self.env.truncations[agent])

    def _let_those_leave_who_are_out(self) -> None:
        while self._is_out(self.env.agent_selection):
            self.env.step(None)

    def _look(self) -> Any:
        """Take note of whose turn it is, and return what that agent sees."""
        agent = self.env.agent_selection
        self.next_player = self._agents.index(agent)
        self.show(self.env.infos[agent])
        observation = self.env.observe(agent)
        return self._observations.from_gym(observation[_OBSERVATION] if self._is_masked else observation)

    def get_invalid_actions(self, player_index: int = -1) -> list[Any]:
        agent = self._agents[self.next_player if player_index < 0 else player_index]
        mask = self._mask_of(agent) if agent in self.env.agents else None
        space = self._actions.space
        if mask is None or not isinstance(space, DiscreteSpace):
            return super().get_invalid_actions(player_index)
        invalid_actions = [space.start + i for i, is_valid in enumerate(mask) if not is_valid]
        return invalid_actions if len(invalid_actions) < space.n else []  # all: it is just not this agent's turn

    def _mask_of(self, agent: Any) -> Any:
        """Return 1 for each action that the agent may choose and 0 for the others, or None."""
        return self.env.observe(agent)[_MASK] if self._is_masked else self.env.infos[agent].get(_MASK)

    def backup(self) -> Any:
        return self._is_truncated, super().backup()

    def restore(self, data: Any) -> None:
        self._is_truncated, env = data
        super().restore(env)


def _make(name: str, kwargs: dict[str, Any]) -> Any:
    """Return the environment of an id, or of the function that "module:function" names."""
    env = load_module(name)(**kwargs) if ":" in name else _make_by_id(name, kwargs)
    if isinstance(env, pettingzoo.ParallelEnv):
        return pettingzoo.utils.parallel_to_aec(env)
    if not isinstance(env, pettingzoo.AECEnv):
        raise UsageError(f"'{name}' returned {type(env).__name__}, which is neither an AECEnv nor a ParallelEnv")
    return env


def _make_by_id(name: str, kwargs: dict[str, Any]) -> Any:
    try:
        return pettingzoo.make("aec", name, **kwargs)
    except _exceptions.FailedToImport as error:
        raise UsageError(f"environment '{name}': {error}") from error
    except _exceptions.PettingZooRegistryError as error:
        raise UndefinedError(f"there is no environment '{name}' in PettingZoo. {_suggest(name)}") from error


def _suggest(name: str) -> str:
    known = list(pettingzoo.aec_registry)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    return f"{hint}Known: {', '.join(known)}. Your own: 'pettingzoo:module:function'"
