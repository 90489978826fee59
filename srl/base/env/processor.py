"""EnvProcessor: what stands between an environment and everything that plays it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from srl.base.env.env_run import EnvRun
    from srl.base.spaces.space import SpaceBase


@dataclass
class EnvProcessor:
    """Changes spaces, actions, states and rewards of an environment. A subclass is a dataclass.

    Besides the methods below, a subclass may define any of these; each is also given `env_run` by keyword:

    | method                                                | returns                                    |
    |-------------------------------------------------------|--------------------------------------------|
    | remap_reset()                                         | nothing; the environment was just reset    |
    | remap_action(action, prev_space, new_space)           | an action of the environment's own space   |
    | remap_invalid_actions(actions, prev_space, new_space) | the invalid actions of the new space       |
    | remap_observation(state, prev_space, new_space)       | a state of the new space                   |
    | remap_step(rewards, terminated, truncated)            | the three, changed                         |

    `prev_space` is the space on the environment's side, `new_space` the other.
    """

    def setup(self, **kwargs: Any) -> None:
        """Prepare for a run."""

    def remap_action_space(self, prev_space: SpaceBase[Any], **kwargs: Any) -> SpaceBase[Any] | None:
        """Return the new space of actions, or None to leave it as it is."""
        return None

    def remap_observation_space(self, prev_space: SpaceBase[Any], **kwargs: Any) -> SpaceBase[Any] | None:
        """Return the new space of states, or None to leave it as it is."""
        return None

    def backup(self) -> Any:
        """Return what this processor remembers of the episode."""
        return None

    def restore(self, data: Any) -> None:
        """Go back to what `backup` returned."""

    def copy(self) -> Self:
        """Return a processor of its own with the same settings."""
        return copy.deepcopy(self)


Hook = Callable[[Any], Any]


class ProcessorChain:
    """The processors of one environment in order: the first is next to the environment.

    Attributes:
        action_space: the actions, as seen from outside.
        observation_space: the states, as seen from outside.
    """

    def __init__(self, processors: list[EnvProcessor], env_run: EnvRun) -> None:
        self._env_run = env_run
        self._processors = [processor.copy() for processor in processors]
        self._actions: list[Hook] = []
        self._invalid_actions: list[Hook] = []
        self._states: list[Hook] = []
        self._resets: list[Callable[..., None]] = self._defined("remap_reset")
        self._steps: list[Callable[..., tuple[list[float], bool, bool]]] = self._defined("remap_step")
        self.action_space = self._chain_actions(env_run.env.action_space)
        self.observation_space = self._chain_states(env_run.env.observation_space)

    def _defined(self, name: str) -> list[Callable[..., Any]]:
        return [getattr(p, name) for p in self._processors if hasattr(p, name)]

    def _chain_actions(self, space: SpaceBase[Any]) -> SpaceBase[Any]:
        for processor in self._processors:
            new_space = processor.remap_action_space(space, env_run=self._env_run) or space
            self._actions = self._bind(processor, "remap_action", space, new_space) + self._actions
            self._invalid_actions += self._bind(processor, "remap_invalid_actions", space, new_space)
            space = new_space
        return space

    def _chain_states(self, space: SpaceBase[Any]) -> SpaceBase[Any]:
        for processor in self._processors:
            new_space = processor.remap_observation_space(space, env_run=self._env_run) or space
            self._states += self._bind(processor, "remap_observation", space, new_space)
            space = new_space
        return space

    def _bind(
        self, processor: EnvProcessor, name: str, prev_space: SpaceBase[Any], new_space: SpaceBase[Any]
    ) -> list[Hook]:
        remap = getattr(processor, name, None)
        if remap is None:
            return []
        return [lambda value: remap(value, prev_space, new_space, env_run=self._env_run)]

    def setup(self) -> None:
        """Tell every processor that a run begins."""
        for processor in self._processors:
            processor.setup(env_run=self._env_run)

    def reset(self) -> None:
        """Tell every processor that an episode begins."""
        for reset in self._resets:
            reset(env_run=self._env_run)

    def action(self, action: Any) -> Any:
        """Turn an action from outside into one of the environment: the outermost processor comes first."""
        for remap in self._actions:
            action = remap(action)
        return action

    def invalid_actions(self, invalid_actions: list[Any]) -> list[Any]:
        """Turn the environment's invalid actions into those seen from outside."""
        for remap in self._invalid_actions:
            invalid_actions = remap(invalid_actions)
        return invalid_actions

    def state(self, state: Any) -> Any:
        """Turn a state of the environment into the one seen from outside."""
        for remap in self._states:
            state = remap(state)
        return state

    def step(self, rewards: list[float], terminated: bool, truncated: bool) -> tuple[list[float], bool, bool]:
        """Turn what a step brought into what is seen from outside."""
        for remap in self._steps:
            rewards, terminated, truncated = remap(rewards, terminated, truncated, env_run=self._env_run)
        return rewards, terminated, truncated

    def backup(self) -> list[Any]:
        """Return what the processors remember of the episode."""
        return [processor.backup() for processor in self._processors]

    def restore(self, data: list[Any]) -> None:
        """Go back to what `backup` returned."""
        for processor, each in zip(self._processors, data, strict=True):
            processor.restore(each)
