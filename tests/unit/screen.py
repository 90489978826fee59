"""Windows in tests: SDL draws into memory, and keys are real events of pygame."""

import contextlib

import pygame

from srl.base.run.callback import RunCallback
from srl.runner.window import Window


@contextlib.contextmanager
def display_in_memory(monkeypatch):
    """Windows appear in memory, and none is left open."""
    pygame.quit()  # environments may have begun with another display
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    yield
    assert not pygame.display.get_init(), "a window was left open"
    pygame.quit()


def press(*keys):
    """Press and let go keys, or close the window (pygame.QUIT), before or while there is one."""
    pygame.display.init()
    for key in keys:
        if key == pygame.QUIT:
            pygame.event.post(pygame.event.Event(pygame.QUIT))
        else:
            pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key))
            pygame.event.post(pygame.event.Event(pygame.KEYUP, key=key))


class Press(RunCallback):
    """Presses keys before the steps of these numbers."""

    def __init__(self, keys):
        self.keys = keys

    def on_step_begin(self, state, **_):
        press(*self.keys.get(state.total_step, ()))


class Shown:
    """What a window has shown: (title, size, color at the upper left) each time."""

    def __init__(self, monkeypatch):
        self.frames = []
        show = Window.show
        monkeypatch.setattr(Window, "show", lambda window, picture: (show(window, picture), self.note())[0])

    def note(self):
        surface = pygame.display.get_surface()
        self.frames.append((pygame.display.get_caption()[0], surface.get_size(), tuple(surface.get_at((0, 0)))[:3]))

    @property
    def colors(self):
        """In the test's environment: the number of the step."""
        return [color[0] for _, _, color in self.frames]
