"""A person plays in a window."""

import counting_env  # noqa: F401  registers the environments
import picture_env  # noqa: F401  registers the environment
import played_env  # noqa: F401  registers the environments
import probe_rl
import pygame
import pytest
from screen import Press, Shown, display_in_memory, press

import srl
from srl.base.run.callback import RunCallback
from srl.runner.key_bind import KeyBind
from srl.utils.usage import UsageError

ENTER, UP, DOWN, LEFT, ESC = pygame.K_RETURN, pygame.K_UP, pygame.K_DOWN, pygame.K_LEFT, pygame.K_ESCAPE


@pytest.fixture(autouse=True)
def display(monkeypatch):
    with display_in_memory(monkeypatch):
        yield


@pytest.fixture
def shown(monkeypatch):
    return Shown(monkeypatch)


def runner_of(length=2, env="Counting", **config):
    return srl.Runner(srl.EnvConfig(env, {"length": length}), probe_rl.Config(**config))


class Note(RunCallback):
    """Notes the actions."""

    def __init__(self):
        self.actions = []

    def on_step_action_after(self, state, **_):
        self.actions.append(state.action)


def played(*keys, length=2, env="Counting", **settings):
    """Play with these keys, all of which are pressed at once, and return the actions."""
    note = Note()
    press(*keys)
    runner_of(length, env).play_window(callbacks=[note], **settings)
    return note.actions


# --- the menu


def test_actions_are_chosen_from_a_menu(shown):
    assert played(ENTER, DOWN, DOWN, UP, ENTER, pygame.K_a) == [1, 2]  # 0 is not possible at first, then 1 is not
    assert shown.colors == [0, 1, 1, 1, 1, 2]
    assert shown.frames[0][0] == "Counting - Esc: end"


def test_the_mark_stays_in_the_menu():
    assert played(UP, ENTER, *[DOWN] * 9, pygame.K_KP_ENTER, ENTER) == [1, 4]
    assert played(pygame.K_PAGEDOWN, ENTER, pygame.K_PAGEDOWN, pygame.K_PAGEUP, ENTER, ENTER) == [4, 0]


def test_a_long_menu_shows_what_is_around_the_mark(shown):
    keys = [pygame.K_PAGEDOWN, pygame.K_PAGEDOWN, ENTER, ENTER]
    assert played(*keys, length=1, env="Sliding", action_division_num=101) == [pytest.approx(-0.4)]
    assert len({height for _, (_, height), _ in shown.frames}) == 1


def test_actions_with_fractions_are_divided():
    assert played(DOWN, ENTER, DOWN, DOWN, ENTER, ENTER, env="Sliding") == [-0.5, 0]


# --- keys


def test_keys_of_the_environment(shown):
    assert played(LEFT, pygame.K_x, pygame.K_a, ENTER, env="Bound") == [4, 3]
    assert shown.colors == [0, 1, 1, 2]


def test_keys_of_the_user_come_first():
    assert played(pygame.K_a, pygame.K_b, ENTER, env="Bound", key_bind={"a": 2, pygame.K_b: 3}) == [2, 3]


def test_the_number_pad_is_as_good_as_the_other_numbers():
    assert played(pygame.K_KP3, pygame.K_3, ENTER, key_bind={"3": 4}) == [4, 4]


def test_an_action_that_is_not_possible_now(shown):
    """In the first state 0 is not possible, in the second 1 is not."""
    assert played(pygame.K_a, pygame.K_b, pygame.K_a, ENTER, key_bind={"a": 0, "b": 1}) == [1, 0]
    sizes = [size for _, size, _ in shown.frames]
    assert sizes[1] > sizes[0]  # it says so


def test_keys_pressed_together():
    pygame.display.init()
    for kind, key in ((pygame.KEYDOWN, pygame.K_s), (pygame.KEYDOWN, pygame.K_a), (pygame.KEYUP, pygame.K_a)):
        pygame.event.post(pygame.event.Event(kind, key=key))
    assert played(ENTER, length=1, env="Bound") == [1]


@pytest.fixture
def bind():
    pygame.display.init()
    yield lambda keys: KeyBind(pygame, keys, runner_of().env)
    pygame.display.quit()


def test_the_largest_combination_counts_then_the_newest_key(bind):
    keys = bind({"a": 0, "b": 1, "ab": 2, ("c", pygame.K_d): 3, "": 4})
    a, b, c, d = pygame.K_a, pygame.K_b, pygame.K_c, pygame.K_d
    assert [keys.action(down) for down in ([a], [b], [a, b], [b, a], [c, d], [c], [])] == [0, 1, 2, 2, 3, None, None]
    assert keys.action([a, c, d, b]) == 2  # as large as c with d, but b is newer
    assert keys.action([b, a, c], newest=c) is None
    assert (keys.has_idle, keys.idle) == (True, 4)
    assert keys.lines() == ["a: act0", "b: act1", "a+b: act2", "c+d: act3", "(no key): act4"]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, "key_bind is empty"),
        ({"nokey!": 1}, "key_bind has 'nokey!', which is no key: names are like 'a', 'left', 'space'"),
        ({"aa": 1}, "key_bind has 'aa', which is no key"),
        ({1.5: 1}, "key_bind has 1.5, which is neither a key's name, nor its code"),
        ({"a": "up"}, "key_bind has the action 'up'"),
        ({"a": 9}, r"key_bind has the action 9, which is not in Discrete\(5, start=0\)"),
    ],
)
def test_wrong_keys(keys, message):
    with pytest.raises(UsageError, match=message):
        runner_of().play_window(keys)


# --- a game that goes on by itself


def test_actions_of_an_environment_of_gymnasium():
    """Pendulum's actions are float32 arrays of one number, for which a list will do."""
    note = Note()
    push = Press({1: [pygame.K_LEFT]})
    keys = {"": [0.0], "left": [-1.9], "right": [2]}
    srl.Runner("Pendulum-v1").play_window(keys, render_interval=1, max_steps=3, callbacks=[note, push])
    assert [action.tolist() for action in note.actions] == [[0], [pytest.approx(-1.9)], [0]]
    assert note.actions[0].dtype == "float32"


def test_no_key_can_be_an_action():
    press(pygame.K_a)
    assert played(length=4, key_bind={"": 3, "a": 4}, render_interval=1, max_steps=3) == [4, 3, 3]


def test_a_key_counts_as_long_as_it_is_down():
    pygame.display.init()
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_a))
    let_go = Press({})
    let_go.on_step_begin = lambda state, **_: (
        state.total_step == 2 and pygame.event.post(pygame.event.Event(pygame.KEYUP, key=pygame.K_a))
    )
    note = Note()
    runner_of(9).play_window({(): 3, "a": 4}, render_interval=1, max_steps=5, callbacks=[note, let_go])
    assert note.actions == [4, 4, 4, 3, 3]


def test_what_is_not_possible_is_no_key():
    press(pygame.K_a)
    assert played(key_bind={"": 3, "a": 0}, render_interval=1, max_steps=1) == [3]


# --- what else is shown


def test_the_window_can_be_closed(shown):
    for settings in ({}, {"key_bind": {"a": 4}}, {"key_bind": {"": 4}, "render_interval": 1}):
        runner = runner_of(9)
        rewards = runner.play_window(**settings, callbacks=[Press({0: [ENTER, pygame.K_a], 1: [ESC]})])
        assert rewards == [1.0]
        assert runner.env.done_reason == "aborted"
    assert set(shown.colors) <= {0, 1}


def test_what_others_play_is_shown(shown):
    press(*[ENTER] * 4)  # of the other's move, of the end: on with it
    rewards = runner_of(3, "Counting2").play_window(players=[None, "fours"], render_interval=1)
    assert rewards == [6.0, 60.0]
    assert shown.colors == [0, 1, 2, 3]


def test_closing_the_window_in_the_turn_of_another_ends_the_run(shown):
    runner = runner_of(9, "Counting2")
    press(ENTER, ESC)
    runner.play_window(players=["human", "fours"], render_interval=100_000)
    assert runner.state.end_reason == "callback.intermediate_stop"
    assert shown.colors == [0, 1]


def test_the_state_can_be_left_out(shown):
    for view_state in (True, False):
        press(ENTER, ENTER)
        srl.Runner(srl.EnvConfig("PictureOfTime", {"length": 1})).play_window(view_state=view_state)
    (_, with_state, _), (_, without, _) = shown.frames[0], shown.frames[2]
    assert with_state[0] >= without[0]
    assert with_state[1] >= without[1] + 85  # the picture of the state


def test_render_scale_multiplies_the_size(shown):
    for scale in (1, 2):
        played(ENTER, ENTER, length=1, render_scale=scale)
    assert shown.frames[2][1] == (2 * shown.frames[0][1][0], 2 * shown.frames[0][1][1])


def test_what_the_person_plays_goes_to_the_memory():
    press(ENTER, ENTER, ENTER)
    runner = runner_of(2)
    runner.play_window(enable_memory=True)
    assert runner.memory.sample() == [1.0, 2.0]


def test_settings_that_cannot_be():
    with pytest.raises(UsageError, match="render_scale is 0"):
        runner_of().play_window(render_scale=0)
    with pytest.raises(UsageError, match="action_division_num is 0"):
        runner_of().play_window(action_division_num=0)


def test_without_a_display(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    with pytest.raises(UsageError, match="a window cannot be opened here"):
        runner_of().play_window()
