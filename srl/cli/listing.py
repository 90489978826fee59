"""Which environments and algorithms come with the package, and what each is, without importing them."""

import ast
import dataclasses
import importlib.util
import pkgutil
from pathlib import Path
from typing import Any


def environments() -> dict[str, str]:
    """Return one line about each built-in environment, by id."""
    from srl.envs import BUILT_IN

    return {name: first_line(entry_point.partition(":")[0]) for name, (entry_point, _) in BUILT_IN.items()}


def algorithms() -> dict[str, str]:
    """Return one line about each built-in algorithm, by the name of its module."""
    import srl.algorithms

    names = sorted(each.name for each in pkgutil.iter_modules(srl.algorithms.__path__))
    return {name: first_line(f"srl.algorithms.{name}") for name in names}


def first_line(module: str) -> str:
    """Return the first sentence of a module's docstring, "" for none."""
    text = ast.get_docstring(_tree(module)) or ""
    return text.partition("\n\n")[0].replace("\n", " ").rstrip(".")


def field_rows(config: Any, *, inherited: bool) -> list[list[str]]:
    """Return name, type, default and meaning of the fields of a configuration; the base class's if `inherited`."""
    rows = []
    for each in dataclasses.fields(config):
        owner = next(cls for cls in type(config).__mro__ if each.name in vars(cls).get("__annotations__", {}))
        if not each.name.startswith("_") and (inherited or owner.__module__ != "srl.base.rl.config"):
            rows.append([each.name, str(each.type), _default(getattr(config, each.name)), _docs(owner)[each.name]])
            rows += [] if not dataclasses.is_dataclass(getattr(config, each.name)) else _nested(config, each.name)
    return rows


def _nested(config: Any, name: str) -> list[list[str]]:
    return [[f"{name}.{row[0]}", *row[1:]] for row in field_rows(getattr(config, name), inherited=False)]


def _default(value: Any) -> str:
    return "" if dataclasses.is_dataclass(value) else str(value)


def _docs(cls: type) -> dict[str, str]:
    """Return the strings that stand under the fields of a class."""
    body = next(
        node.body for node in _tree(cls.__module__).body if isinstance(node, ast.ClassDef) and node.name == cls.__name__
    )
    docs: dict[str, str] = {}
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign):
            docs[ast.unparse(node.target)] = _string(after)
    return docs


def _string(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return " ".join(node.value.value.split())
    return ""


def _tree(module: str) -> ast.Module:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
