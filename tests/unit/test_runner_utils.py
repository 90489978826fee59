from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from srl.utils import common

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def srl_logger() -> Iterator[logging.Logger]:
    """The library's logger; what a test adds to it is taken away."""
    logger = logging.getLogger("srl")
    handlers, level = logger.handlers[:], logger.level
    yield logger
    for handler in logger.handlers[:]:
        if handler not in handlers:
            logger.removeHandler(handler)
            handler.close()
    logger.setLevel(level)


def draw() -> tuple[float, float]:
    return random.random(), np.random.random_sample()  # noqa: NPY002  the generator that authors use


def test_a_seed_repeats_both_generators() -> None:
    draws = []
    for _ in range(2):
        common.set_seed(4)
        draws.append(draw())
    common.set_seed(None)
    assert draws[0] == draws[1] != draw()


def test_log_lines_on_the_terminal_and_in_a_file(
    srl_logger: logging.Logger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common.set_logger(logging.WARNING, tmp_path / "log.txt", logging.DEBUG)
    srl_logger.debug("small")
    srl_logger.warning("large")
    shown = capsys.readouterr().err
    assert ("small" in shown, "large" in shown) == (False, True)
    assert [line.rsplit(": ", 1)[1] for line in (tmp_path / "log.txt").read_text().splitlines()] == [
        "small",
        "large",
    ]


def test_without_a_path_there_is_no_file(srl_logger: logging.Logger) -> None:
    before = len(srl_logger.handlers)
    common.set_logger()
    assert len(srl_logger.handlers) == before + 1


def test_is_package_installed() -> None:
    assert common.is_package_installed("numpy")
    assert not common.is_package_installed("no_such_package_at_all")
