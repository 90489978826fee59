"""What to train, as it is said on the command line: environment, algorithm, and settings of both."""

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from srl.cli import fields, listing

if TYPE_CHECKING:
    from srl.base.context import RunContext
    from srl.base.rl.config import RLConfig
    from srl.runner.runner import Runner

RANDOM = "random"
FILE_SUFFIX = ".py"


def complete_env(incomplete: str) -> list[str]:
    """Return the environments that the shell may complete to."""
    return [name for name in listing.environments() if name.startswith(incomplete)]


def complete_algorithm(incomplete: str) -> Iterator[str]:
    """Yield the algorithms, and the Python files here, that the shell may complete to."""
    files = (str(path) for path in Path(incomplete).parent.glob("*.py"))
    yield from (name for name in (*listing.algorithms(), *files) if name.startswith(incomplete))


Env = Annotated[
    str,
    typer.Argument(
        metavar="ENV",
        autocompletion=complete_env,
        help="An environment, such as Grid or CartPole-v1 (see srl envs), or a job file that names its own.",
    ),
]
Algorithm = Annotated[
    str,
    typer.Argument(
        metavar="ALGORITHM",
        autocompletion=complete_algorithm,
        show_default=False,
        help="A built-in algorithm, such as dqn (see srl algorithms), or your file: my_algorithm.py.",
    ),
]
Player = Annotated[
    str,
    typer.Argument(
        metavar="ALGORITHM",
        autocompletion=complete_algorithm,
        show_default=False,
        help="A built-in algorithm, or your file; default: random, which acts at random.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        "-s",
        metavar="KEY=VALUE",
        help="A hyperparameter, such as lr=0.01, hidden_sizes=64,64 or memory.capacity=5000; may be repeated.",
    ),
]
EnvSettings = Annotated[
    list[str] | None,
    typer.Option(
        "--env-set",
        "-e",
        metavar="KEY=VALUE",
        help="An argument of the environment, such as move_reward=-0.1; may be repeated.",
    ),
]
Players = Annotated[
    list[str] | None,
    typer.Option(
        "--player",
        metavar="NAME",
        help="Who plays each player, in order: self (the algorithm), random, or another name; may be repeated.",
    ),
]
Seed = Annotated[int | None, typer.Option(help="Make the run repeatable.")]


def make_context(
    env: str,
    algorithm: str,
    settings: Iterable[str] | None = None,
    env_settings: Iterable[str] | None = None,
    players: Iterable[str] | None = None,
) -> "RunContext":
    """Return the settings of a run. Raises UsageError or UserError for what is not there, or not so."""
    return make_named_context(env, algorithm, settings, env_settings, players)[0]


def make_named_context(
    env: str,
    algorithm: str,
    settings: Iterable[str] | None = None,
    env_settings: Iterable[str] | None = None,
    players: Iterable[str] | None = None,
) -> "tuple[RunContext, str]":
    """Return the settings of a run, and the name of its job if a file says what it is, else ""."""
    from srl.base.context import RunContext
    from srl.base.env.config import EnvConfig

    if env.endswith(FILE_SUFFIX) and algorithm in {"", RANDOM}:
        env, algorithm = "", env  # a job file says its environment itself
    if algorithm.endswith(FILE_SUFFIX):
        context, job_name = _of_file(algorithm, env)
    else:
        context, job_name = RunContext(env_config=EnvConfig(env), rl_config=_built_in(algorithm)), ""
    assert context.env_config is not None
    context.env_config.kwargs.update(fields.plain_values(list(env_settings or ()), "-e"))
    fields.set_fields(context.rl_config, list(settings or ()))
    named = [None if name == "self" else name for name in players or ()]
    return replace(context, players=named or context.players), job_name


def words(
    settings: Iterable[str] | None, env_settings: Iterable[str] | None, players: Iterable[str] | None
) -> list[str]:
    """Return the options again as they are given."""
    given = {"-s": settings, "-e": env_settings, "--player": players}
    return [word for option, values in given.items() for value in values or () for word in (option, value)]


def make_runner(context: "RunContext") -> "Runner":
    """Return the Runner of a context. Raises UsageError when environment, algorithm or players cannot be as set."""
    from srl.base.rl.players import make_workers
    from srl.runner.runner import Runner

    with wrong_settings():
        runner = Runner(context=context)
        named = [player if isinstance(player, str) else RANDOM for player in context.players]
        make_workers(named or [RANDOM], runner.env)
    return runner


@contextmanager
def wrong_settings() -> Iterator[None]:
    """Turn what algorithms raise for values that cannot be into UsageError."""
    from srl.utils.usage import UsageError

    try:
        yield
    except (ValueError, AssertionError) as error:
        raise UsageError(str(error)) from error


def _built_in(name: str) -> "RLConfig[Any, Any]":
    from importlib import import_module

    from srl.base.rl.config import DummyRLConfig
    from srl.utils.usage import UsageError

    if name == RANDOM:
        return DummyRLConfig()
    if not name:
        raise UsageError("say which algorithm: srl train Grid ql")
    known = listing.algorithms()
    if name.lower() not in known:
        near = difflib.get_close_matches(name.lower(), known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise UsageError(f"there is no algorithm '{name}': {hint} Your own: the path of its file, my_algorithm.py")
    config: RLConfig[Any, Any] = import_module(f"srl.algorithms.{name.lower()}").Config()
    return config


def _of_file(path: str, env: str) -> "tuple[RunContext, str]":
    """Return what a job file, or the file of an algorithm, says, and the name of the job."""
    from services.jobs.job_file import load_job
    from srl.base.context import RunContext

    job = load_job(path, env)
    return RunContext.load(job.context), job.name
