"""Runs that are watched or replayed in a window."""

import sys

import counting_env  # noqa: F401  registers the environments
import numpy as np
import probe_rl
import pygame
import pytest
from screen import Press, Shown, display_in_memory, press

import srl
from srl.runner.window import Window
from srl.utils.usage import UsageError


@pytest.fixture(autouse=True)
def display(monkeypatch):
    with display_in_memory(monkeypatch):
        yield


def runner_of(length=2, **config):
    return srl.Runner(srl.EnvConfig("Counting", {"length": length}), probe_rl.Config(**config))


@pytest.fixture
def shown(monkeypatch):
    return Shown(monkeypatch)


def test_a_run_is_shown_step_by_step(shown):
    rewards = runner_of(3).render_window(render_interval=1)
    assert rewards == [6.0]
    assert shown.colors == [0, 1, 2, 3]
    assert shown.frames[0][0] == "Counting - Space: pause, Right: next, Esc: close"


def test_render_scale_multiplies_the_size(shown):
    runner_of(1).render_window(render_interval=1)
    runner_of(1).render_window(render_interval=1, render_scale=2)
    first, second = shown.frames[0][1], shown.frames[2][1]
    assert second == (2 * first[0], 2 * first[1])


@pytest.mark.parametrize("how", [pygame.QUIT, pygame.K_ESCAPE])
def test_the_run_ends_when_the_window_is_closed(shown, how):
    runner = runner_of(9)
    rewards = runner.render_window(render_interval=1, callbacks=[Press({2: [how]})])
    assert rewards == [6.0]
    assert runner.state.end_reason == "callback.intermediate_stop"
    assert shown.colors == [0, 1, 2]


def test_in_a_pause_a_key_shows_the_next_frame(shown):
    """Without the pause only time would, and the last key would close the window at the first frame."""
    keys = [pygame.K_SPACE, pygame.K_RIGHT, pygame.K_a, pygame.K_RETURN, pygame.K_ESCAPE]
    runner_of(5).render_window(render_interval=100_000, callbacks=[Press({0: keys})])
    assert shown.colors == [0, 1, 2]


def test_space_ends_a_pause(shown):
    runner_of(3).render_window(render_interval=1, callbacks=[Press({1: [pygame.K_SPACE, pygame.K_SPACE]})])
    assert shown.colors == [0, 1, 2, 3]


def test_step_stop_begins_with_a_pause(shown):
    runner = runner_of(5)
    runner.render_window(
        render_interval=1, step_stop=True, callbacks=[Press({0: [pygame.K_RIGHT], 1: [pygame.K_ESCAPE]})]
    )
    assert shown.colors == [0, 1]
    assert runner.state.total_step == 2


def test_skipped_steps_are_shown_or_not(shown):
    runner_of(4, frameskip=1).render_window(render_interval=1)
    both = len(shown.frames)
    runner_of(4, frameskip=1).render_window(render_interval=1, render_skip_step=False)
    assert (both, len(shown.frames) - both) == (5, 3)


def test_an_error_in_the_run_closes_the_window():
    with pytest.raises(UsageError, match="render_worker is 7"):
        runner_of().render_window(render_worker=7)


def test_a_limit_ends_the_run(shown):
    runner_of(9).render_window(render_interval=1, max_steps=2)
    assert shown.colors == [0, 1]


def positions(shown):
    return [int(title.split()[1].split("/")[0]) - 1 for title, _, _ in shown.frames]


def test_a_replay_goes_forwards_and_backwards(shown):
    press(
        pygame.K_RIGHT, pygame.K_RIGHT, pygame.K_LEFT, pygame.K_END, pygame.K_RIGHT, pygame.K_HOME, pygame.K_LEFT,
        pygame.K_a, pygame.QUIT,
    )  # fmt: skip
    rewards = runner_of(3).replay_window(render_interval=100_000, enable_progress=False)
    assert rewards == [6.0]
    assert shown.colors == positions(shown) == [0, 1, 2, 1, 3, 3, 0, 0, 0]
    assert shown.frames[1][0] == "Counting 2/4 - Left/Right: step, Space: play/pause, Esc: close"


def test_a_replay_plays_to_the_end_and_again(shown, monkeypatch):
    """Space is pressed when the last frame has come, then the window is closed there."""
    waited = []
    next_key = Window.next_key

    def at_the_end(window, until_ms=None):
        if until_ms is None:
            waited.append(until_ms)
            press(pygame.K_SPACE if len(waited) == 1 else pygame.QUIT)
        return next_key(window, until_ms)

    monkeypatch.setattr(Window, "next_key", at_the_end)
    runner_of(2).replay_window(render_interval=1, enable_progress=False)
    assert shown.colors == [0, 1, 2, 0, 1, 2]


def test_space_pauses_a_replay(shown):
    press(pygame.K_SPACE, pygame.K_SPACE, pygame.K_SPACE, pygame.K_ESCAPE)
    runner_of(2).replay_window(render_interval=100_000, enable_progress=False)
    assert shown.colors == [0, 0, 0, 0]


def test_a_replay_of_nothing():
    with pytest.raises(UsageError, match="the run had no step"):
        runner_of().replay_window(timeout=1e-9, enable_progress=False)


def test_scales_that_cannot_be():
    for run in (runner_of().render_window, runner_of().replay_window):
        with pytest.raises(UsageError, match="render_scale is 0"):
            run(render_scale=0)


def test_a_window_grows_with_what_it_shows(shown):
    with Window("test") as window:
        window.show(np.full((10, 20, 3), 9, np.uint8))
        window.show(np.full((5, 30, 3), 9, np.uint8))
    assert [size for _, size, _ in shown.frames] == [(20, 10), (30, 10)]


def test_a_window_comes_again_when_an_environment_ends_pygame(shown):
    picture = np.full((10, 20, 3), 9, np.uint8)
    with Window("test") as window:
        window.show(picture)
        pygame.quit()
        window.show(picture)
        assert window.next_key(0) is None
    assert shown.frames[0] == shown.frames[1]


def test_which_keys_are_held():
    with Window("test") as window:
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_a))
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_b))
        assert window.next_key() == pygame.K_a
        assert window.next_key() == pygame.K_b
        assert window.held == [pygame.K_a, pygame.K_b]
        pygame.event.post(pygame.event.Event(pygame.KEYUP, key=pygame.K_a))
        assert window.next_key(0) is None
        assert window.held == [pygame.K_b]
        pygame.event.post(pygame.event.Event(pygame.WINDOWFOCUSLOST))
        assert window.next_key(0) is None
        assert window.held == []


def test_a_key_that_repeats_is_down_once():
    with Window("test") as window:
        for kind in (pygame.KEYDOWN, pygame.KEYDOWN, pygame.KEYUP, pygame.KEYUP):
            pygame.event.post(pygame.event.Event(kind, key=pygame.K_a))
        assert [window.next_key(), window.next_key()] == [pygame.K_a] * 2
        assert window.held == [pygame.K_a]
        assert window.next_key(0) is None
        assert window.held == []


def test_a_closed_window_waits_for_nothing():
    window = Window("test")
    press(pygame.QUIT, pygame.K_a)
    assert window.next_key() is None
    assert window.next_key() is None
    window.close()


def test_without_a_display(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    runner = runner_of()
    for run in (runner.render_window, runner.replay_window):
        with pytest.raises(UsageError, match=r"a window cannot be opened here \(no screen found\)\. Run it where"):
            run()


def test_without_a_display_after_gymnasium(monkeypatch):
    """Its environments draw without a display, which must not be mistaken for one."""
    for name in ("SDL_VIDEODRIVER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    runner = srl.Runner("CartPole-v1")
    assert runner.env.setup(render_mode="rgb_array") is None
    runner.env.reset()
    assert runner.env.render_rgb_array().any()
    with pytest.raises(UsageError, match=r"a window cannot be opened here \(no screen found\)"):
        runner.replay_window(enable_progress=False)


@pytest.mark.parametrize("run", ["render_window", "replay_window"])
def test_an_environment_of_gymnasium_in_a_window(shown, run):
    """Another run of it closes what pygame has opened, also the window, which must come again."""
    runner = srl.Runner("CartPole-v1")
    for _ in range(2):
        if run == "replay_window":
            press(pygame.K_RIGHT, pygame.K_ESCAPE)
            runner.replay_window(max_steps=2, enable_progress=False)
        else:
            runner.render_window(render_interval=1, max_steps=2)
    assert len(shown.frames) == 4


def test_with_a_display_that_is_not_there(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "no-such-driver")
    with pytest.raises(UsageError, match=r"a window cannot be opened here \(.+\)\. Run it where there is a display"):
        runner_of().render_window()


def test_without_pygame(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(UsageError, match=r"a window needs pygame: pip install 'srl-cluster\[window\]'"):
        runner_of().render_window()
