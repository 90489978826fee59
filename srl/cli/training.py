"""`srl train`, `srl evaluate` and `srl render`: runs in this process, or with actors beside it."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from srl.cli import choice
from srl.cli.output import AsJson, number_text, print_json, print_table
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from srl.base.context import RunContext
    from srl.runner.runner import Runner

Load = Annotated[
    Path | None,
    typer.Option(
        "--load",
        exists=True,
        metavar="PATH",
        help="What was learned: a file of --save, or a folder of --checkpoint. Load only what you trust as code.",
    ),
]


def train(
    env: choice.Env,
    algorithm: choice.Algorithm = "",
    settings: choice.Settings = None,
    env_settings: choice.EnvSettings = None,
    players: choice.Players = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", show_default=False, help="Stop after so many seconds.")
    ] = 0,
    max_train_count: Annotated[
        int, typer.Option(metavar="N", show_default=False, help="Stop after so many updates.")
    ] = 0,
    max_steps: Annotated[
        int, typer.Option(metavar="N", show_default=False, help="Stop after so many steps (without --actors).")
    ] = 0,
    max_episodes: Annotated[
        int, typer.Option(metavar="N", show_default=False, help="Stop after so many episodes (without --actors).")
    ] = 0,
    actors: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            show_default=False,
            help="Train with so many actors, a learner and a memory as processes.",
        ),
    ] = 0,
    seed: choice.Seed = None,
    load: Load = None,
    save: Annotated[Path | None, typer.Option(metavar="FILE", help="Write what was learned to this file.")] = None,
    history: Annotated[
        Path | None, typer.Option(metavar="DIR", file_okay=False, help="Write rows of rewards and rates here.")
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(metavar="DIR", file_okay=False, help="Write checkpoints here, and go on from the newest."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train an algorithm in an environment, on this machine.

        srl train Grid ql --timeout 10
        srl train CartPole-v1 dqn -s lr=0.0005 --actors 4 --timeout 60 --save cartpole.dat
        srl train Grid my_algorithm.py --max-train-count 10000
        srl train my_job.py

    Next: srl evaluate and srl render with the same ENV, ALGORITHM and -s, and --load FILE.
    """
    runner = _make_runner(choice.make_context(env, algorithm, settings, env_settings, players), seed)
    _check_target(save)
    _prepare(runner, load, history, checkpoint)
    context = runner.context  # a job file may have limits
    limits: dict[str, Any] = {
        "timeout": timeout or max(context.timeout, 0),
        "max_train_count": max_train_count or max(context.max_train_count, 0),
    }
    of_steps: dict[str, Any] = {"max_steps": max_steps, "max_episodes": max_episodes}
    _check_limits(limits, of_steps, actors)
    chosen = runner.context.players
    with _saved(runner, save):
        if actors:
            runner.train_mp(actor_num=actors, players=chosen, enable_progress=not as_json, **limits)
        else:
            runner.train(players=chosen, enable_progress=not as_json, **limits, **of_steps)
    if as_json:
        print_json(_result(runner, save))
    else:
        _say_what_next(save, [env, *filter(None, [algorithm]), *choice.words(settings, env_settings, players)])


def evaluate(
    env: choice.Env,
    algorithm: choice.Player = choice.RANDOM,
    settings: choice.Settings = None,
    env_settings: choice.EnvSettings = None,
    players: choice.Players = None,
    episodes: Annotated[int, typer.Option(metavar="N", min=1, help="How many episodes to play.")] = 100,
    seed: choice.Seed = None,
    load: Load = None,
    as_json: AsJson = False,
) -> None:
    """Play episodes without training, and say what reward they gave.

        srl evaluate Grid                          at random: what learning has to beat
        srl evaluate Grid ql --load grid.dat       what was learned

    Give the same -s as in training.
    """
    runner = _make_runner(choice.make_context(env, algorithm, settings, env_settings, players), seed)
    _prepare(runner, load)
    rewards = runner.evaluate(episodes, players=runner.context.players, enable_progress=False)
    columns = [_statistics(column) for column in zip(*_by_player(rewards), strict=True)]
    if as_json:
        print_json({"episodes": episodes, "players": columns})
        return
    names = list(columns[0])
    rows = [[str(i), *(number_text(column[name]) for name in names)] for i, column in enumerate(columns)]
    print_table(["player", *names], rows)


def render(
    env: choice.Env,
    algorithm: choice.Player = choice.RANDOM,
    settings: choice.Settings = None,
    env_settings: choice.EnvSettings = None,
    players: choice.Players = None,
    gif: Annotated[Path | None, typer.Option(metavar="FILE", help="Write an animated GIF.")] = None,
    window: Annotated[bool, typer.Option("--window", help="Show it in a window.")] = False,
    max_steps: Annotated[int, typer.Option(metavar="N", help="End the episode after so many steps.")] = -1,
    seed: choice.Seed = None,
    load: Load = None,
) -> None:
    """Show an episode: on the terminal, in a window, or as a GIF.

        srl render Grid                              at random, on the terminal
        srl render Grid ql --load grid.dat --gif grid.gif
        srl render OX mcts --player self --player human

    Give the same -s as in training.
    """
    runner = _make_runner(choice.make_context(env, algorithm, settings, env_settings, players), seed)
    _prepare(runner, load)
    shown: dict[str, Any] = {"players": runner.context.players, "max_steps": max_steps}
    if gif is not None:
        runner.animation_save_gif(gif, enable_progress=False, **shown)
        print(f"wrote {gif}")
    elif window:
        runner.render_window(**shown)
    else:
        runner.render_terminal(**shown)


def _make_runner(context: "RunContext", seed: int | None) -> "Runner":
    """Return a Runner whose parts are there. Raises UsageError when they cannot be as they are set."""
    runner = choice.make_runner(context)
    if seed is not None:
        runner.set_seed(seed)
    with choice.wrong_settings():
        runner.make_worker()
    return runner


def _prepare(
    runner: "Runner", load: Path | None = None, history: Path | None = None, checkpoint: Path | None = None
) -> None:
    if load is not None:
        _load(runner, load)
    if history is not None:
        runner.set_history_on_file(history)
    if checkpoint is not None:
        runner.set_checkpoint(checkpoint, enable_eval=False)


def _load(runner: "Runner", path: Path) -> None:
    """Restore what was learned. Raises UsageError when the file is none, or of another configuration."""
    if path.is_dir():
        runner.load_checkpoint(path)
        return
    try:
        runner.load_parameter(path)
    except Exception as error:
        raise UsageError(
            f"--load {path}: {type(error).__name__}: {error}. Is it a file of srl train --save, and are "
            "ENV, ALGORITHM and -s the same?"
        ) from error


def _check_target(save: Path | None) -> None:
    if save is not None:
        from srl.runner.checks import writable

        writable(save)


@contextmanager
def _saved(runner: "Runner", save: Path | None) -> Iterator[None]:
    """Save what is learned within, also when Ctrl-C ends it early."""
    try:
        yield
    except KeyboardInterrupt:
        if save is not None:
            runner.save_parameter(save)
            print(f"what was learned until now is in {save}", file=sys.stderr)
        raise
    if save is not None:
        runner.save_parameter(save)


def _check_limits(limits: dict[str, Any], of_steps: dict[str, Any], actors: int) -> None:
    if actors and any(of_steps.values()):
        raise UsageError(
            "--max-steps and --max-episodes are for one process: with --actors give --timeout or --max-train-count"
        )
    if not any(value > 0 for value in (limits | of_steps).values()):
        raise UsageError("training would never end: give a limit, such as --timeout 60 (seconds)")


def _result(runner: "Runner", save: Path | None) -> dict[str, Any]:
    state: Any = runner.state
    rewards = getattr(state, "episode_rewards_list", [])
    return {
        "end_reason": state.end_reason,
        "train_count": state.train_count,
        "steps": getattr(state, "total_step", None),
        "episodes": getattr(state, "episode_count", None),
        "mean_reward": [_statistics(column)["mean"] for column in zip(*rewards[-100:], strict=True)],
        "saved": str(save) if save is not None else None,
    }


def _say_what_next(save: Path | None, chosen: list[str]) -> None:
    if save is None:
        print("What was learned is gone now: --save FILE keeps it.")
    else:
        print(f"What was learned is in {save}. Next: {shlex.join(['srl', 'evaluate', *chosen, '--load', str(save)])}")


def _by_player(rewards: list[Any]) -> list[list[float]]:
    """Return the rewards by episode and player; with one player, `evaluate` gives a number an episode."""
    return [each if isinstance(each, list) else [each] for each in rewards]


def _statistics(values: Any) -> dict[str, float]:
    import statistics

    return {
        "mean": statistics.fmean(values),
        "deviation": statistics.pstdev(values),
        "lowest": float(min(values)),
        "highest": float(max(values)),
    }
