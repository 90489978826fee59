"""Configurations and runners from files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from srl.base.context import RunContext
from srl.base.env.config import EnvConfig
from srl.base.rl.config import RLConfig
from srl.runner.runner import Runner

Source = str | Path | Mapping[str, Any]


def load_env(path_or_dict: Source) -> EnvConfig:
    """Return the EnvConfig of a file or of plain data."""
    return EnvConfig.load(path_or_dict)


def load_rl(path_or_dict: Source) -> RLConfig[Any, Any]:
    """Return the RLConfig of a file or of plain data. Load only files that you trust as code."""
    return RLConfig.load(path_or_dict)


def load_context(path_or_dict: Source) -> RunContext:
    """Return the RunContext of a file or of plain data. Load only files that you trust as code."""
    return RunContext.load(path_or_dict)


def load(path_or_dict: Source) -> Runner:
    """Return a Runner with the settings that Runner.save wrote. Load only files that you trust as code."""
    return Runner(context=load_context(path_or_dict))
