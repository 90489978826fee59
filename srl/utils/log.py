"""Where the library's log lines go."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def logger_print(level: int = logging.INFO) -> None:
    """Show the library's log lines on standard error."""
    _add(logging.StreamHandler(), level)


def logger_file(path: str | Path, level: int = logging.DEBUG) -> None:
    """Append the library's log lines to a file."""
    _add(logging.FileHandler(path, encoding="utf-8"), level)


def set_logger(print_level: int = logging.INFO, path: str | Path = "", file_level: int = logging.DEBUG) -> None:
    """Show log lines and, with a path, also append them to that file."""
    logger_print(print_level)
    if path:
        logger_file(path, file_level)


def _add(handler: logging.Handler, level: int) -> None:
    handler.setLevel(level)
    handler.setFormatter(logging.Formatter(_FORMAT))
    logger = logging.getLogger("srl")
    logger.addHandler(handler)
    logger.setLevel(min(level, logger.getEffectiveLevel()))
