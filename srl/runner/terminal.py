"""A run as text on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srl.base.run.callback import RunCallback
from srl.runner.frame import frame_text, wait_for_enter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from srl.base.context import RunStateActor


class PrintFrames(RunCallback):
    """Prints environment, worker and numbers: each time an action is chosen, and once more at the end."""

    def __init__(self, render_kwargs: Mapping[str, Any], *, step_stop: bool, skip_steps: bool) -> None:
        self._render_kwargs = render_kwargs
        self._step_stop = step_stop
        self._skip_steps = skip_steps

    def on_step_action_after(self, state: RunStateActor, **_kwargs: Any) -> None:
        self._print(state)

    def on_skip_step(self, state: RunStateActor, **_kwargs: Any) -> None:
        if self._skip_steps:
            state.env.render_terminal(**self._render_kwargs)

    def on_episode_end(self, state: RunStateActor, **_kwargs: Any) -> None:
        if state.worker.config.render_last_step:
            self._print(state)

    def _print(self, state: RunStateActor) -> None:
        worker = state.workers[state.worker_idx]
        state.env.render_terminal(**self._render_kwargs)
        worker.worker.render_terminal(worker=worker, **self._render_kwargs)
        print(frame_text(state))
        print()
        if self._step_stop:
            wait_for_enter()
