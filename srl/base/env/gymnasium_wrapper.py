"""An environment of gymnasium as one of this package."""

from __future__ import annotations

import importlib
from types import FunctionType
from typing import TYPE_CHECKING, Any

import gymnasium
from gymnasium.error import Error as GymnasiumError

from srl.base.env.foreign_env import ForeignEnv
from srl.base.env.gymnasium_spaces import Conversion, convert_action_space, convert_observation_space
from srl.base.spaces.flat import chain, same
from srl.utils.entry_point import entry_point_of
from srl.utils.plain_data import to_plain
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from gymnasium.envs.registration import EnvSpec

    from srl.base.env.config import EnvConfig
    from srl.base.env.gym_user_wrapper import GymUserWrapper
    from srl.base.env.gymnasium_spaces import Function
    from srl.base.spaces.space import SpaceBase

GymEnv = gymnasium.Env[Any, Any]


def find_spec(env_id: str) -> EnvSpec | None:
    """Return what gymnasium knows under an id, or None. "module:Id-v0" imports the module first."""
    module, _, name = env_id.rpartition(":")
    try:
        if module:
            importlib.import_module(module)
        return gymnasium.spec(name)
    except (GymnasiumError, ModuleNotFoundError):
        return None


def known_ids() -> list[str]:
    """Return the ids that are registered in gymnasium."""
    return list(gymnasium.registry)


def describe_spec(env_id: str) -> dict[str, Any]:
    """Return the arguments of gymnasium.register for an id that a user registered; {} for other ids.

    Raises UsageError if the environment's class or function has no name that can be imported.
    """
    spec = gymnasium.registry.get(env_id)
    if spec is None or spec.additional_wrappers or not isinstance(spec.entry_point, str | type | FunctionType):
        return {}
    entry_point = spec.entry_point if isinstance(spec.entry_point, str) else entry_point_of(spec.entry_point)
    if entry_point.startswith("gymnasium."):
        return {}
    return {
        "entry_point": entry_point,
        "kwargs": to_plain(spec.kwargs, f"gymnasium's registration of '{env_id}'"),
        "max_episode_steps": spec.max_episode_steps,
        "reward_threshold": spec.reward_threshold,
    }


class GymnasiumWrapper(ForeignEnv):
    """Plays an environment of gymnasium.

    Limits of steps are EnvRun's: gymnasium's own TimeLimit is left out, so `EnvConfig.max_episode_steps` may
    also be higher.
    Raises UsageError for what gymnasium refuses to make, NotSupportedError for spaces without a counterpart.
    """

    env: GymEnv

    def __init__(self, config: EnvConfig) -> None:
        self._config = config
        self._user: GymUserWrapper | None = config.gym_wrapper
        super().__init__()

    def make(self, mode: str) -> None:
        kwargs = {**self._config.kwargs, "render_mode": mode} if mode else self._config.kwargs
        self.env = self._make_by_function(kwargs) if self._config.gym_make_func else self._make_by_id(kwargs)
        self._action_space, self._to_gym = self._action_side(self.env, self._user)
        self._observation_space, self._from_gym = self._observation_side(self.env, self._user)

    def _make_by_function(self, kwargs: dict[str, Any]) -> GymEnv:
        assert self._config.gym_make_func is not None
        env: Any = self._config.gym_make_func(self._config.id, **kwargs)
        if not isinstance(env, gymnasium.Env):
            raise UsageError(f"EnvConfig.gym_make_func returned {type(env).__name__}, which is no gymnasium.Env")
        return env

    def _make_by_id(self, kwargs: dict[str, Any]) -> GymEnv:
        spec = find_spec(self._config.id)
        assert spec is not None  # the registration looked it up
        try:
            return gymnasium.make(spec, max_episode_steps=-1, disable_env_checker=True, **kwargs)
        except (GymnasiumError, ImportError) as error:
            raise UsageError(f"environment '{self._config.id}': gymnasium cannot make it: {error}") from error

    def _action_side(self, env: GymEnv, user: GymUserWrapper | None) -> tuple[SpaceBase[Any], Function]:
        own = user.remap_action_space(env) if user else None
        conversion = Conversion(own) if own is not None else convert_action_space(env.action_space)
        remap = (lambda action: user.remap_action(action, env)) if user else same
        return conversion.space, chain(conversion.to_gym, remap)

    def _observation_side(self, env: GymEnv, user: GymUserWrapper | None) -> tuple[SpaceBase[Any], Function]:
        own = user.remap_observation_space(env) if user else None
        conversion = Conversion(own) if own is not None else convert_observation_space(env.observation_space)
        remap = (lambda observation: user.remap_observation(observation, env)) if user else same
        return conversion.space, chain(remap, conversion.from_gym)

    # --- what it is

    @property
    def action_space(self) -> SpaceBase[Any]:
        return self._action_space

    @property
    def observation_space(self) -> SpaceBase[Any]:
        return self._observation_space

    @property
    def max_episode_steps(self) -> int:
        """What gymnasium's registration says, else 99,999."""
        spec = self.env.spec if self._config.gym_make_func else find_spec(self._config.id)
        return (spec.max_episode_steps if spec else None) or super().max_episode_steps

    @property
    def player_num(self) -> int:
        return 1

    @property
    def reward_baseline(self) -> dict[str, float] | None:
        """The reward that gymnasium's registration calls solved, over 100 episodes; None if it says nothing."""
        threshold = self.env.spec.reward_threshold if self.env.spec else None
        return None if threshold is None else {"episode": 100, "baseline": threshold}

    # --- the episode

    def reset(self, *, seed: int | None = None, **kwargs: Any) -> Any:
        """Begin an episode; `kwargs` are gymnasium's `options`."""
        self.info.clear()
        observation, info = self.env.reset(seed=seed, options=kwargs or None)
        self.show(info)
        return self._from_gym(observation)

    def step(self, action: Any) -> tuple[Any, float, bool, bool]:
        observation, reward, terminated, truncated, info = self.env.step(self._to_gym(action))
        if info:
            self.show(info)
        if self._user is not None:
            reward = self._user.remap_reward(float(reward), self.env)
            terminated, truncated = self._user.remap_done(terminated, truncated, self.env)
        return self._from_gym(observation), float(reward), bool(terminated), bool(truncated)
