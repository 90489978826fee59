"""Configurations and runners from files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from srl.base.context import RunContext
from srl.base.env.config import EnvConfig
from srl.base.rl.config import RLConfig
from srl.runner.mlflow_store import MlflowRun
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


def load_mlflow(experiment_name: str, run_name: str = "", tracking_uri: str = "") -> Runner:
    """Return a Runner with the settings and the newest Parameter of the newest run in MLflow, see Runner.set_mlflow.

    It unpickles: load only what you trust as code. Raises UsageError when there is no such run.
    """
    runner = Runner(context=load_context(MlflowRun.newest(tracking_uri, experiment_name, run_name).settings()))
    runner.load_parameter_from_mlflow(experiment_name, run_name, tracking_uri)
    return runner
