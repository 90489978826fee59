"""A person plays in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srl.base.run.callback import RunCallback
from srl.rl.human import ask_action
from srl.runner.frame import action_text, situation

if TYPE_CHECKING:
    from collections.abc import Collection

    from srl.base.context import RunStateActor
    from srl.base.env.env_run import EnvRun
    from srl.base.rl.worker_run import WorkerRun
    from srl.rl.choices import Choices


class TerminalPlayer:
    """Shows the person the environment, and asks what to play."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices

    def __call__(self, worker: WorkerRun) -> Any | None:
        """Return the chosen action, or None when the person gives up. Raises UsageError without any input."""
        print_situation(worker.env)
        choices = self._choices
        number = ask_action(worker.player_index, {number: choices.name(number) for number in choices.valid()})
        return None if number is None else choices.action(number)


class TellRest(RunCallback):
    """Prints what others play, and how the episode ends."""

    def __init__(self, persons: Collection[int]) -> None:
        self._persons = persons

    def on_step_action_after(self, state: RunStateActor, **_kwargs: Any) -> None:
        if state.worker_idx not in self._persons:
            print(f"player {state.env.next_player} plays {action_text(state.env, state.action)}\n")

    def on_episode_end(self, state: RunStateActor, **_kwargs: Any) -> None:
        print_situation(state.env)


def print_situation(env: EnvRun) -> None:
    """Print the environment, and where the episode stands."""
    env.render_terminal()
    print("\n".join(situation(env)))
