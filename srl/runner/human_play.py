"""Runs in which a person plays: in the terminal, or in a window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srl.base.rl import registration
from srl.base.rl.config import DummyRLConfig
from srl.base.rl.worker_run import WorkerRun
from srl.base.run.play import play
from srl.rl.choices import Choices
from srl.runner.base import RunnerBase
from srl.runner.checks import check_scale
from srl.runner.key_bind import KeyBind
from srl.runner.person import Choose, Demonstrator, Person
from srl.runner.render import rewards_of
from srl.runner.terminal_player import TellRest, TerminalPlayer
from srl.runner.window import Window
from srl.runner.window_player import MenuPlayer, RealTimePlayer, Screen, ShowRest, TurnPlayer
from srl.utils.usage import UsageError, short_traceback

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from srl.base.context import RunStateActor
    from srl.base.define import KeyBindType, PlayersType, RenderModeType
    from srl.base.run.callback import RunCallback
    from srl.runner.window_player import WindowPlayer

_HUMAN = "human"


class HumanPlayMixin(RunnerBase):
    """Runs of one episode that a person plays. Each returns the sum of rewards of each player.

    The person is each "human" among `players`; without one, the first None or player. The others are as in
    `train`: `["human", None]` is a person against the algorithm.

    With `enable_memory`, what the person plays goes to the Memory of the runner as if the algorithm had played it:
    as demonstrations to learn from.
    """

    @short_traceback
    def play_terminal(
        self,
        action_division_num: int = 5,
        enable_memory: bool = False,
        players: PlayersType | None = None,
        timeout: float = -1,
        max_steps: int = -1,
        callbacks: Sequence[RunCallback] = (),
    ) -> list[float]:
        """Let a person play an episode in the terminal, by numbers or names of actions; `q` gives up.

        Actions with fractions are divided into `action_division_num` values. Raises UsageError when the person
        can have no place among `players`, when standard input is at its end, or for `enable_memory` without an
        algorithm.
        """
        persons = self._persons(players)
        choose = TerminalPlayer(Choices(self.env, action_division_num))
        state = self._play_as(
            "play_terminal", "terminal", choose, persons, enable_memory,
            players, timeout, max_steps, [TellRest(persons), *callbacks],
        )  # fmt: skip
        return rewards_of(state)

    @short_traceback
    def play_window(
        self,
        key_bind: KeyBindType = None,
        view_state: bool = True,
        action_division_num: int = 5,
        enable_memory: bool = False,
        players: PlayersType | None = None,
        render_interval: float = -1,
        render_scale: float = 1.0,
        timeout: float = -1,
        max_steps: int = -1,
        callbacks: Sequence[RunCallback] = (),
    ) -> list[float]:
        """Let a person play an episode in a window; needs the extra `window` and a display.

        `key_bind` says which keys play which action, see `KeyBind`; None is the environment's own, and if it has
        none, actions are chosen from a menu. The game waits for each key, unless "" is bound to an action, which is
        played when no key is down: then there is a step every `render_interval` milliseconds. Escape ends it.

        `view_state` shows numbers and the state beside the environment. Actions with fractions are divided into
        `action_division_num` values. Raises UsageError for a wrong `key_bind`, when no window can be opened,
        and as `play_terminal`.
        """
        check_scale(render_scale)
        persons = self._persons(players)
        interval_ms = self.env.get_render_interval(render_interval)
        title = f"{self.env.name} - Esc: end"
        with Window(title, self.env.get_render_scale(render_scale)) as window:
            screen = Screen(window, view_state=view_state)
            choose = self._window_player(screen, key_bind, action_division_num, interval_ms)
            rest = ShowRest(screen, persons, interval_ms)
            state = self._play_as(
                "play_window", "rgb_array", choose, persons, enable_memory,
                players, timeout, max_steps, [rest, *callbacks],
            )  # fmt: skip
        return rewards_of(state)

    def _window_player(
        self, screen: Screen, key_bind: Mapping[Any, Any] | None, action_division_num: int, interval_ms: float
    ) -> WindowPlayer:
        keys = self.env.get_key_bind() if key_bind is None else key_bind
        if keys is None:
            return MenuPlayer(screen, Choices(self.env, action_division_num))
        bind = KeyBind(screen.window.pygame, keys, self.env)
        if bind.has_idle:
            return RealTimePlayer(screen, bind, interval_ms)
        return TurnPlayer(screen, bind)

    def _play_as(
        self,
        play_mode: str,
        render_mode: RenderModeType,
        choose: Choose,
        persons: list[int],
        enable_memory: bool,
        players: PlayersType | None,
        timeout: float,
        max_steps: int,
        callbacks: Sequence[RunCallback],
    ) -> RunStateActor:
        context = self._new_context(
            play_mode,
            max_episodes=1,
            timeout=timeout,
            max_steps=max_steps,
            players=players or [],
            shuffle_player=False,
            training=enable_memory,
            rollout=enable_memory,
            disable_trainer=True,
            env_render_mode=render_mode,
            rl_render_mode=render_mode,
            callbacks=list(callbacks),
        )
        workers = self._workers_with(choose, persons, players or [], enable_memory)
        state = play(context, self.env, workers, persons[0], None, callbacks)
        self.state = state
        return state

    def _persons(self, players: PlayersType | None) -> list[int]:
        """Return the indices of the players whom a person plays."""
        given = list(players or [])
        named = [index for index, player in enumerate(given) if player == _HUMAN]
        if named:
            return named
        filled_up = given + [None] * (self.env.player_num - len(given))
        if None not in filled_up:
            raise UsageError(f'players has nobody for a person to play: put "{_HUMAN}" in one\'s place: {given}')
        return [filled_up.index(None)]

    def _workers_with(
        self, choose: Choose, persons: list[int], players: PlayersType, enable_memory: bool
    ) -> list[WorkerRun]:
        missing = max(persons) + 1 - len(players)
        others = ["random" if i in persons else player for i, player in enumerate([*players, *[None] * missing])]
        workers, _ = self.make_workers(others)
        for index in persons:
            workers[index] = self._person(choose, enable_memory)
        return workers

    def _person(self, choose: Choose, enable_memory: bool) -> WorkerRun:
        if not enable_memory:
            return WorkerRun(Person(choose), self.env)
        if type(self.rl_config) is DummyRLConfig:
            raise UsageError("enable_memory needs an algorithm, whose Memory it fills: give Runner an rl_config")
        config, parameter, memory = self.rl_config, self.parameter, self.memory
        own = registration.make_worker(config, self.env, parameter, memory).worker
        return WorkerRun(Demonstrator(choose, own, config, parameter, memory), self.env)
