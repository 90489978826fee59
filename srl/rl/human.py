"""A human who plays in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srl.base.rl.worker import DummyRLWorker
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from srl.base.rl.worker_run import WorkerRun

QUIT = "q"


class Worker(DummyRLWorker):
    """Shows where the game stands, and asks for an action by its number or name until a valid one is given.

    `q` ends the episode. Actions with fractions are divided into a few: `("human", {"action_division_num": 9})`.
    """

    def policy(self, worker: WorkerRun) -> Any:
        """Return the action that was typed. Raises UsageError if standard input is at its end."""
        names = _names(worker)
        print(_situation(worker))
        action = ask_action(worker.player_index, names)
        if action is None:
            worker.abort_episode()
            return next(iter(names))
        return action


def ask_action(player_index: int, names: dict[int, str]) -> int | None:
    """Print actions, given as number and name; return the number of the one that is typed, None for `q`.

    Raises UsageError if standard input is at its end.
    """
    print(f"player {player_index}: {_listed(names)}")
    while (typed := _ask()) != QUIT:
        action = _find(typed, names)
        if action is not None:
            return action
        print(f"'{typed}' is not one of these actions")
    return None


def _names(worker: WorkerRun) -> dict[int, str]:
    """Return the valid actions and their names."""
    encoding = worker.config.binding
    return {a: worker.env.action_to_str(encoding.decode_action(a)) for a in worker.get_valid_actions()}


def _situation(worker: WorkerRun) -> str:
    """Return what the environment prints, or else its state as text."""
    env = worker.env
    return env.render_terminal_text().rstrip("\n") or env.observation_space.to_str(env.state)


def _listed(names: dict[int, str]) -> str:
    return "  ".join(str(action) if name == str(action) else f"{action}:{name}" for action, name in names.items())


def _ask() -> str:
    try:
        return input(f"action (a number or a name; {QUIT} ends the episode)? ").strip()
    except EOFError as error:
        raise UsageError(
            "the player 'human' reads standard input, which is at its end: start the program in a terminal"
        ) from error


def _find(typed: str, names: dict[int, str]) -> int | None:
    """Return the action of that number, or else of that name."""
    by_text = {name: action for action, name in names.items()} | {str(action): action for action in names}
    return by_text.get(typed)
