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
    It appears with the first picture. Raises UsageError without pygame or without a display.

    Attributes:
        pygame: the library, for the codes of keys. Those of the number pad are reported as the others.
        closed: whether the user has closed the window.
        held: codes of the keys that are down, in the order in which they were pressed.
    """

    def __init__(self, title: str, scale: float = 1.0) -> None:
        self.pygame = import_pygame()
        self._number_pad = _number_pad(self.pygame)
        self.closed = False
        self.held: list[int] = []
        self._scale = scale
        self._size = (0, 0)
        self._surface: Any = None
        self._title = title
        _open_display(self.pygame)

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
        """Set what stands above the next picture."""
        self._title = title

    def now_ms(self) -> float:
        """Return a time to reckon with."""
        return time.monotonic() * 1000

    def show(self, picture: Picture) -> None:
        """Show uint8 (height, width, 3) in the upper left corner; the window grows when it must."""
        image = scaled(picture, self._scale)
        height, width = image.shape[:2]
        self._grow(width, height)
        self.pygame.display.set_caption(self._title)
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
                return self._press(self._code(event))
            self._take(event)
            is_quiet = event.type == self.pygame.NOEVENT
            if is_quiet and until_ms is not None and self.now_ms() >= until_ms:
                return None
        return None

    def _take(self, event: Any) -> None:
        pygame = self.pygame
        if event.type == pygame.KEYUP:
            self._release(self._code(event))
        elif event.type == pygame.WINDOWFOCUSLOST:
            self.held.clear()  # nobody will tell that keys were let go
        elif self._is_closing(event):
            self.closed = True

    def _press(self, key: int) -> int:
        self._release(key)  # a key that repeats is down once
        self.held.append(key)
        return key

    def _release(self, key: int) -> None:
        if key in self.held:
            self.held.remove(key)

    def _is_closing(self, event: Any) -> bool:
        pygame = self.pygame
        is_escape = event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE
        return bool(event.type == pygame.QUIT or is_escape)

    def _code(self, event: Any) -> int:
        return self._number_pad.get(event.key, int(event.key))

    def _grow(self, width: int, height: int) -> None:
        size = (max(width, self._size[0]), max(height, self._size[1]))
        is_gone = not self.pygame.display.get_init()  # some environments end all of pygame when they are done
        if is_gone or size != self._size:
            self._size = size
            self._surface = self.pygame.display.set_mode(size)


def import_pygame() -> Any:
    """Return the module. Raises UsageError when it is not installed."""
    with contextlib.redirect_stdout(io.StringIO()):  # it greets
        return import_optional("pygame", "a window", "window")


def _number_pad(pygame: Any) -> dict[int, int]:
    """Return the code of the same key elsewhere, by the code on the number pad."""
    digits = {getattr(pygame, f"K_KP{digit}"): getattr(pygame, f"K_{digit}") for digit in range(10)}
    return {**digits, pygame.K_KP_ENTER: pygame.K_RETURN}


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
