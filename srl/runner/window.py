"""A window that shows pictures and reports keys."""

from __future__ import annotations

import contextlib
import io
import time
from typing import TYPE_CHECKING, Any, Self

from srl.base.picture import PAPER, scaled
from srl.utils.optional_package import import_optional
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from types import TracebackType

    from srl.base.picture import Picture

_SLICE_MS = 50
"""How long to wait for events at once: Ctrl-C in the terminal is noticed in between."""


class Window:
    """A window on the screen, until `close`; use it in a `with`.

    The user closes it with its button or with Escape: then `closed` is True, and what waits for keys returns.
    Raises UsageError without pygame or without a display.

    Attributes:
        pygame: the library, for the names of keys.
        closed: whether the user has closed the window.
        held: codes of the keys that are down.
    """

    def __init__(self, title: str, scale: float = 1.0) -> None:
        self.pygame = import_pygame()
        self.closed = False
        self.held: set[int] = set()
        self._scale = scale
        self._size = (0, 0)
        self._surface: Any = None
        _open_display(self.pygame)
        self.set_title(title)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the window off the screen."""
        self.closed = True
        self.pygame.display.quit()

    def set_title(self, title: str) -> None:
        self.pygame.display.set_caption(title)

    def now_ms(self) -> float:
        """Return a time to reckon with."""
        return time.monotonic() * 1000

    def show(self, picture: Picture) -> None:
        """Show uint8 (height, width, 3) in the upper left corner; the window grows when it must."""
        image = scaled(picture, self._scale)
        height, width = image.shape[:2]
        self._grow(width, height)
        self._surface.fill(PAPER)
        self._surface.blit(self.pygame.image.frombuffer(image.tobytes(), (width, height), "RGB"), (0, 0))
        self.pygame.display.flip()

    def next_key(self, until_ms: float | None = None) -> int | None:
        """Wait for a key and return its code; None when that time has come, or the window was closed.

        Events that have happened already count even when the time is over. Without a time, wait for ever.
        """
        while not self.closed:
            left_ms = _SLICE_MS if until_ms is None else min(_SLICE_MS, until_ms - self.now_ms())
            event = self.pygame.event.wait(max(1, round(left_ms)))
            if event.type == self.pygame.KEYDOWN and not self._is_closing(event):
                self.held.add(event.key)
                return int(event.key)
            self._take(event)
            is_quiet = event.type == self.pygame.NOEVENT
            if is_quiet and until_ms is not None and self.now_ms() >= until_ms:
                return None
        return None

    def _take(self, event: Any) -> None:
        pygame = self.pygame
        if event.type == pygame.KEYUP:
            self.held.discard(event.key)
        elif event.type == pygame.WINDOWFOCUSLOST:
            self.held.clear()  # nobody will tell that keys were let go
        elif self._is_closing(event):
            self.closed = True

    def _is_closing(self, event: Any) -> bool:
        pygame = self.pygame
        is_escape = event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE
        return bool(event.type == pygame.QUIT or is_escape)

    def _grow(self, width: int, height: int) -> None:
        size = (max(width, self._size[0]), max(height, self._size[1]))
        if size != self._size:
            self._size = size
            self._surface = self.pygame.display.set_mode(size)


def import_pygame() -> Any:
    """Return the module. Raises UsageError when it is not installed."""
    with contextlib.redirect_stdout(io.StringIO()):  # it greets
        return import_optional("pygame", "a window", "window")


def _open_display(pygame: Any) -> None:
    try:
        pygame.display.init()
    except pygame.error as error:
        raise _no_display(str(error)) from error
    if pygame.display.get_driver() == "offscreen":  # SDL's last choice, which nobody can see
        pygame.display.quit()
        raise _no_display("no screen found")


def _no_display(reason: str) -> UsageError:
    return UsageError(
        f"a window cannot be opened here ({reason}). Run it where there is a display, or use render_terminal, "
        "animation_save_gif or animation_save_avi, which need none"
    )
