"""The runner's side of MLflow: what is to be written there, and back."""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srl.runner.evaluation import EvaluationOptions
from srl.runner.mlflow_recorder import MlflowOptions
from srl.runner.mlflow_store import MlflowRun
from srl.runner.records import RecordsMixin
from srl.runner.render import RenderMixin
from srl.utils.optional_package import import_optional
from srl.utils.usage import short_traceback

if TYPE_CHECKING:
    from srl.base.define import PlayersType


class MlflowMixin(RecordsMixin, RenderMixin):
    """Runs that train are written to MLflow. Needs the extra "mlflow"."""

    @short_traceback
    def set_mlflow(
        self,
        experiment_name: str = "",
        run_name: str = "",
        tags: dict[str, str] | None = None,
        tracking_uri: str = "",
        interval: float = 60,
        eval_interval: float = -1,
        checkpoint_interval: float = 1800,
        enable_checkpoint: bool = True,
        enable_eval: bool = True,
        eval_env_sharing: bool = False,
        eval_timeout: float = -1,
        eval_max_steps: int = -1,
        eval_episode: int = 1,
        eval_players: PlayersType | None = None,
        eval_shuffle_player: bool = False,
    ) -> None:
        """Write the runs that come to MLflow: of train, rollout, train_only and train_mp, each as a run there.

        Every `interval` seconds the new rows of the history become metrics, over the count of updates; without a
        history there will be one on memory, with rows and evaluations (`enable_eval`) at these intervals. Every
        `checkpoint_interval` seconds, and at the end, a checkpoint without the Memory becomes a file of the run
        (`enable_checkpoint`). While playing, what is due waits for the end of the episode.

        `experiment_name` defaults to the environment's name, `run_name` to the algorithm's. `tracking_uri` is where
        MLflow is; "" leaves it to MLflow and its environment variable MLFLOW_TRACKING_URI. The other arguments are
        those of `set_progress`. Raises UsageError when MLflow is not installed.
        """
        import_optional("mlflow", "set_mlflow", "mlflow")
        evaluation = EvaluationOptions(
            enable_eval, eval_env_sharing, eval_interval, eval_timeout, eval_max_steps, eval_episode,
            eval_players or [], eval_shuffle_player,
        )  # fmt: skip
        self._mlflow = MlflowOptions(
            experiment_name or self.env_config.name,
            run_name or self.rl_config.name,
            tags or {},
            tracking_uri,
            interval,
            checkpoint_interval,
            enable_checkpoint,
            evaluation,
        )
        if self._history is None:
            self._set_temporary_history(interval, "time", write_system=False, evaluation=evaluation)

    def disable_mlflow(self) -> None:
        """Write nothing to MLflow any more."""
        self._mlflow = None

    @short_traceback
    def load_parameter_from_mlflow(self, experiment_name: str = "", run_name: str = "", tracking_uri: str = "") -> None:
        """Restore the Parameter from the newest checkpoint of the newest run, of that name if given.

        It unpickles: load only what you trust as code. Raises UsageError when there is none.
        """
        run = MlflowRun.newest(tracking_uri, experiment_name or self.env_config.name, run_name)
        _, checkpoint = run.checkpoints()[-1]
        self.parameter.restore(checkpoint.parameter, from_serialized=True)

    @short_traceback
    def make_html_all_parameters_in_mlflow(
        self, experiment_name: str = "", run_name: str = "", tracking_uri: str = "", **animation: Any
    ) -> None:
        """Play an episode with each checkpoint of a run, and add a page with its animation to the run.

        `animation` holds arguments of `animation_save_gif`. The runner's Parameter is that of the newest one then.
        Raises UsageError when there is no checkpoint.
        """
        run = MlflowRun.newest(tracking_uri, experiment_name or self.env_config.name, run_name)
        with tempfile.TemporaryDirectory() as folder:
            for name, checkpoint in run.checkpoints():
                self.parameter.restore(checkpoint.parameter, from_serialized=True)
                gif = Path(folder) / "episode.gif"
                self.animation_save_gif(gif, **animation)
                page = Path(folder) / f"{name}.html"
                page.write_text(_page(name, gif.read_bytes()), encoding="utf-8")
                run.log_html(page)


def _page(title: str, gif: bytes) -> str:
    picture = base64.b64encode(gif).decode()
    return (
        f"<!doctype html><html><head><meta charset='utf-8'><title>{title}</title></head>"
        f"<body><h1>{title}</h1><img alt='an episode' src='data:image/gif;base64,{picture}'></body></html>\n"
    )
