"""EnvRun: an environment as a run plays it, with limits, processors, checks, sums of rewards and drawing."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from srl.base.define import DoneTypes, RenderModeType
from srl.base.env.env_view import EnvView
from srl.base.env.episode import Episode
from srl.base.env.guard import AssertGuard, Guard, SanitizeGuard
from srl.base.env.processor import ProcessorChain
from srl.base.env.registration import make_base
from srl.base.exception import SRLError
from srl.base.render import Render

if TYPE_CHECKING:
    from collections.abc import Callable

    from srl.base.context import RunContext
    from srl.base.env.config import EnvConfig
    from srl.base.rl.config import RLConfig

Frame = tuple[Any, list[float], bool, bool]
"""State, rewards by player, terminated, truncated."""


class EnvRun(EnvView):
    """An environment and the episode in it.

    Sequence of calls: `setup`, then for each episode `reset` and `step` while not `done`, then `teardown`.
    Before the first `reset`, `done` is True: that is how a loop begins its first episode.
    An exception from the environment is passed on as it is; `remake` starts over.

    Attributes:
        config: the settings.
        env: what the author wrote.
    """

    def __init__(self, config: EnvConfig) -> None:
        self.config = config
        self._random = random.Random()
        self._setup_args: tuple[RunContext | None, RenderModeType] | None = None
        self._build()

    def _build(self) -> None:
        self.env = make_base(self.config)
        self._processors = ProcessorChain(self.config.processors, self)
        self._action_space = self.config.override_action_space or self._processors.action_space
        self._observation_space = self.config.override_observation_space or self._processors.observation_space
        self._guard = self._make_guard()
        self._is_bare = not self.config.processors and self._guard is None
        self._player_num = self.env.player_num
        self._step_limit = self.max_episode_steps if self.max_episode_steps > 0 else math.inf
        self._render = Render(self.env)
        self._apply_render_options()
        self._episode = Episode()

    def _make_guard(self) -> Guard | None:
        if self.config.enable_assertion:
            return AssertGuard(self.name, self._action_space, self._observation_space)
        if self.config.enable_sanitize:
            return SanitizeGuard(self.name, self._action_space, self._observation_space)
        return None

    def set_render_options(
        self, interval: float = -1, scale: float = 1.0, font_name: str = "", font_size: int = 18
    ) -> None:
        """Set milliseconds between pictures (-1: the environment's own), their scale, and the font."""
        self._render.set_render_options(interval, scale, font_name, font_size)

    def _apply_render_options(self) -> None:
        config = self.config
        self.set_render_options(config.render_interval, config.render_scale, config.font_name, config.font_size)

    # --- life

    def setup(self, context: RunContext | None = None, render_mode: RenderModeType = "") -> None:
        """Prepare for a run. Without a `render_mode` that of the context counts."""
        mode = render_mode or (context.env_render_mode if context else "")
        self._setup_args = (context, mode)
        self._render.set_render_mode(mode)
        self.env.training = context.training if context else False
        self.env.rendering = mode != ""
        fields = dict(vars(context)) if context else {}
        self.env.setup(**{**fields, "render_mode": mode})
        self._processors.setup()
        self._episode = Episode()

    def teardown(self, **kwargs: Any) -> None:
        """End a run. Raises nothing if there was no setup."""
        if self._setup_args is not None:
            self.env.teardown(**kwargs)
            self._setup_args = None

    def close(self) -> None:
        """Release what the environment holds, for good."""
        self.teardown()
        self.env.close()

    def remake(self) -> None:
        """Make the environment anew, as after `setup`: the way on when it broke."""
        setup_args = self._setup_args
        self.close()
        self._build()
        if setup_args is not None:
            self.setup(*setup_args)

    def reset(self, seed: int | None = None, **kwargs: Any) -> None:
        """Begin an episode. The same seed gives the same episode. Raises SRLError before `setup`."""
        if self._setup_args is None:
            raise SRLError(f"'{self.name}': call setup() before reset()")
        if seed is not None:
            self._random.seed(seed)
        self._begin(seed, kwargs)
        self._play_noops(kwargs)

    def _begin(self, seed: int | None, kwargs: dict[str, Any]) -> None:
        self.env.next_player = 0
        self.env.done_reason = ""
        first = self.env.reset(seed=seed, **kwargs)
        self._processors.reset()
        state = self._see(first)
        zeros = [0.0] * self._player_num
        action = self._action_space.get_default()
        self._episode = Episode(state, action, zeros, zeros, done=False, done_type=DoneTypes.NONE)

    def _play_noops(self, kwargs: dict[str, Any]) -> None:
        if not self.config.random_noop_max:
            return
        noop = self._processors.action(self._action_space.get_default())
        for _ in range(self._random.randint(0, self.config.random_noop_max)):
            state, _, terminated, truncated = self._process(self._play_frame(noop))
            if terminated or truncated:
                self._begin(None, kwargs)
                return
            self._episode.state = state

    # --- steps

    def step(self, action: Any, frameskip: int = 0, frameskip_function: Callable[[], None] | None = None) -> None:
        """Play one action of `next_player`; what came of it is in the properties.

        The action is played 1 + EnvConfig.frameskip + `frameskip` times, and the rewards are added up; processors
        see the last state. `frameskip_function` is called after each repetition. Raises SRLError if the episode
        is over.
        """
        episode = self._episode
        if episode.done:
            raise SRLError(f"'{self.name}': the episode is over ({episode.done_type.name}): call reset()")
        if self._guard is not None:
            action = self._guard.action(action)
        episode.action = action
        episode.prev_player = self.env.next_player
        env_action = action if self._is_bare else self._processors.action(action)
        frame = self._play_frame(env_action)
        if frameskip or self.config.frameskip:
            frame = self._repeat(frame, env_action, frameskip + self.config.frameskip, frameskip_function)
        self._take(*(frame if self._is_bare else self._process(frame)))

    def _play_frame(self, action: Any) -> Frame:
        state, reward, terminated, truncated = self.env.step(action)
        rewards = [reward] if isinstance(reward, float) else _by_player(reward)
        if len(rewards) != self._player_num:
            raise SRLError(f"'{self.name}': step returned {len(rewards)} rewards for {self._player_num} players")
        return state, rewards, terminated, truncated

    def _process(self, frame: Frame) -> Frame:
        """Return what is seen of a frame; processors see the last of several only, and the sums of rewards."""
        state, rewards, terminated, truncated = frame
        rewards, terminated, truncated = self._processors.step(rewards, terminated, truncated)
        if self._guard is not None:
            rewards = self._guard.rewards(rewards)
            terminated, truncated = self._guard.flag(terminated), self._guard.flag(truncated)
        return self._see(state), rewards, terminated, truncated

    def _repeat(
        self,
        frame: Frame,
        action: Any,
        times: int,
        after: Callable[[], None] | None,
    ) -> Frame:
        state, total, terminated, truncated = frame
        for _ in range(times):
            if terminated or truncated:
                break
            state, rewards, terminated, truncated = self._play_frame(action)
            total = [a + b for a, b in zip(total, rewards, strict=True)]
            if after is not None:
                after()
        return state, total, terminated, truncated

    def _see(self, state: Any) -> Any:
        state = self._processors.state(state)
        return state if self._guard is None else self._guard.state(state)

    def _take(self, state: Any, rewards: list[float], terminated: bool, truncated: bool) -> None:
        episode = self._episode
        episode.state = state
        episode.step_num += 1
        episode.invalid_actions = {}
        episode.add_rewards(rewards)
        if terminated:
            episode.end(DoneTypes.TERMINATED, self.env.done_reason)
        elif truncated:
            episode.end(DoneTypes.TRUNCATED, self.env.done_reason)
        elif episode.step_num >= self._step_limit:
            episode.end(DoneTypes.TRUNCATED, "episode step over")
        elif 0 < self.config.episode_timeout < episode.elapsed_s:
            episode.end(DoneTypes.TRUNCATED, "timeout")

    def step_from_rl(self, action: Any, rl_config: RLConfig[Any, Any], **step_kwargs: Any) -> Any:
        """Play an algorithm's action, and return the state as the algorithm sees it: for planning."""
        self.step(rl_config.action_decode(action), **step_kwargs)
        return rl_config.state_encode_one_step(self.state, self)

    def direct_step(self, *args: Any, **kwargs: Any) -> tuple[bool, bool]:
        """Take a state from outside, see `EnvBase.direct_step`; return (is it the first, is it over)."""
        is_first, state, is_over = self.env.direct_step(*args, **kwargs)
        if is_first:
            zeros = [0.0] * self._player_num
            action = self._action_space.get_default()
            self._episode = Episode(None, action, zeros, zeros, done=False, done_type=DoneTypes.NONE)
        self._episode.state = self._see(state)
        self._episode.invalid_actions = {}
        if is_over:
            self._episode.end(DoneTypes.TERMINATED, self.env.done_reason)
        return is_first, is_over

    def decode_action(self, action: Any) -> Any:
        """Return an action as the outside of `direct_step` wants it."""
        return self.env.decode_action(self._processors.action(action))

    def abort_episode(self) -> None:
        """End the episode from outside."""
        self._episode.end(DoneTypes.ABORT, "aborted")

    def truncate_episode(self, reason: str) -> None:
        """End the episode from outside as if a limit had been reached."""
        self._episode.end(DoneTypes.TRUNCATED, reason)

    def add_invalid_actions(self, invalid_actions: list[Any], player_index: int = -1) -> None:
        """Forbid further actions to a player until the next step."""
        player = self.env.next_player if player_index < 0 else player_index
        known = self.get_invalid_actions(player)
        new = [action for action in invalid_actions if action not in known]
        self._episode.invalid_actions[player] = known + new

    # --- the whole state

    def backup(self) -> Any:
        """Return a copy of the whole state, of the environment too. Its random numbers are not part of it."""
        episode = self._episode
        space = self._observation_space
        state = space.copy_value(episode.state) if episode.state is not None else None
        mine = replace(episode, state=state, invalid_actions=dict(episode.invalid_actions))
        env = self.env
        turn = (env.next_player, env.done_reason, env.info.copy())
        return mine, episode.elapsed_s, turn, self._processors.backup(), env.backup()

    def restore(self, dat: Any) -> None:
        """Go back to what `backup` returned; the same backup may be restored several times."""
        episode, elapsed_s, (next_player, done_reason, info), processors, env = dat
        self.env.restore(env)
        self.env.next_player, self.env.done_reason, self.env.info = next_player, done_reason, info.copy()
        self._processors.restore(processors)
        self._episode = replace(episode, invalid_actions=dict(episode.invalid_actions))
        self._episode.began_s += self._episode.elapsed_s - elapsed_s

    def copy(self) -> Self:
        """Return an environment that goes on from here on its own."""
        other = type(self)(self.config.copy())
        if self._setup_args is not None:
            other.setup(*self._setup_args)
            other.restore(self.backup())
        return other


def _by_player(reward: Any) -> list[float]:
    """Return one number, or a list, tuple or array of them, as a list."""
    return reward[:] if isinstance(reward, list) else np.ravel(reward).tolist()
