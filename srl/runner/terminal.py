"""A run as text on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srl.runner.frame import FrameCallback, frame_text, wait_for_enter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from srl.base.context import RunStateActor


class PrintFrames(FrameCallback):
    """Prints environment, worker and numbers."""

    def __init__(self, render_kwargs: Mapping[str, Any], *, step_stop: bool, skip_steps: bool) -> None:
        super().__init__(skip_steps=skip_steps)
        self._render_kwargs = render_kwargs
        self._step_stop = step_stop

    def frame(self, state: RunStateActor) -> None:
        worker = state.workers[state.worker_idx]
        state.env.render_terminal(**self._render_kwargs)
        worker.worker.render_terminal(worker=worker, **self._render_kwargs)
        print(frame_text(state))
        print()
        if self._step_stop:
            wait_for_enter()

    def skipped_frame(self, state: RunStateActor) -> None:
        state.env.render_terminal(**self._render_kwargs)
