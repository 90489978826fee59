"""`srl`: all commands, and how the program begins and ends. Heavy imports are inside the commands."""

import inspect
import textwrap
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from srl import __version__
from srl.cli import catalogue, doctor, jobs, keys, local, snapshots, submit, top, training
from srl.cli.failures import in_one_line

Command = Callable[..., None]

COMMANDS: dict[str, tuple[Command, ...]] = {
    "In this process": (training.train, training.evaluate, training.render),
    "What is there": (catalogue.envs, catalogue.algorithms),
    "A cluster": (local.up, local.down, local.scale, top.top, doctor.doctor),
    "A cluster's jobs": (submit.submit, jobs.stop, jobs.tune),
}
"""By heading of the help."""
GROUPS: dict[str, tuple[str, str, Command, dict[str, Command]]] = {
    "jobs": (
        "A cluster's jobs",
        "List the jobs, or look after one.",
        jobs.list_all,
        {"show": jobs.show, "history": jobs.history, "resume": jobs.resume, "delete": jobs.delete},
    ),
    "snapshots": (
        "A cluster's jobs",
        "What jobs have learned: list, export, restore.",
        snapshots.overview,
        {"list": snapshots.list_all, "export": snapshots.export, "restore": snapshots.restore},
    ),
    "keys": (
        "A cluster",
        "Who may connect: make, list, rotate, revoke.",
        keys.overview,
        {"make": keys.make, "list": keys.list_all, "rotate": keys.rotate, "revoke": keys.revoke},
    ),
}
"""By name: heading of the help, one line, what the name alone does, and the commands below it."""
KEEP_LINES = "\b\n"
"""Before a paragraph of help: its lines are not joined."""


class Commands(TyperGroup):
    """The commands; an error that the user can understand ends each of them in one line."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named."""
        with in_one_line(debug=ctx.params["debug"]):
            return super().invoke(ctx)


def help_text(command: Callable[..., None]) -> str:
    """Return the docstring of a command; its indented examples keep their lines."""
    paragraphs = (inspect.getdoc(command) or "").split("\n\n")
    return "\n\n".join(
        f"{KEEP_LINES}{textwrap.dedent(each)}" if each.startswith(("    ", "srl ")) else each for each in paragraphs
    )


app = typer.Typer(
    name="srl",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"srl {__version__}")
        raise typer.Exit


def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Reinforcement learning with algorithms of your own, in one process or in many.

        srl train Grid ql --timeout 10       learn something in ten seconds
        srl up                               start a cluster on this machine
        srl submit my_algorithm.py           let it train your algorithm
        srl top                              watch it

    Each command explains itself: srl train --help. Completion in your shell: srl --install-completion.
    """


def _add_group(name: str, panel: str, short: str, alone: Command, commands: dict[str, Command]) -> None:
    runs_alone = alone is jobs.list_all
    group = typer.Typer(
        invoke_without_command=runs_alone, no_args_is_help=not runs_alone, help=help_text(alone), short_help=short
    )
    group.callback(help=help_text(alone))(alone)
    for each, command in commands.items():
        group.command(each, help=help_text(command))(command)
    app.add_typer(group, name=name, rich_help_panel=panel)


app.callback(help=help_text(options))(options)
for panel, commands in COMMANDS.items():
    for command in commands:
        app.command(rich_help_panel=panel, help=help_text(command))(command)
for name, group in GROUPS.items():
    _add_group(name, *group)


def main() -> None:
    """Run the command that the program was called with."""
    app(prog_name="srl")
