"""Runs that are looked at: on the terminal, in a window, in a notebook, or as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srl.runner.animation import gif
from srl.runner.base import RunnerBase
from srl.runner.checks import check_scale, writable
from srl.runner.frame import View
from srl.runner.notebook import check_notebook, display_gif
from srl.runner.recording import RecordFrames, Recording
from srl.runner.replay import Replay
from srl.runner.terminal import PrintFrames
from srl.runner.video import check_video, save_video
from srl.runner.watch import WatchFrames
from srl.runner.window import Window
from srl.utils.usage import short_traceback

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from srl.base.context import RunStateActor
    from srl.base.define import PlayersType, RenderModeType
    from srl.base.run.callback import RunCallback


class RenderMixin(RunnerBase):
    """Runs of one episode that are looked at. Each returns the sum of rewards of each player.

    Arguments that they share:
        render_kwargs: handed to the render methods of environment and worker.
        step_stop: wait after each step: for Enter on the terminal, for a key in a window.
        render_skip_step: show the environment in the steps of a frameskip too.
        render_interval: milliseconds from picture to picture; -1 is the environment's own.
        render_scale: how many times as large pictures become, besides `EnvConfig.render_scale`.
        render_worker: index of the player whose view is shown.
        render_add_rl_terminal, render_add_rl_rgb, render_add_info_text: show the Worker's text, its picture,
            and the text with number, state, action, rewards and infos.
        timeout, max_steps: end the episode after so many seconds or steps.
        players: who plays, as in `train`.
        training_flag: let Workers play as in training, such as with exploration.
    """

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
        """Print an episode step by step."""
        printer = PrintFrames(render_kwargs or {}, step_stop=step_stop, skip_steps=render_skip_step)
        state = self._play_one(
            "render_terminal", "terminal", [printer, *callbacks], timeout, max_steps, players, training_flag
        )
        return rewards_of(state)

    @short_traceback
    def render_window(
        self,
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
        training_flag: bool = False,
        callbacks: Sequence[RunCallback] = (),
    ) -> list[float]:
        """Show an episode in a window while it is played; needs the extra `window` and a display.

        Space pauses and goes on, the right arrow shows the next step in a pause, Escape closes the window. When
        it is closed, the run ends. Raises UsageError when no window can be opened.
        """
        check_scale(render_scale)
        view = View(render_worker, render_add_rl_terminal, render_add_rl_rgb, render_add_info_text, render_kwargs or {})
        title = f"{self.env.name} - Space: pause, Right: next, Esc: close"
        interval_ms = self.env.get_render_interval(render_interval)
        with Window(title, self.env.get_render_scale(render_scale)) as window:
            watch = WatchFrames(window, view, interval_ms, step_stop=step_stop, skip_steps=render_skip_step)
            state = self._play_one(
                "render_window", "rgb_array", [watch, *callbacks], timeout, max_steps, players, training_flag
            )
        return rewards_of(state)

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
        """Write an episode as an animated GIF, one picture a step.

        Raises UsageError when nothing was drawn, or the file cannot be written.
        """
        check_scale(render_scale)
        target = writable(path)
        view = View(render_worker, render_add_rl_terminal, render_add_rl_rgb, render_add_info_text, render_kwargs or {})
        frames, rewards = self._record(
            "animation_save_gif", view, step_stop, render_skip_step, render_scale,
            timeout, max_steps, players, enable_progress, training_flag, callbacks,
        )  # fmt: skip
        target.write_bytes(gif(frames, self.env.get_render_interval(render_interval)))
        return rewards

    @short_traceback
    def animation_save_avi(
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
        codec: str = "XVID",
        timeout: float = -1,
        max_steps: int = -1,
        players: PlayersType | None = None,
        enable_progress: bool = True,
        training_flag: bool = False,
        callbacks: Sequence[RunCallback] = (),
    ) -> list[float]:
        """Write an episode as a video, .avi, .mp4 or .mkv, one picture a step; needs the extra `video`.

        `codec` is a code of four characters; XVID is MPEG-4, also in .mp4 files. Raises UsageError when nothing was
        drawn, the file cannot be written, or opencv does not have the codec.
        """
        check_scale(render_scale)
        target = writable(path)
        check_video(target, codec)
        view = View(render_worker, render_add_rl_terminal, render_add_rl_rgb, render_add_info_text, render_kwargs or {})
        frames, rewards = self._record(
            "animation_save_avi", view, step_stop, render_skip_step, render_scale,
            timeout, max_steps, players, enable_progress, training_flag, callbacks,
        )  # fmt: skip
        save_video(target, frames, self.env.get_render_interval(render_interval), codec)
        return rewards

    @short_traceback
    def animation_display(
        self,
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
        """Show an episode as an animation below the cell of a notebook.

        Raises UsageError outside of a notebook, or when nothing was drawn.
        """
        check_notebook()
        check_scale(render_scale)
        view = View(render_worker, render_add_rl_terminal, render_add_rl_rgb, render_add_info_text, render_kwargs or {})
        frames, rewards = self._record(
            "animation_display", view, step_stop, render_skip_step, render_scale,
            timeout, max_steps, players, enable_progress, training_flag, callbacks,
        )  # fmt: skip
        display_gif(gif(frames, self.env.get_render_interval(render_interval)))
        return rewards

    @short_traceback
    def replay_window(
        self,
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
        """Play an episode, then show it in a window, forwards and backwards, until the window is closed.

        Left and right step, Space plays and pauses, Home and End go to the first and last picture, Escape closes.
        Needs the extra `window` and a display. Raises UsageError when nothing was drawn, or no window can be opened.
        """
        check_scale(render_scale)
        view = View(render_worker, render_add_rl_terminal, render_add_rl_rgb, render_add_info_text, render_kwargs or {})
        with Window(self.env.name) as window:  # first: without a display there is no need to play
            frames, rewards = self._record(
                "replay_window", view, step_stop, render_skip_step, render_scale,
                timeout, max_steps, players, enable_progress, training_flag, callbacks, shows_end=True,
            )  # fmt: skip
            Replay(window, self.env.name, frames, self.env.get_render_interval(render_interval)).run()
        return rewards

    def _record(
        self,
        play_mode: str,
        view: View,
        step_stop: bool,
        render_skip_step: bool,
        render_scale: float,
        timeout: float,
        max_steps: int,
        players: PlayersType | None,
        enable_progress: bool,
        training: bool,
        callbacks: Sequence[RunCallback],
        *,
        shows_end: bool = False,
    ) -> tuple[Recording, list[float]]:
        """Play an episode; return its frames and the rewards. Raises UsageError when there is no frame.

        There are as many frames as steps, and with `shows_end` one more.
        """
        recording = Recording(self.env.get_render_scale(render_scale))
        record = RecordFrames(recording, view, step_stop=step_stop, skip_steps=render_skip_step, shows_end=shows_end)
        all_callbacks = self._with_progress([record, *callbacks], enable_progress)
        state = self._play_one(play_mode, "rgb_array", all_callbacks, timeout, max_steps, players, training)
        recording.require_frames()
        return recording, rewards_of(state)

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


def rewards_of(state: RunStateActor) -> list[float]:
    """Return the sum of rewards of each player, in the order of `players`."""
    return [float(state.env.episode_rewards[worker.player_index]) for worker in state.workers]
