"""What environments of other packages have in common: how they are drawn, copied, and asked for more."""

from __future__ import annotations

import copy
import os
import sys
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from srl.base.env.base import EnvBase
from srl.base.env.layers import backup_layers, restore_layers
from srl.base.spaces.space import SpaceBase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from srl.base.define import KeyBindType, RenderModeType
    from srl.base.render import Picture
    from srl.base.rl.worker import RLWorker

NO_LIMIT_STEPS = 99_999
"""The limit of an episode where the other package says none."""

_SCALARS = (bool, int, float, str, np.number)
_MODES: dict[str, tuple[str, ...]] = {
    "terminal": ("ansi",),
    "rgb_array": ("rgb_array", "ansi"),
    "window": ("rgb_array", "ansi"),
}
"""Render modes of gymnasium and PettingZoo, best first, by render mode of this package."""


class ForeignEnv(EnvBase[SpaceBase[Any], Any, SpaceBase[Any], Any]):
    """Plays `env`, an environment of another package.

    If the other environment (unwrapped) has any of the methods setup, backup and restore,
    get_invalid_actions, action_to_str, get_key_bind, make_worker, get_display_name, they do what they do in
    EnvBase. Without backup and restore, all that its objects hold is copied.
    A subclass sets `env` in `make`.
    """

    env: Any

    def __init__(self) -> None:
        super().__init__()
        _avoid_display()
        self.make("")

    @abstractmethod
    def make(self, mode: str) -> None:
        """Make `env`, to be drawn in a mode of the other package; "" is the mode of its own choice."""

    @property
    def max_episode_steps(self) -> int:
        return NO_LIMIT_STEPS

    def get_display_name(self) -> str:
        return str(self._own("get_display_name", lambda: "")())

    @property
    def unwrapped(self) -> Any:
        return self.env.unwrapped

    def _own(self, name: str, otherwise: Callable[..., Any]) -> Callable[..., Any]:
        """Return the method that the other environment has beyond its package's API, or what stands for it."""
        method: Callable[..., Any] = getattr(self.env.unwrapped, name, otherwise)
        return method

    # --- life

    def setup(self, *, render_mode: RenderModeType = "", **kwargs: Any) -> None:
        """Make the environment anew if it cannot be drawn as asked for: it fixes that at the start."""
        mode = self._mode_for(render_mode)
        if mode and mode != self._mode:
            self.env.close()
            self.make(mode)
        self._own("setup", _nothing)(render_mode=render_mode, **kwargs)

    @property
    def _mode(self) -> str | None:
        """How `env` is drawn, in the word of the other package."""
        return getattr(self.env, "render_mode", None)

    def _mode_for(self, render_mode: RenderModeType) -> str:
        known = self.env.metadata.get("render_modes", [])
        return next((mode for mode in _MODES.get(render_mode, ()) if mode in known), "")

    def close(self) -> None:
        self.env.close()

    def show(self, info: Mapping[str, Any]) -> None:
        """Show those values of an info that are numbers or texts."""
        self.info.update({name: value for name, value in info.items() if isinstance(value, _SCALARS)})

    def backup(self) -> Any:
        return self._own("backup", lambda: backup_layers(self.env))()

    def restore(self, data: Any) -> None:
        self._own("restore", lambda data: restore_layers(self.env, data))(data)

    def copy(self) -> Self:
        other = copy.copy(self)
        other.info = self.info.copy()
        other.make(self._mode or "")
        other.restore(self.backup())
        return other

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
        if self._mode == "ansi":
            print(self.env.render())

    def render_rgb_array(self, **_kwargs: Any) -> Picture | None:
        return np.asarray(self.env.render(), np.uint8) if self._mode == "rgb_array" else None


def _nothing(*_args: Any, **_kwargs: Any) -> None:
    """Stand for a method that is not there."""


def _avoid_display() -> None:
    """Let pictures be drawn where there is no screen: SDL, which many environments draw with, wants to know.

    Its "offscreen" can be told from the "dummy" that somebody chose, so that nobody waits for a window.
    """
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("SDL_VIDEODRIVER", "offscreen")
