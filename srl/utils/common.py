"""The small helpers of user programs under one name."""

from __future__ import annotations

import importlib.util

from srl.utils.entry_point import load_module
from srl.utils.files import load_file, save_file
from srl.utils.log import logger_file, logger_print, set_logger
from srl.utils.seed import set_seed


def is_package_installed(name: str) -> bool:
    """Tell whether a top-level package could be imported, without importing it."""
    return importlib.util.find_spec(name) is not None


__all__ = [
    "is_package_installed",
    "load_file",
    "load_module",
    "logger_file",
    "logger_print",
    "save_file",
    "set_logger",
    "set_seed",
]
