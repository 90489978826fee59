"""EnvView: what can be read off an environment in a run: spaces, episode, actions and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srl.base.exception import UndefinedError

if TYPE_CHECKING:
    from srl.base.define import DoneTypes, KeyBindType
    from srl.base.env.base import EnvBase
    from srl.base.env.config import EnvConfig
    from srl.base.env.episode import Episode
    from srl.base.env.guard import Guard
    from srl.base.env.processor import ProcessorChain
    from srl.base.info import Info
    from srl.base.render import Picture, Render
    from srl.base.rl.worker import RLWorker
    from srl.base.spaces.space import SpaceBase


class EnvView:
    """The part of EnvRun that only looks; EnvRun sets the attributes."""

    config: EnvConfig
    env: EnvBase[Any, Any, Any, Any]
    _action_space: SpaceBase[Any]
    _observation_space: SpaceBase[Any]
    _player_num: int
    _processors: ProcessorChain
    _guard: Guard | None
    _is_bare: bool
    _render: Render
    _episode: Episode

    # --- what it is

    @property
    def id(self) -> str:
        return self.config.id

    @property
    def name(self) -> str:
        """A name for people."""
        return self.config.display_name or self.env.get_display_name() or self.config.id

    @property
    def unwrapped(self) -> object:
        return self.env.unwrapped

    @property
    def action_space(self) -> SpaceBase[Any]:
        return self._action_space

    @property
    def observation_space(self) -> SpaceBase[Any]:
        return self._observation_space

    @property
    def player_num(self) -> int:
        return self._player_num

    @property
    def max_episode_steps(self) -> int:
        """How many steps an episode has at most; 0 or less is no limit."""
        own = self.config.max_episode_steps
        return own if own > 0 else self.env.max_episode_steps

    @property
    def reward_range(self) -> tuple[float, float]:
        return self.env.reward_range

    @property
    def reward_baseline(self) -> Any:
        return self.env.reward_baseline

    # --- where the episode stands

    @property
    def state(self) -> Any:
        return self._episode.state

    @property
    def action(self) -> Any:
        """The last action."""
        return self._episode.action

    @property
    def rewards(self) -> list[float]:
        """Rewards of the last step, by player."""
        return self._episode.rewards

    @property
    def reward(self) -> float:
        """Reward that the last step gave to the player who played it."""
        return self._episode.rewards[self._episode.prev_player]

    @property
    def episode_rewards(self) -> list[float]:
        """Sums of rewards since the reset, by player."""
        return self._episode.episode_rewards

    @property
    def step_num(self) -> int:
        return self._episode.step_num

    @property
    def elapsed_time(self) -> float:
        """Seconds since the reset."""
        return self._episode.elapsed_s

    @property
    def done(self) -> bool:
        """Whether the episode is over, or none has begun."""
        return self._episode.done

    @property
    def done_type(self) -> DoneTypes:
        return self._episode.done_type

    @property
    def done_reason(self) -> str:
        return self._episode.done_reason

    @property
    def next_player(self) -> int:
        """Whose turn it is."""
        return self.env.next_player

    @property
    def prev_player(self) -> int:
        """Who played the last step."""
        return self._episode.prev_player

    @property
    def info(self) -> Info:
        return self.env.info

    # --- actions

    @property
    def invalid_actions(self) -> list[Any]:
        """Actions that the next player may not choose."""
        return self.get_invalid_actions()

    def get_invalid_actions(self, player_index: int = -1) -> list[Any]:
        """Return the actions that a player may not choose now; -1 is the next player."""
        player = self.env.next_player if player_index < 0 else player_index
        known = self._episode.invalid_actions
        if player not in known:
            own = self.env.get_invalid_actions(player)
            known[player] = own if self._is_bare else self._process_invalid_actions(own)
        return known[player]

    def _process_invalid_actions(self, invalid_actions: list[Any]) -> list[Any]:
        invalid_actions = self._processors.invalid_actions(invalid_actions)
        return invalid_actions if self._guard is None else self._guard.invalid_actions(invalid_actions)

    def get_valid_actions(self, player_index: int = -1) -> list[Any]:
        """Return the actions that a player may choose now. NotSupportedError if they cannot be counted."""
        return self._action_space.get_valid_actions(self.get_invalid_actions(player_index))

    def sample_action(self, player_index: int = -1) -> Any:
        """Draw an action that the player may choose now."""
        return self._action_space.sample(self.get_invalid_actions(player_index))

    def sample_observation(self) -> Any:
        """Draw a value of the observation space."""
        return self._observation_space.sample()

    def action_to_str(self, action: Any) -> str:
        """Return the name of an action."""
        return self.env.action_to_str(action)

    def get_key_bind(self) -> KeyBindType:
        """Return which key plays which action, or None."""
        return self.env.get_key_bind()

    def make_worker(
        self, name: str, worker_kwargs: dict[str, Any] | None = None, enable_raise: bool = True
    ) -> RLWorker[Any, Any, Any] | None:
        """Return the environment's rule-based player of this name.

        If there is none: raises UndefinedError, or returns None with `enable_raise=False`.
        """
        worker = self.env.make_worker(name, **(worker_kwargs or {}))
        if worker is None and enable_raise:
            raise UndefinedError(f"environment '{self.name}' has no player '{name}'")
        return worker

    # --- drawing

    def get_render_interval(self, interval: float = -1) -> float:
        """Return milliseconds between two pictures: the argument, else the setting, else the own."""
        for candidate in (interval, self._render.interval):
            if candidate > 0:
                return candidate
        return self.env.render_interval

    def get_render_scale(self, scale: float = 1.0) -> float:
        """Return how many times as large pictures are shown: the argument times the setting."""
        return scale * self._render.scale

    def render(self, **kwargs: Any) -> Picture | None:
        """Draw in the mode of `setup`: print it, or return the picture."""
        return self._render.render(**kwargs)

    def render_terminal(self, **kwargs: Any) -> None:
        """Print the current state."""
        self.env.render_terminal(**kwargs)

    def render_terminal_text(self, **kwargs: Any) -> str:
        """Return what `render_terminal` prints."""
        return self._render.render_terminal_text(**kwargs)

    def render_terminal_text_to_image(self, **kwargs: Any) -> Picture | None:
        """Return what `render_terminal` prints as uint8 (height, width, 3); None if it prints nothing."""
        return self._render.render_terminal_text_to_image(**kwargs)

    def render_rgb_array(self, **kwargs: Any) -> Picture | None:
        """Return the picture, or else the text as one: uint8 (height, width, 3). None without both."""
        return self._render.render_rgb_array(**kwargs)
