"""EnvConfig: which environment, and how it is played."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from srl.utils.config_file import read_config, write_config
from srl.utils.plain_data import fields_to_plain, set_fields
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    import gymnasium

    from srl.base.env.env_run import EnvRun
    from srl.base.env.gym_user_wrapper import GymUserWrapper
    from srl.base.env.processor import EnvProcessor
    from srl.base.spaces.space import SpaceBase


@dataclass
class EnvConfig:
    """The settings of an environment, such as `EnvConfig("Grid", {"move_reward": -0.1})`."""

    id: str = ""
    kwargs: dict[str, Any] = field(default_factory=dict)
    """Arguments of the environment's constructor."""

    max_episode_steps: int = -1
    """An episode is truncated after so many steps; -1 takes the environment's own limit."""
    episode_timeout: float = -1
    """An episode is truncated after so many seconds; -1 is no limit."""
    frameskip: int = 0
    """Play each action so many more times, and add up the rewards."""
    random_noop_max: int = 0
    """Begin each episode with 0 to this many default actions, which do not count."""

    gym_make_func: Callable[..., gymnasium.Env[Any, Any]] | None = None
    """Makes the environment in place of gymnasium.make: called with `id`, then `kwargs` by keyword."""
    gym_wrapper: GymUserWrapper | None = None
    """What is to be otherwise in an environment of gymnasium."""
    use_gym: bool = False
    """The old package gym, which is not supported: gymnasium is always used."""

    render_interval: float = -1
    """Milliseconds between two pictures; -1 takes the environment's own."""
    render_scale: float = 1.0
    font_name: str = ""
    font_size: int = 18

    override_action_space: SpaceBase[Any] | None = None
    override_observation_space: SpaceBase[Any] | None = None
    processors: list[EnvProcessor] = field(default_factory=list)

    enable_sanitize: bool = False
    """Bring actions, states and rewards into their spaces."""
    enable_assertion: bool = False
    """Raise an error for actions, states and rewards outside of their spaces. Slow: for development."""
    display_name: str = ""

    def __post_init__(self) -> None:
        for name in ("frameskip", "random_noop_max"):
            if getattr(self, name) < 0:
                raise UsageError(f"EnvConfig.{name} is {getattr(self, name)}: it must be 0 or more")
        if self.use_gym:
            raise UsageError("EnvConfig.use_gym: the old gym is not supported; its environments are in gymnasium")

    @property
    def name(self) -> str:
        """A name for people."""
        return self.display_name or self.id

    def make(self) -> EnvRun:
        """Return the environment. Raises UndefinedError if nothing is registered under `id`."""
        from srl.base.env.registration import make

        return make(self)

    def copy(self) -> Self:
        """Return a copy that shares nothing with this one."""
        return copy.deepcopy(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain data. Raises UsageError for what has no such form."""
        return fields_to_plain(self)

    def apply_dict(self, values: Mapping[str, Any]) -> Self:
        """Set fields from plain data, and return this object. Raises UsageError for an unknown field."""
        set_fields(self, dict(values))
        return self

    def save(self, path: str | Path) -> None:
        """Write the settings to a .yaml or .json file."""
        write_config(path, self.to_dict())

    @classmethod
    def load(cls, path_or_dict: str | Path | Mapping[str, Any]) -> Self:
        """Return the settings that `save` wrote. Load only files that you trust as code."""
        plain = path_or_dict if isinstance(path_or_dict, Mapping) else read_config(path_or_dict)
        return cls().apply_dict(plain)

    def summary(self) -> None:
        """Print the settings, and the spaces of the environment."""
        env = self.make()
        print(f"--- EnvConfig: {self.name}")
        print(f"max_episode_steps: {env.max_episode_steps}")
        print(f"players          : {env.player_num}")
        print(f"action space     : {env.action_space}")
        print(f"observation space: {env.observation_space}")
        env.close()
