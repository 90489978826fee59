"""A person plays in a window: by keys that stand for actions, or by a menu of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from srl.base.picture import Picture, fitted
from srl.base.render import text_to_image
from srl.base.rl.worker_picture import beside_env, rl_picture
from srl.rl.choices import Choices, is_valid
from srl.runner.frame import FrameCallback, action_text, situation
from srl.runner.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Collection

    from srl.base.context import RunStateActor
    from srl.base.rl.worker_run import WorkerRun
    from srl.runner.key_bind import KeyBind
    from srl.runner.window import Window

_MENU_LINES = 15


class Screen:
    """Shows the environment, lines of text, and, with `view_state`, the state that the algorithm sees."""

    def __init__(self, window: Window, *, view_state: bool) -> None:
        self.window = window
        self._view_state = view_state

    def show(self, worker: WorkerRun, lines: list[str]) -> None:
        self.window.show(beside_env(worker, self._right(worker, lines)))

    def _right(self, worker: WorkerRun, lines: list[str]) -> list[Picture]:
        config = worker.env.config
        text = [*situation(worker.env), "", *lines] if self._view_state else lines
        right = [text_to_image("\n".join(text), config.font_name, config.font_size)] if text else []
        state = rl_picture(worker) if self._view_state else None
        return right if state is None else [*right, fitted(state, worker.config.render_rl_image_size)]


class WindowPlayer(ABC):
    """Shows the person the environment, and waits for what to play."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._window = screen.window

    @abstractmethod
    def __call__(self, worker: WorkerRun) -> Any | None:
        """Return the chosen action, or None when the person has closed the window."""


class MenuPlayer(WindowPlayer):
    """Up and Down move a mark along the actions, Enter plays the marked one."""

    def __init__(self, screen: Screen, choices: Choices) -> None:
        super().__init__(screen)
        self._choices = choices

    def __call__(self, worker: WorkerRun) -> Any | None:
        valid = self._choices.valid()
        at = 0
        keys = self._window.pygame
        steps = {keys.K_UP: -1, keys.K_DOWN: 1, keys.K_PAGEUP: -_MENU_LINES, keys.K_PAGEDOWN: _MENU_LINES}
        while True:
            self._screen.show(worker, ["Up, Down, Enter:", *self._menu(valid, at)])
            key = self._window.next_key()
            if key is None:
                return None
            if key == keys.K_RETURN:
                return self._choices.action(valid[at])
            at = min(max(at + steps.get(key, 0), 0), len(valid) - 1)

    def _menu(self, valid: list[int], at: int) -> list[str]:
        first = min(max(0, at - _MENU_LINES // 2), max(0, len(valid) - _MENU_LINES))
        shown = range(first, min(first + _MENU_LINES, len(valid)))
        return [f"{'>' if place == at else ' '} {self._choices.name(valid[place])}" for place in shown]


class TurnPlayer(WindowPlayer):
    """Each key that is pressed plays an action; the game waits for it."""

    def __init__(self, screen: Screen, bind: KeyBind) -> None:
        super().__init__(screen)
        self._bind = bind

    def __call__(self, worker: WorkerRun) -> Any | None:
        note: list[str] = []
        while True:
            self._screen.show(worker, self._bind.lines() + note)
            key = self._window.next_key()
            if key is None:
                return None
            action = self._bind.action(self._window.held, key)
            if action is None:
                continue
            if is_valid(worker.env, action):
                return action
            note = [f"{worker.env.action_to_str(action)} is not possible now"]


class RealTimePlayer(WindowPlayer):
    """The game goes on every `interval_ms`, with the action of the keys that are down or were pressed meanwhile."""

    def __init__(self, screen: Screen, bind: KeyBind, interval_ms: float) -> None:
        super().__init__(screen)
        self._bind = bind
        self._pace = Pace(interval_ms)

    def __call__(self, worker: WorkerRun) -> Any | None:
        self._screen.show(worker, self._bind.lines())
        down = self._keys_until_next_step()
        if self._window.closed:
            return None
        action = self._bind.action(down)
        return action if action is not None and is_valid(worker.env, action) else self._bind.idle

    def _keys_until_next_step(self) -> list[int]:
        window = self._window
        due_ms = self._pace.due_ms(window.now_ms())
        down = [*window.held]
        while (key := window.next_key(due_ms)) is not None:
            down.append(key)
        return down


class ShowRest(FrameCallback):
    """Shows what others play for `interval_ms`, and how the episode ends until a key is pressed."""

    def __init__(self, screen: Screen, persons: Collection[int], interval_ms: float) -> None:
        super().__init__(skip_steps=False)
        self._screen = screen
        self._persons = persons
        self._interval_ms = interval_ms

    def frame(self, state: RunStateActor) -> None:
        window, env = self._screen.window, state.env
        worker = state.workers[state.worker_idx]
        if window.closed:
            return
        if env.done:
            self._screen.show(worker, ["The episode is over: press a key"])
            window.next_key()
        elif state.worker_idx not in self._persons:
            self._screen.show(worker, [f"player {env.next_player} plays {action_text(env, state.action)}"])
            window.next_key(window.now_ms() + self._interval_ms)

    def on_step_end(self, **_kwargs: Any) -> bool:
        return self._screen.window.closed
