"""What the source says of its own names: values and the docstrings that stand under them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

Assignment = ast.Assign | ast.AnnAssign


@dataclass(frozen=True)
class Named:
    """A name that the source gives a value, a type or both."""

    name: str
    type: str
    value: str
    doc: str
    """The string that stands under it, "" for none."""


def constants(module: ModuleType) -> list[Named]:
    """Return the public names that a module assigns, in the order of the source."""
    return _named(_tree(module).body)


def members(module: ModuleType, class_name: str) -> list[Named]:
    """Return the names that a class's body assigns or annotates, in the order of the source."""
    classes = (node for node in _tree(module).body if isinstance(node, ast.ClassDef))
    return _named(next(node for node in classes if node.name == class_name).body)


def _tree(module: ModuleType) -> ast.Module:
    return ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))


def _named(body: list[ast.stmt]) -> list[Named]:
    following = [*body[1:], None]
    pairs = zip(body, following, strict=True)
    found = [_one(node, after) for node, after in pairs if isinstance(node, Assignment)]
    return [each for each in found if not each.name.startswith("_")]


def _one(node: Assignment, after: ast.stmt | None) -> Named:
    target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
    annotation = ast.unparse(node.annotation) if isinstance(node, ast.AnnAssign) else ""
    value = ast.unparse(node.value) if node.value else ""
    return Named(ast.unparse(target), annotation, value, _string(after))


def _string(node: ast.stmt | None) -> str:
    match node:
        case ast.Expr(value=ast.Constant(value=str() as text)):
            return " ".join(text.split())
        case _:
            return ""
