"""Names of classes as text, "module.path:ClassName", and the way back."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from types import FunctionType, ModuleType


def load_module(entry_point: str) -> Any:
    """Import "module.path:ClassName" and return the class.

    Raises UsageError that names module, class and file when it does not resolve. An exception raised while
    the module itself is imported passes through unchanged.
    """
    module_name, class_name = split_entry_point(entry_point)
    module = _import(module_name, entry_point)
    found = getattr(module, class_name, None)
    if found is None:
        raise UsageError(
            f"entry point '{entry_point}': module '{module_name}' ({_file_of(module)}) has no "
            f"'{class_name}'. "
            "Define the class at the top level of that module, or correct the name given to register()."
        )
    return found


def split_entry_point(entry_point: str) -> tuple[str, str]:
    """Return ("module.path", "ClassName"). Raises UsageError unless a class can be reached by that name."""
    module_name, colon, class_name = entry_point.rpartition(":")
    if not colon or not module_name or not class_name:
        raise UsageError(f"entry point '{entry_point}' is not of the form 'module.path:ClassName'")
    if "<locals>" in entry_point:
        raise UsageError(
            f"entry point '{entry_point}' is a class inside a function, which no other process can import. "
            "Move the class to the top level of its module."
        )
    return module_name, class_name


def entry_point_of(cls: type | FunctionType) -> str:
    """Return the "module.path:Name" of a class or function. Raises UsageError for one defined inside a function."""
    entry_point = f"{cls.__module__}:{cls.__qualname__}"
    split_entry_point(entry_point)
    return entry_point


def _import(module_name: str, entry_point: str) -> ModuleType:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name + ".").startswith(error.name + "."):
            raise
        raise UsageError(
            f"entry point '{entry_point}': there is no module '{error.name}'. Check its spelling, and that "
            "its folder is in PYTHONPATH or the package is installed."
        ) from error


def _file_of(module: ModuleType) -> str:
    return getattr(module, "__file__", None) or "no file"
