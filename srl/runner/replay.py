"""A recorded run in a window, forwards and backwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from srl.base.picture import Picture
    from srl.runner.window import Window


class Replay:
    """Shows frames of one size one after the other, from the first one on, and stops at the last.

    Space pauses and goes on, from the first frame again after the last. Left and right pause and show the frame
    before or after, Home and End the first or last.
    """

    def __init__(self, window: Window, title: str, frames: Sequence[Picture], interval_ms: float) -> None:
        self._window = window
        self._title = title
        self._frames = frames
        self._interval_ms = interval_ms
        self.position = 0
        self.is_playing = True

    def run(self) -> None:
        """Show until the user closes the window."""
        while not self._window.closed:
            self._show()
            key = self._window.next_key(self._window.now_ms() + self._interval_ms if self.is_playing else None)
            if key is None:
                self.tick()
            else:
                self.press(key)

    def tick(self) -> None:
        """Go on by one frame."""
        self.position = min(self.position + 1, self._last)
        self.is_playing = self.position < self._last

    def press(self, key: int) -> None:
        """Do what the key is for."""
        keys = self._window.pygame
        targets = {
            keys.K_LEFT: max(self.position - 1, 0),
            keys.K_RIGHT: min(self.position + 1, self._last),
            keys.K_HOME: 0,
            keys.K_END: self._last,
        }
        if key == keys.K_SPACE:
            self._pause_or_go_on()
        elif key in targets:
            self.position = targets[key]
            self.is_playing = False

    def _pause_or_go_on(self) -> None:
        self.is_playing = not self.is_playing
        if self.is_playing and self.position == self._last:
            self.position = 0

    @property
    def _last(self) -> int:
        return len(self._frames) - 1

    def _show(self) -> None:
        number = f"{self.position + 1}/{len(self._frames)}"
        self._window.set_title(f"{self._title} {number} - Left/Right: step, Space: play/pause, Esc: close")
        self._window.show(self._frames[self.position])
