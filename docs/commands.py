"""The page about the command line, made of the help of the commands: `python -m docs.generate` writes it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer.main import get_command

from srl.cli.main import COMMANDS, GROUPS, KEEP_LINES, app

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

INTRODUCTION = Path(__file__).with_name("command_line_introduction.txt")
FOR_SHELLS = {"install_completion", "show_completion"}


def parts() -> Iterator[str]:
    """Yield the paragraphs of the page."""
    yield INTRODUCTION.read_text(encoding="utf-8").strip()
    root: Any = get_command(app)
    for heading in dict.fromkeys([*COMMANDS, *(panel for panel, *_ in GROUPS.values())]):
        yield f"## {heading}"
        for name, command in root.commands.items():
            if command.rich_help_panel == heading or name in _groups_below(heading):
                yield from _command(f"srl {name}", command)


def _groups_below(heading: str) -> list[str]:
    return [name for name, (panel, *_) in GROUPS.items() if panel == heading]


def _command(name: str, command: Any) -> Iterator[str]:
    arguments = [_shown(each) for each in command.params if each.param_type_name == "argument"]
    yield f"### {' '.join([name, *arguments])}"
    yield from map(_paragraph, command.help.split("\n\n"))
    rows = list(_rows(command.params))
    if rows:
        yield _table(["argument or option", "meaning"], rows)
    for each, below in getattr(command, "commands", {}).items():
        yield from _command(f"{name} {each}", below)


def _paragraph(text: str) -> str:
    """Return a paragraph of help as Markdown: examples are code, and so are commands in a sentence."""
    if text.startswith(KEEP_LINES):
        return f"```text\n{text.removeprefix(KEEP_LINES)}\n```"
    return _escaped(" ".join(text.split()))


def _rows(params: Iterable[Any]) -> Iterator[list[str]]:
    for each in params:
        if each.name not in FOR_SHELLS:
            names = ", ".join(f"`{name}`" for name in each.opts) if each.param_type_name == "option" else ""
            value = f" `{each.metavar}`" if each.metavar and names else ""
            yield [f"{names}{value}" or f"`{_shown(each)}`", _escaped(each.help or "") + _default(each)]


def _shown(argument: Any) -> str:
    name: str = argument.metavar
    return name if argument.required else f"[{name}]"


def _default(param: Any) -> str:
    shown = param.show_default is not False and not isinstance(param.default, bool)
    return f" Default: `{param.default}`." if shown and param.default not in {None, ""} else ""


def _escaped(text: str) -> str:
    return re.sub(r"(?<!`)([<>*|])", r"\\\1", text)


def _table(headings: list[str], rows: Iterable[list[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
