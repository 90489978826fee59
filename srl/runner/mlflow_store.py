"""Runs in MLflow: what is written there of a training, and how it is found again."""

from __future__ import annotations

import dataclasses
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srl.runner.checkpoint import Checkpoint, checkpoint_paths, load_checkpoint, save_checkpoint
from srl.utils.config_file import read_config, write_config
from srl.utils.optional_package import import_optional
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from srl.base.context import RunContext
    from srl.runner.history_file import Row

CHECKPOINTS = "checkpoints"
HTML = "html"
CONTEXT = "context.json"
_BATCH_METRICS = 1000
_BATCH_PARAMS = 100
_PARAM_CHARACTERS = 500
_FORBIDDEN = re.compile(r"[^\w\-. /]")


class MlflowRun:
    """One run of an experiment. Whatever MLflow refuses is raised as its MlflowException."""

    def __init__(self, client: Any, run_id: str) -> None:
        self._client = client
        self.run_id = run_id

    @classmethod
    def begin(cls, tracking_uri: str, experiment_name: str, run_name: str, tags: Mapping[str, str]) -> MlflowRun:
        """Begin a run; the experiment is made when there is none of that name."""
        client = _client(tracking_uri)
        experiment = client.get_experiment_by_name(experiment_name)
        experiment_id = experiment.experiment_id if experiment else client.create_experiment(experiment_name)
        run = client.create_run(experiment_id, tags=dict(tags), run_name=run_name or None)
        return cls(client, run.info.run_id)

    @classmethod
    def newest(cls, tracking_uri: str, experiment_name: str, run_name: str = "") -> MlflowRun:
        """Return the newest run, of that name if given. Raises UsageError when there is none."""
        client = _client(tracking_uri)
        experiment = client.get_experiment_by_name(experiment_name)
        if experiment is None:
            raise UsageError(f"MLflow has no experiment '{experiment_name}': check experiment_name and tracking_uri")
        wanted = f"attributes.run_name = '{run_name}'" if run_name else ""
        order = ["attributes.start_time DESC"]
        runs = client.search_runs([experiment.experiment_id], wanted, order_by=order, max_results=1)
        if not runs:
            raise UsageError(f"the experiment '{experiment_name}' has no run {run_name}".rstrip())
        return cls(client, runs[0].info.run_id)

    # --- what is written

    def log_settings(self, context: RunContext) -> None:
        """Write the settings: the algorithm's as parameters of the run, all of them as a file."""
        param = import_optional("mlflow.entities", "mlflow", "mlflow").Param
        config = context.rl_config
        assert config is not None
        fields = [(field.name, getattr(config, field.name)) for field in dataclasses.fields(config)]
        params = [param(name, str(value)[:_PARAM_CHARACTERS]) for name, value in fields if not name.startswith("_")]
        for part in _parts(params, _BATCH_PARAMS):
            self._client.log_batch(self.run_id, params=part)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / CONTEXT
            write_config(path, context.to_dict())
            self._client.log_artifact(self.run_id, str(path))

    def log_rows(self, rows: Sequence[Row], begun_s: float) -> None:
        """Write the numbers of a history's rows as metrics, over the count of updates."""
        metric = import_optional("mlflow.entities", "mlflow", "mlflow").Metric
        metrics = [
            metric(_metric_name(row["name"], column), float(value), round(1000 * (begun_s + row["time"])), row["train"])
            for row in rows
            for column, value in row.items()
            if isinstance(value, int | float) and _is_told(row["name"], column)
        ]
        for part in _parts(metrics, _BATCH_METRICS):
            self._client.log_batch(self.run_id, metrics=part)

    def log_checkpoint(self, checkpoint: Checkpoint, rewards: Sequence[float], *, last: bool) -> None:
        """Write a checkpoint as a file of the run."""
        with tempfile.TemporaryDirectory() as folder:
            path = save_checkpoint(Path(folder), checkpoint, rewards, last=last)
            self._client.log_artifact(self.run_id, str(path), CHECKPOINTS)

    def log_html(self, path: Path) -> None:
        """Write a page as a file of the run."""
        self._client.log_artifact(self.run_id, str(path), HTML)

    def end(self, status: str) -> None:
        """End the run as FINISHED or FAILED."""
        self._client.set_terminated(self.run_id, status)

    # --- what is read

    def checkpoints(self) -> list[tuple[str, Checkpoint]]:
        """Return name and content of all checkpoints, the newest last. It unpickles. Raises UsageError without any."""
        with tempfile.TemporaryDirectory() as folder:
            if self._client.list_artifacts(self.run_id, CHECKPOINTS):
                self._client.download_artifacts(self.run_id, CHECKPOINTS, folder)
            found = [(path.stem, load_checkpoint(path)) for path in checkpoint_paths(Path(folder) / CHECKPOINTS)]
        if not found:
            raise UsageError(f"the run {self.run_id} has no checkpoint: train with set_mlflow(enable_checkpoint=True)")
        return found

    def settings(self) -> dict[str, Any]:
        """Return the settings that the run was made with, as plain data."""
        with tempfile.TemporaryDirectory() as folder:
            return read_config(self._client.download_artifacts(self.run_id, CONTEXT, folder))


def mlflow_error() -> type[Exception]:
    """Return the class of what MLflow raises when its store is away, or refuses."""
    error: type[Exception] = import_optional("mlflow.exceptions", "mlflow", "mlflow").MlflowException
    return error


def _client(tracking_uri: str) -> Any:
    return import_optional("mlflow", "mlflow", "mlflow").MlflowClient(tracking_uri=tracking_uri or None)


def _is_told(writer: str, column: str) -> bool:
    """Tell whether a column becomes a metric: not one that others have written already, or that says when it was."""
    return column != "time" and (writer != "eval" or column.startswith("eval_"))


def _metric_name(writer: str, column: str) -> str:
    """Return the column's name; what other actors than the first, or a learner, have too is told apart."""
    is_plain = writer in {"actor0", "eval"} or column.startswith("trainer_")
    return _FORBIDDEN.sub("_", column if is_plain else f"{writer}/{column}")


def _parts(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
