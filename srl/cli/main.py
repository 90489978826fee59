"""`srl`: all commands, and how the program begins and ends. Heavy imports are inside the commands."""

import inspect
import textwrap
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from srl import __version__
from srl.cli import catalogue, training
from srl.cli.failures import in_one_line

COMMANDS: dict[str, tuple[Callable[..., None], ...]] = {
    "On this machine": (training.train, training.evaluate, training.render),
    "What is there": (catalogue.envs, catalogue.algorithms),
}
"""By heading of the help."""
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
        f"{KEEP_LINES}{textwrap.dedent(each)}" if each.startswith("    ") else each for each in paragraphs
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


app.callback(help=help_text(options))(options)
for panel, commands in COMMANDS.items():
    for command in commands:
        app.command(rich_help_panel=panel, help=help_text(command))(command)


def main() -> None:
    """Run the command that the program was called with."""
    app(prog_name="srl")
