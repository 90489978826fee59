"""GymUserWrapper: where a user says what an environment of gymnasium looks like here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import gymnasium

    from srl.base.spaces.space import SpaceBase


class GymUserWrapper:
    """Stands between gymnasium and this package: `EnvConfig("CartPole-v1", gym_wrapper=MyWrapper())`.

    Override what is to be otherwise. `env` is gymnasium's environment. To reach other processes (`train_mp`),
    a wrapper is a dataclass at the top level of a module.
    """

    def remap_action_space(self, env: gymnasium.Env[Any, Any]) -> SpaceBase[Any] | None:
        """Return the space of actions; None is that of gymnasium, converted."""
        return None

    def remap_action(self, action: Any, env: gymnasium.Env[Any, Any]) -> Any:
        """Return the action that gymnasium gets. It comes out of `remap_action_space`, or from gymnasium's space."""
        return action

    def remap_observation_space(self, env: gymnasium.Env[Any, Any]) -> SpaceBase[Any] | None:
        """Return the space of states; None is that of gymnasium, converted."""
        return None

    def remap_observation(self, observation: Any, env: gymnasium.Env[Any, Any]) -> Any:
        """Turn what gymnasium observed into a state of `remap_observation_space`, or of gymnasium's space."""
        return observation

    def remap_reward(self, reward: float, env: gymnasium.Env[Any, Any]) -> float:
        """Return the reward of a step."""
        return reward

    def remap_done(self, terminated: bool, truncated: bool, env: gymnasium.Env[Any, Any]) -> tuple[bool, bool]:
        """Return whether the episode has come to its end, and whether it was cut short."""
        return terminated, truncated
