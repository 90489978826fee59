"""A run in a window, while it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srl.runner.frame import FrameCallback
from srl.runner.window import Window

if TYPE_CHECKING:
    from srl.base.context import RunContext, RunState, RunStateActor
    from srl.runner.frame import View


class WatchFrames(FrameCallback):
    """Shows each frame for `interval_ms`. The run ends when the user closes the window.

    Space pauses and goes on; during a pause, the right arrow or Enter shows the next frame. With `step_stop` the
    run begins with a pause.
    """

    def __init__(
        self, title: str, view: View, scale: float, interval_ms: float, *, step_stop: bool, skip_steps: bool
    ) -> None:
        super().__init__(skip_steps=skip_steps)
        self._title = title
        self._view = view
        self._scale = scale
        self._interval_ms = interval_ms
        self._is_paused = step_stop
        self._next_frame_ms = 0.0
        self._window: Window | None = None

    def on_episodes_begin(self, context: RunContext, state: RunState, **_kwargs: Any) -> None:
        self._window = Window(f"{self._title} - Space: pause, Right: next, Esc: close", self._scale)

    def frame(self, state: RunStateActor) -> None:
        window = self._window
        assert window is not None
        if not window.closed:
            window.show(self._view.draw(state))
            self._hold(window)

    def on_step_end(self, **_kwargs: Any) -> bool:
        assert self._window is not None
        return self._window.closed

    def on_end(self, context: RunContext, **_kwargs: Any) -> None:
        if self._window is not None:
            self._window.close()

    def _hold(self, window: Window) -> None:
        """Wait until the next frame is due, at an even pace however long drawing takes."""
        self._next_frame_ms = max(self._next_frame_ms + self._interval_ms, window.now_ms())
        keys = window.pygame
        while (key := window.next_key(None if self._is_paused else self._next_frame_ms)) is not None:
            if key == keys.K_SPACE:
                self._is_paused = not self._is_paused
            elif self._is_paused and key in {keys.K_RIGHT, keys.K_RETURN}:
                return
