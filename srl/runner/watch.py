"""A run in a window, while it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srl.runner.frame import FrameCallback
from srl.runner.pace import Pace

if TYPE_CHECKING:
    from srl.base.context import RunStateActor
    from srl.runner.frame import View
    from srl.runner.window import Window


class WatchFrames(FrameCallback):
    """Shows each frame for `interval_ms`. The run ends when the user closes the window.

    Space pauses and goes on; during a pause, the right arrow or Enter shows the next frame. With `step_stop` the
    run begins with a pause.
    """

    def __init__(self, window: Window, view: View, interval_ms: float, *, step_stop: bool, skip_steps: bool) -> None:
        super().__init__(skip_steps=skip_steps)
        self._window = window
        self._view = view
        self._pace = Pace(interval_ms)
        self._is_paused = step_stop

    def frame(self, state: RunStateActor) -> None:
        if not self._window.closed:
            self._window.show(self._view.draw(state))
            self._hold()

    def on_step_end(self, **_kwargs: Any) -> bool:
        return self._window.closed

    def _hold(self) -> None:
        """Wait until the next frame is due, or asked for in a pause."""
        window, keys = self._window, self._window.pygame
        due_ms = self._pace.due_ms(window.now_ms())
        while (key := window.next_key(None if self._is_paused else due_ms)) is not None:
            if key == keys.K_SPACE:
                self._is_paused = not self._is_paused
            elif self._is_paused and key in {keys.K_RIGHT, keys.K_RETURN}:
                return
