"""EnvBase: what an author of an environment writes."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from srl.base.exception import NotSupportedError
from srl.base.info import Info
from srl.base.render import IRender
from srl.base.spaces.space import SpaceBase

if TYPE_CHECKING:
    from srl.base.define import KeyBindType
    from srl.base.rl.worker import RLWorker

TActSpace = TypeVar("TActSpace", bound=SpaceBase[Any])
TAct = TypeVar("TAct")
TObsSpace = TypeVar("TObsSpace", bound=SpaceBase[Any])
TObs = TypeVar("TObs")


class EnvBase(ABC, IRender, Generic[TActSpace, TAct, TObsSpace, TObs]):
    """An environment of one or several players who take turns.

    Sequence of calls: `setup`, then for each episode `reset` and `step` until it says that the episode is
    over; `teardown` and `setup` again, or `close`. A subclass calls `super().__init__()`; a dataclass does so
    in `__post_init__`.

    Attributes:
        next_player: index of the player whose turn it is; `reset` and `step` set it. 0 for a single player.
        done_reason: why the episode is over, for people; `step` may set it.
        info: values to show beside the rewards.
        training: whether a run trains.
        rendering: whether the episode is drawn.
    """

    def __init__(self) -> None:
        self.next_player = 0
        self.done_reason = ""
        self.info = Info()
        self.training = False
        self.rendering = False

    # --- to be written

    @property
    @abstractmethod
    def action_space(self) -> TActSpace:
        """The actions."""

    @property
    @abstractmethod
    def observation_space(self) -> TObsSpace:
        """The states that `reset` and `step` return."""

    @property
    @abstractmethod
    def max_episode_steps(self) -> int:
        """How many steps an episode has at most; 0 or less is no limit."""

    @property
    @abstractmethod
    def player_num(self) -> int:
        """How many players there are."""

    @abstractmethod
    def reset(self, *, seed: int | None = None, **kwargs: Any) -> TObs:
        """Begin an episode and return the first state. The same seed gives the same episode."""

    @abstractmethod
    def step(self, action: TAct) -> tuple[TObs, float | list[float], bool, bool]:
        """Play one action of `next_player`.

        Returns the new state, the reward (a list of one for each player if there are several), whether the
        episode has come to its end (terminated), and whether it was cut short (truncated).
        """

    # --- may be written

    def get_display_name(self) -> str:
        """Return a name for people; empty is the id."""
        return ""

    @property
    def reward_range(self) -> tuple[float, float]:
        """The lowest and highest sum of rewards of an episode."""
        return (-float("inf"), float("inf"))

    @property
    def reward_baseline(self) -> Any:
        """What a good algorithm reaches: {"episode": n, "baseline": mean reward}, or None."""
        return None

    def setup(self, **kwargs: Any) -> None:
        """Prepare for a run; `kwargs` are `render_mode` and the fields of the run's context."""

    def teardown(self, **kwargs: Any) -> None:
        """Undo `setup`."""

    def close(self) -> None:
        """Release windows, files and processes for good."""

    def backup(self) -> Any:
        """Return a copy of the state of the episode. `next_player`, reason and info are kept for you."""
        raise NotSupportedError(f"{type(self).__name__} has no backup: write backup() and restore() in it")

    def restore(self, data: Any) -> None:
        """Go back to what `backup` returned; the same backup may be restored several times."""
        raise NotSupportedError(f"{type(self).__name__} has no restore: write backup() and restore() in it")

    def get_invalid_actions(self, player_index: int = -1) -> list[TAct]:
        """Return the actions that the player may not choose now; -1 is the next player."""
        return []

    def action_to_str(self, action: str | TAct) -> str:
        """Return the name of an action."""
        return str(action)

    def get_key_bind(self) -> KeyBindType:
        """Return which key plays which action, or None."""
        return None

    def make_worker(self, name: str, **kwargs: Any) -> RLWorker[Any, Any, Any] | None:
        """Return the rule-based player of this name, or None if there is none."""
        return None

    @property
    def render_interval(self) -> float:
        """Milliseconds between two pictures."""
        return 1000 / 60

    @property
    def unwrapped(self) -> object:
        """The environment inside, if this one wraps another."""
        return self

    # --- for simulation by algorithms that plan

    def direct_step(self, *args: Any, **kwargs: Any) -> tuple[bool, TObs, bool]:
        """Take a state from outside: return (is it the first, the state, is the episode over)."""
        raise NotSupportedError(f"{type(self).__name__} has no direct_step (called with {args}, {kwargs})")

    def decode_action(self, action: TAct) -> Any:
        """Return an action as the outside of `direct_step` wants it."""
        return action

    @property
    def can_simulate_from_direct_step(self) -> bool:
        """Whether `step` can go on from a state that came by `direct_step`."""
        return False

    # --- to be used

    def get_valid_actions(self, player_index: int = -1) -> list[TAct]:
        """Return the actions that the player may choose now; -1 is the next player."""
        return self.action_space.get_valid_actions(self.get_invalid_actions(player_index))

    def copy(self) -> Self:
        """Return an environment that goes on from here on its own."""
        return copy.deepcopy(self)
