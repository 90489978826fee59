"""Runs that are looked at: on the terminal, or as an animation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srl.runner.animation import CollectFrames, save_gif
from srl.runner.base import RunnerBase
from srl.runner.terminal import PrintFrames
from srl.utils.usage import short_traceback

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from srl.base.context import RunStateActor
    from srl.base.define import PlayersType, RenderModeType
    from srl.base.run.callback import RunCallback


class RenderMixin(RunnerBase):
    """Runs of one episode that are looked at."""

    @short_traceback
    def render_terminal(
        self,
        render_kwargs: Mapping[str, Any] | None = None,
        step_stop: bool = False,
        render_skip_step: bool = True,
        timeout: float = -1,
        max_steps: int = -1,
        players: PlayersType | None = None,
        training_flag: bool = False,
        callbacks: Sequence[RunCallback] = (),
    ) -> list[float]:
        """Print an episode step by step; return the sum of rewards of each player.

        `render_kwargs` are handed to the render methods of environment and worker. `step_stop` waits for
        Enter after each step. `render_skip_step` shows the environment in the steps of a frameskip too.
        """
        printer = PrintFrames(render_kwargs or {}, step_stop=step_stop, skip_steps=render_skip_step)
        state = self._play_one(
            "render_terminal", "terminal", [printer, *callbacks], timeout, max_steps, players, training_flag
        )
        return _rewards(state)

    @short_traceback
    def animation_save_gif(
        self,
        path: str | Path,
        render_kwargs: Mapping[str, Any] | None = None,
        step_stop: bool = False,
        render_skip_step: bool = True,
        render_interval: float = -1,
        render_scale: float = 1.0,
        render_worker: int = 0,
        render_add_rl_terminal: bool = True,
        render_add_rl_rgb: bool = True,
        render_add_info_text: bool = True,
        timeout: float = -1,
        max_steps: int = -1,
        players: PlayersType | None = None,
        enable_progress: bool = True,
        training_flag: bool = False,
        callbacks: Sequence[RunCallback] = (),
    ) -> list[float]:
        """Write an episode as an animation, one frame a step; return the sum of rewards of each player.

        `render_interval` is in milliseconds (-1: the environment's own); `render_scale` multiplies the size.
        `render_worker` is the index of the player whose view is shown, `render_add_...` choose what of it.
        `render_kwargs`, `step_stop` and `render_skip_step` are as in `render_terminal`.
        Raises UsageError when nothing was drawn.
        """
        frames = CollectFrames(
            render_worker,
            render_kwargs or {},
            terminal=render_add_rl_terminal,
            rgb=render_add_rl_rgb,
            info_text=render_add_info_text,
            step_stop=step_stop,
            skip_steps=render_skip_step,
        )
        all_callbacks = self._with_progress([frames, *callbacks], enable_progress)
        state = self._play_one(
            "animation_save_gif", "rgb_array", all_callbacks, timeout, max_steps, players, training_flag
        )
        save_gif(path, frames.frames, self.env.get_render_interval(render_interval), render_scale)
        return _rewards(state)

    def _play_one(
        self,
        play_mode: str,
        render_mode: RenderModeType,
        callbacks: Sequence[RunCallback],
        timeout: float,
        max_steps: int,
        players: PlayersType | None,
        training: bool,
    ) -> RunStateActor:
        context = self._new_context(
            play_mode,
            max_episodes=1,
            timeout=timeout,
            max_steps=max_steps,
            players=players or [],
            shuffle_player=False,
            training=training,
            env_render_mode=render_mode,
            rl_render_mode=render_mode,
        )
        return self._play(context, None, callbacks)


def _rewards(state: RunStateActor) -> list[float]:
    return [float(state.env.episode_rewards[worker.player_index]) for worker in state.workers]
