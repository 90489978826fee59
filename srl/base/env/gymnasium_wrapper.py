"""An environment of gymnasium as one of this package."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium.error import Error as GymnasiumError

from srl.base.env.base import EnvBase
from srl.base.env.gymnasium_spaces import Conversion, convert_action_space, convert_observation_space
from srl.base.env.layers import backup_layers, restore_layers
from srl.base.spaces.flat import chain, same
from srl.base.spaces.space import SpaceBase
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gymnasium.envs.registration import EnvSpec

    from srl.base.define import KeyBindType, RenderModeType
    from srl.base.env.config import EnvConfig
    from srl.base.env.gym_user_wrapper import GymUserWrapper
    from srl.base.env.gymnasium_spaces import Function
    from srl.base.render import Picture
    from srl.base.rl.worker import RLWorker

GymEnv = gymnasium.Env[Any, Any]

_SCALARS = (bool, int, float, str, np.number)
_NO_LIMIT_STEPS = 99_999
_GYM_MODES: dict[str, tuple[str, ...]] = {
    "terminal": ("ansi",),
    "rgb_array": ("rgb_array", "ansi"),
    "window": ("rgb_array", "ansi"),
}
"""Render modes of gymnasium, best first, by render mode of this package."""


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


class GymnasiumWrapper(EnvBase[SpaceBase[Any], Any, SpaceBase[Any], Any]):
    """Plays an environment of gymnasium.

    If gymnasium's environment (unwrapped) has any of the methods setup, backup and restore,
    get_invalid_actions, action_to_str, get_key_bind, make_worker, get_display_name, they do what they do in
    EnvBase. Without backup and restore, all that its objects hold is copied.
    Limits of steps are EnvRun's: gymnasium's own TimeLimit is left out, so `EnvConfig.max_episode_steps` may
    also be higher.
    Raises UsageError for what gymnasium refuses to make, NotSupportedError for spaces without a counterpart.
    """

    def __init__(self, config: EnvConfig) -> None:
        super().__init__()
        self._config = config
        self._user: GymUserWrapper | None = config.gym_wrapper
        self._gym_mode: str | None = None
        _avoid_display()
        self._use(self._make())

    def _make(self) -> GymEnv:
        config = self._config
        kwargs = config.kwargs if self._gym_mode is None else {**config.kwargs, "render_mode": self._gym_mode}
        if config.gym_make_func is not None:
            return _checked(config.gym_make_func(config.id, **kwargs))
        spec = find_spec(config.id)
        assert spec is not None  # the registration looked it up
        try:
            return gymnasium.make(spec, max_episode_steps=-1, disable_env_checker=True, **kwargs)
        except (GymnasiumError, ImportError) as error:
            raise UsageError(f"environment '{config.id}': gymnasium cannot make it: {error}") from error

    def _use(self, env: GymEnv) -> None:
        self.env = env
        self._action_space, self._to_gym = self._action_side(env, self._user)
        self._observation_space, self._from_gym = self._observation_side(env, self._user)

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
        spec = find_spec(self._config.id) if self._config.gym_make_func is None else self.env.spec
        return (spec.max_episode_steps if spec else None) or _NO_LIMIT_STEPS

    @property
    def player_num(self) -> int:
        return 1

    @property
    def reward_baseline(self) -> dict[str, float] | None:
        """The reward that gymnasium's registration calls solved, over 100 episodes; None if it says nothing."""
        threshold = self.env.spec.reward_threshold if self.env.spec else None
        return None if threshold is None else {"episode": 100, "baseline": threshold}

    def get_display_name(self) -> str:
        return str(self._own("get_display_name", lambda: "")())

    @property
    def unwrapped(self) -> GymEnv:
        return self.env.unwrapped

    def _own(self, name: str, otherwise: Callable[..., Any]) -> Callable[..., Any]:
        """Return the method that gymnasium's environment has beyond gymnasium's API, or what stands for it."""
        method: Callable[..., Any] = getattr(self.env.unwrapped, name, otherwise)
        return method

    # --- life

    def setup(self, *, render_mode: RenderModeType = "", **kwargs: Any) -> None:
        """Make gymnasium's environment anew if it cannot be drawn as asked for: it fixes that at the start."""
        mode = self._gym_mode_for(render_mode)
        if mode is not None and mode != self.env.render_mode:
            self.env.close()
            self._gym_mode = mode
            self._use(self._make())
        self._own("setup", _nothing)(render_mode=render_mode, **kwargs)

    def _gym_mode_for(self, render_mode: RenderModeType) -> str | None:
        known = self.env.metadata.get("render_modes", [])
        return next((mode for mode in _GYM_MODES.get(render_mode, ()) if mode in known), None)

    def close(self) -> None:
        self.env.close()

    def reset(self, *, seed: int | None = None, **kwargs: Any) -> Any:
        """Begin an episode; `kwargs` are gymnasium's `options`."""
        observation, info = self.env.reset(seed=seed, options=kwargs or None)
        self._show(info)
        return self._from_gym(observation)

    def step(self, action: Any) -> tuple[Any, float, bool, bool]:
        observation, reward, terminated, truncated, info = self.env.step(self._to_gym(action))
        if info:
            self._show(info)
        if self._user is not None:
            reward = self._user.remap_reward(float(reward), self.env)
            terminated, truncated = self._user.remap_done(terminated, truncated, self.env)
        return self._from_gym(observation), float(reward), bool(terminated), bool(truncated)

    def _show(self, info: dict[str, Any]) -> None:
        self.info.update({name: value for name, value in info.items() if isinstance(value, _SCALARS)})

    def backup(self) -> Any:
        return self._own("backup", lambda: backup_layers(self.env))()

    def restore(self, data: Any) -> None:
        self._own("restore", lambda data: restore_layers(self.env, data))(data)

    # --- actions and players

    def get_invalid_actions(self, player_index: int = -1) -> list[Any]:
        return list(self._own("get_invalid_actions", lambda _player_index: [])(player_index))

    def action_to_str(self, action: Any) -> str:
        return str(self._own("action_to_str", str)(action))

    def get_key_bind(self) -> KeyBindType:
        bind: KeyBindType = self._own("get_key_bind", _nothing)()
        return bind

    def make_worker(self, name: str, **kwargs: Any) -> RLWorker[Any, Any, Any] | None:
        worker: RLWorker[Any, Any, Any] | None = self._own("make_worker", _nothing)(name, **kwargs)
        return worker

    # --- drawing

    @property
    def render_interval(self) -> float:
        return 1000 / (self.env.metadata.get("render_fps") or 60)

    def render_terminal(self, **_kwargs: Any) -> None:
        if self.env.render_mode == "ansi":
            print(self.env.render())

    def render_rgb_array(self, **_kwargs: Any) -> Picture | None:
        return np.asarray(self.env.render(), np.uint8) if self.env.render_mode == "rgb_array" else None


def _nothing(*_args: Any, **_kwargs: Any) -> None:
    """Stand for a method that is not there."""


def _checked(env: Any) -> GymEnv:
    if not isinstance(env, gymnasium.Env):
        raise UsageError(f"EnvConfig.gym_make_func returned {type(env).__name__}, which is no gymnasium.Env")
    return env


def _avoid_display() -> None:
    """Let pictures be drawn where there is no screen: SDL, which many environments draw with, wants to know."""
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
