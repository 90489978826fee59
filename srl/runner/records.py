"""What a runner keeps of its runs: history and checkpoints."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srl.runner.base import RunnerBase
from srl.runner.checkpoint import checkpoint_paths, load_checkpoint
from srl.runner.checkpointing import CheckpointOptions, CheckpointWriter
from srl.runner.evaluation import EvaluationOptions
from srl.runner.history_evaluation import HistoryEvaluation
from srl.runner.history_file import read_folder, row_files
from srl.runner.history_log import HistoryLog
from srl.runner.history_viewer import HistoryViewer, HistoryViewers
from srl.runner.mlflow_recorder import MlflowOptions, MlflowRecorder
from srl.utils.config_file import write_config
from srl.utils.usage import UsageError, short_traceback

if TYPE_CHECKING:
    from collections.abc import Sequence

    from srl.base.context import RunContext
    from srl.base.define import PlayersType
    from srl.base.run.callback import RunCallback
    from srl.base.run.past import Past
    from srl.runner.interval import IntervalMode

log = logging.getLogger("srl")

DEFAULT_FOLDER = "history"


@dataclass(frozen=True)
class HistoryOptions:
    """Where rows are written and when; see Runner.set_history_on_file."""

    folder: Path
    interval: float
    interval_mode: IntervalMode
    write_system: bool
    evaluation: EvaluationOptions


class RecordsMixin(RunnerBase):
    """Settings of history and checkpoints, and what they add to runs that train."""

    _history: HistoryOptions | None = None
    _checkpoints: CheckpointOptions | None = None
    _mlflow: MlflowOptions | None = None
    _past: Past | None = None
    """What the next run that trains goes on from."""

    # --- history

    def set_history_on_memory(
        self,
        interval: float = 1,
        interval_mode: IntervalMode = "time",
        write_system: bool = False,
        enable_eval: bool = False,
        eval_env_sharing: bool = False,
        eval_interval: float = -1,
        eval_timeout: float = -1,
        eval_max_steps: int = -1,
        eval_episode: int = 1,
        eval_players: PlayersType | None = None,
        eval_shuffle_player: bool = False,
    ) -> None:
        """Keep rows of values of the runs that come, for `get_history`; nothing stays when this runner is gone.

        The arguments are those of `set_history_on_file`.
        """
        evaluation = EvaluationOptions(
            enable_eval, eval_env_sharing, eval_interval, eval_timeout, eval_max_steps, eval_episode,
            eval_players or [], eval_shuffle_player,
        )  # fmt: skip
        self._set_temporary_history(interval, interval_mode, write_system=write_system, evaluation=evaluation)

    def _set_temporary_history(
        self, interval: float, interval_mode: IntervalMode, *, write_system: bool, evaluation: EvaluationOptions
    ) -> None:
        mode = _checked_mode(interval_mode)
        folder = Path(tempfile.mkdtemp(prefix="srl-history-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._history = HistoryOptions(folder, interval, mode, write_system, evaluation)

    @short_traceback
    def set_history_on_file(
        self,
        save_dir: str | Path = "",
        interval: float = 1,
        interval_mode: IntervalMode = "time",
        add_history: bool = False,
        write_system: bool = False,
        enable_eval: bool = False,
        eval_env_sharing: bool = False,
        eval_interval: float = -1,
        eval_timeout: float = -1,
        eval_max_steps: int = -1,
        eval_episode: int = 1,
        eval_players: PlayersType | None = None,
        eval_shuffle_player: bool = False,
    ) -> None:
        """Write rows of values of the runs that come to files: of train, rollout, train_only and train_mp.

        `save_dir` is a folder; "" makes one below `history`, named after time, environment and algorithm. `interval`
        is the distance of two rows in seconds ("time"), or steps ("step"; when only training, updates).
        `add_history` keeps the rows that are there and goes on from them; otherwise they are deleted now.
        `write_system` adds how busy processors and memory are, where psutil is installed. With `enable_eval` rows of
        evaluations come too, every `eval_interval` seconds (-1: as often as other rows); see `set_progress`.

        Raises UsageError when `save_dir` is no folder, or when `interval_mode` is another word.
        """
        folder = Path(save_dir or self._default_folder()).absolute()
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"set_history_on_file: save_dir {folder} is no folder")
        folder.mkdir(parents=True, exist_ok=True)
        if not add_history:
            for path in row_files(folder):
                path.unlink()
        evaluation = EvaluationOptions(
            enable_eval, eval_env_sharing, eval_interval, eval_timeout, eval_max_steps, eval_episode,
            eval_players or [], eval_shuffle_player,
        )  # fmt: skip
        self._history = HistoryOptions(folder, interval, _checked_mode(interval_mode), write_system, evaluation)

    def disable_history(self) -> None:
        """Write no rows any more."""
        self._history = None

    @short_traceback
    def get_history(self) -> HistoryViewer:
        """Return the rows written so far. Raises UsageError without a history."""
        if self._history is None:
            raise UsageError("there is no history: call set_history_on_memory or set_history_on_file before the run")
        return HistoryViewer(read_folder(self._history.folder), self._history.folder)

    @staticmethod
    def load_history(history_dir: str | Path) -> HistoryViewer:
        """Return the history in a folder. Raises UsageError when there is none."""
        return HistoryViewer.load(history_dir)

    @staticmethod
    def load_histories(history_dirs: Sequence[str | Path]) -> HistoryViewers:
        """Return the histories in several folders, to compare them. Raises UsageError when one has none."""
        return HistoryViewers.load(history_dirs)

    def _default_folder(self) -> Path:
        name = f"{time.strftime('%Y%m%d-%H%M%S')}_{self.env_config.name}_{self.rl_config.name}"
        return Path(DEFAULT_FOLDER) / name.replace("/", "_")

    # --- checkpoints

    @short_traceback
    def set_checkpoint(
        self,
        save_dir: str | Path,
        is_load: bool = True,
        interval: float = 600,
        enable_eval: bool = True,
        eval_env_sharing: bool = False,
        eval_timeout: float = -1,
        eval_max_steps: int = -1,
        eval_episode: int = 1,
        eval_players: PlayersType | None = None,
        eval_shuffle_player: bool = False,
    ) -> None:
        """Write checkpoints of train, train_only and train_mp at their begin, at intervals, and at their end.

        They go into the folder `save_dir`. With `is_load` the next run goes on from the newest one there, if there is
        one. `interval` is in seconds; while playing, a checkpoint that is due waits for the end of the episode.
        With `enable_eval` the name of each says the rewards of an evaluation; see `set_progress`.
        """
        evaluation = EvaluationOptions(
            enable_eval, eval_env_sharing, -1, eval_timeout, eval_max_steps, eval_episode,
            eval_players or [], eval_shuffle_player,
        )  # fmt: skip
        self._checkpoints = CheckpointOptions(Path(save_dir), interval, evaluation)
        if is_load and checkpoint_paths(Path(save_dir)):
            self.load_checkpoint(save_dir)

    def disable_checkpoint(self) -> None:
        """Write no checkpoints any more."""
        self._checkpoints = None

    @short_traceback
    def load_checkpoint(self, save_dir: str | Path) -> None:
        """Take over a checkpoint, of a folder the newest: the next run that trains goes on from it.

        It unpickles: load only files that you trust as code. Raises UsageError when there is none that is whole.
        """
        checkpoint = load_checkpoint(Path(save_dir))
        checkpoint.restore(self.trainer)
        self._past = checkpoint.past

    # --- for the kinds of run

    def _take_past(self) -> Past | None:
        past, self._past = self._past, None
        return past

    def _recorders(self, context: RunContext, *, checkpoints: bool) -> list[RunCallback]:
        """Return the callbacks that write the records of a run in this process."""
        recorders: list[RunCallback] = []
        history = self._history_log(context)
        if history is not None:
            followers = (self._history_evaluation(history), self._mlflow_recorder(history))
            recorders += [history, *filter(None, followers)]
        if checkpoints and self._checkpoints is not None:
            recorders.append(CheckpointWriter(self._checkpoints, self._evaluation(self._checkpoints.evaluation)))
        return recorders

    def _history_log(self, context: RunContext) -> HistoryLog | None:
        """Return what writes the rows of a run, after a note in the folder of what runs."""
        options = self._history
        if options is None:
            if self._mlflow is not None:
                raise UsageError("MLflow gets the rows of a history: do not disable it, or call disable_mlflow too")
            return None
        _write_settings(options.folder, context)
        rows = read_folder(options.folder)
        begun_s = time.time() - (rows[-1]["time"] if rows else 0.0)
        return HistoryLog(str(options.folder), options.interval, options.interval_mode, options.write_system, begun_s)

    def _history_evaluation(self, history: HistoryLog) -> HistoryEvaluation | None:
        assert self._history is not None
        options = self._history.evaluation
        evaluation = self._evaluation(options)
        return HistoryEvaluation(history, evaluation, options.interval_s) if evaluation is not None else None

    def _mlflow_recorder(self, history: HistoryLog) -> MlflowRecorder | None:
        options = self._mlflow
        if options is None:
            return None
        evaluation = self._evaluation(options.evaluation)
        return MlflowRecorder(options, Path(history.save_dir), history.begun_s, evaluation)


def _checked_mode(mode: IntervalMode) -> IntervalMode:
    if mode not in {"time", "step"}:
        raise UsageError(f"interval_mode '{mode}' is neither 'time' nor 'step'")
    return mode


def _write_settings(folder: Path, context: RunContext) -> None:
    from srl import __version__

    assert context.env_config is not None
    assert context.rl_config is not None
    (folder / "version.txt").write_text(f"{__version__}\n", encoding="utf-8")
    for name, settings in {
        "env_config": context.env_config,
        "rl_config": context.rl_config,
        "context": context,
    }.items():
        _write_config(folder / f"{name}.json", settings)


def _write_config(path: Path, settings: Any) -> None:
    try:
        write_config(path, settings.to_dict())
    except UsageError as error:
        log.warning("%s is not written: %s", path.name, error)
