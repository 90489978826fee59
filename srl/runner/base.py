"""What every kind of run needs: environment, configuration, and the objects made of them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srl.base.context import RunContext
from srl.base.env.config import EnvConfig
from srl.base.rl import registration
from srl.base.rl.config import DummyRLConfig, RLConfig
from srl.base.rl.players import make_workers
from srl.base.run.play import play
from srl.runner.checkpoint import is_checkpoint, load_checkpoint
from srl.runner.evaluation import Evaluation, EvaluationOptions
from srl.runner.progress import Progress, ProgressOptions
from srl.utils.config_file import write_config
from srl.utils.seed import set_seed
from srl.utils.usage import UsageError, short_traceback

if TYPE_CHECKING:
    from collections.abc import Sequence

    from srl.base.context import RunStateActor, RunStateTrainer
    from srl.base.define import PlayersType
    from srl.base.env.env_run import EnvRun
    from srl.base.rl.memory import RLMemory
    from srl.base.rl.parameter import RLParameter
    from srl.base.rl.trainer import RLTrainer
    from srl.base.rl.worker_run import WorkerRun
    from srl.base.run.callback import RunCallback
    from srl.base.run.past import Past

_DEVICE = re.compile(r"AUTO|CPU|(GPU|CUDA)(:\d+)?")


class RunnerBase:
    """Holds environment and algorithm. Memory, Parameter, Trainer and Worker are made when first used."""

    @short_traceback
    def __init__(
        self,
        name_or_env_config: str | EnvConfig | None = None,
        rl_config: RLConfig[Any, Any] | None = None,
        context: RunContext | None = None,
        delay_make_env: bool = False,
    ) -> None:
        """Make the environment and let the algorithm meet it.

        Without an algorithm, players act at random. What is not given comes from `context`.
        With `delay_make_env` the environment is made when first used.
        """
        self.context = context if context is not None else RunContext()
        self.env_config = _env_config(name_or_env_config, self.context)
        self.rl_config: RLConfig[Any, Any] = rl_config or self.context.rl_config or DummyRLConfig()
        self.context.env_config = self.env_config
        self.context.rl_config = self.rl_config
        self.context.framework = self.rl_config.get_framework()
        self.state: RunStateActor | RunStateTrainer | None = None
        """Where the last run ended."""
        self._progress_options = ProgressOptions()
        self._env: EnvRun | None = None
        self._parameter: RLParameter[Any] | None = None
        self._memory: RLMemory[Any] | None = None
        self._trainer: RLTrainer[Any, Any, Any] | None = None
        self._worker: WorkerRun | None = None
        if not delay_make_env:
            self.make_env()

    # --- objects

    @property
    def env(self) -> EnvRun:
        return self._env if self._env is not None else self.make_env()

    @property
    def parameter(self) -> RLParameter[Any]:
        return self._parameter if self._parameter is not None else self.make_parameter()

    @property
    def memory(self) -> RLMemory[Any]:
        return self._memory if self._memory is not None else self.make_memory()

    @property
    def trainer(self) -> RLTrainer[Any, Any, Any]:
        return self._trainer if self._trainer is not None else self.make_trainer()

    @property
    def worker(self) -> WorkerRun:
        """The worker of the algorithm itself."""
        return self._worker if self._worker is not None else self.make_worker()

    @property
    def workers(self) -> list[WorkerRun]:
        """A worker for each player, as `context.players` says."""
        return self.make_workers()[0]

    @short_traceback
    def make_env(self) -> EnvRun:
        """Make the environment, and let the algorithm meet it. Raises UndefinedError for an unknown id."""
        self._env = self.env_config.make()
        self.rl_config.setup(self._env)
        return self._env

    @short_traceback
    def make_parameter(self) -> RLParameter[Any]:
        """Make a new Parameter, for which Trainer and Worker are made anew. Raises UsageError if unknown."""
        self._parameter = registration.make_parameter(self.rl_config, self.env)
        self._trainer = self._worker = None
        return self._parameter

    @short_traceback
    def make_memory(self) -> RLMemory[Any]:
        """Make a new Memory, for which Trainer and Worker are made anew. Raises UsageError if unknown."""
        self._memory = registration.make_memory(self.rl_config, self.env)
        self._trainer = self._worker = None
        return self._memory

    @short_traceback
    def make_trainer(self) -> RLTrainer[Any, Any, Any]:
        """Make a new Trainer of the runner's Parameter and Memory."""
        parameter, memory = self.parameter, self.memory
        self._trainer = registration.make_trainer(self.rl_config, parameter, memory, self.env)
        return self._trainer

    @short_traceback
    def make_worker(self) -> WorkerRun:
        """Make a new Worker of the runner's Parameter and Memory."""
        parameter, memory = self.parameter, self.memory
        self._worker = registration.make_worker(self.rl_config, self.env, parameter, memory)
        return self._worker

    @short_traceback
    def make_workers(self, players: PlayersType | None = None) -> tuple[list[WorkerRun], int]:
        """Make a worker for each player; the second value is the index of the algorithm's own."""
        chosen = self.context.players if players is None else players
        worker = self.worker
        return make_workers(chosen, self.env, self.rl_config, self.parameter, self.memory, worker)

    # --- files

    @short_traceback
    def save_parameter(self, path: str | Path, compress: bool = True) -> None:
        """Write the Parameter to a file."""
        self.parameter.save(path, compress)

    @short_traceback
    def load_parameter(self, path: str | Path) -> None:
        """Restore the Parameter from a file, which may be a checkpoint. Load only files that you trust as code."""
        if is_checkpoint(Path(path)):
            self.parameter.restore(load_checkpoint(Path(path)).parameter, from_serialized=True)
        else:
            self.parameter.load(path)

    @short_traceback
    def save_memory(self, path: str | Path, compress: bool = True) -> None:
        """Write the Memory to a file."""
        self.memory.save(path, compress)

    @short_traceback
    def load_memory(self, path: str | Path) -> None:
        """Restore the Memory from a file. Load only files that you trust as code."""
        self.memory.load(path)

    @short_traceback
    def save(self, path: str | Path) -> None:
        """Write the settings of environment, algorithm and run to a .yaml or .json file for srl.load."""
        write_config(path, self.context.to_dict())

    # --- settings

    def set_seed(self, seed: int | None = None, seed_enable_gpu: bool = True) -> None:
        """Make runs repeatable: the first episode gets this seed, each further one 1 more; None undoes it."""
        self.context.seed = seed
        self.context.seed_enable_gpu = seed_enable_gpu
        set_seed(seed, seed_enable_gpu)

    def set_progress(
        self,
        start_time: float = 1,
        interval_limit: float = 120,
        single_line: bool = True,
        env_info: bool = False,
        train_info: bool = True,
        worker_info: bool = True,
        worker: int = 0,
        max_actor: int = 5,
        enable_eval: bool = False,
        eval_env_sharing: bool = False,
        eval_interval: float = -1,
        eval_timeout: float = -1,
        eval_max_steps: int = -1,
        eval_episode: int = 1,
        eval_players: PlayersType | None = None,
        eval_shuffle_player: bool = False,
    ) -> None:
        """Set how runs show their progress.

        `start_time` and `interval_limit`: seconds to the first line of plain output, and at most between two.
        `single_line`: on a terminal, keep one line up to date. `env_info`, `train_info` and `worker_info` choose whose
        `info` is shown; `worker` is the index of the player. Of several actors the first `max_actor` are shown.

        With `enable_eval`, runs that train play `eval_episode` episodes with a copy of the Parameter every
        `eval_interval` seconds (-1: 10), and show their mean reward. That changes nothing of what is learned. In one
        process training waits meanwhile, and an evaluation that is due waits for the end of an episode.
        `eval_timeout` (seconds) and `eval_max_steps` limit it; `eval_players` and `eval_shuffle_player` are as
        `players` and `shuffle_player` in `evaluate`. `eval_env_sharing` plays in the runner's own environment instead
        of a second one.
        """
        evaluation = EvaluationOptions(
            enable_eval, eval_env_sharing, eval_interval, eval_timeout, eval_max_steps, eval_episode,
            eval_players or [], eval_shuffle_player,
        )  # fmt: skip
        self._progress_options = ProgressOptions(
            start_time, interval_limit, single_line, env_info, train_info, worker_info, worker, max_actor, evaluation
        )

    def set_device(self, device: str = "AUTO") -> None:
        """Choose the device that the algorithm computes on: "AUTO" (a GPU if there is one), "CPU", "GPU", "GPU:1"."""
        if not _DEVICE.fullmatch(device.upper()):
            raise UsageError(f"device '{device}' is none of AUTO, CPU, GPU, GPU:0, GPU:1, ...")
        self.context.device = device.upper()

    def enable_stats(self) -> None:
        """Show in the progress how busy processors and memory are, where psutil is installed."""
        self.context.enable_stats = True

    def disable_stats(self) -> None:
        """Undo `enable_stats`."""
        self.context.enable_stats = False

    def get_env_init_state(self, encode: bool = True) -> Any:
        """Return the first state of an episode, as the algorithm sees it (`encode`) or the environment."""
        self.env.setup(self.context, self.rl_config.request_env_render)
        self.env.reset()
        state = self.env.state
        return self.rl_config.state_encode_one_step(state, self.env) if encode else state

    def summary(self) -> None:
        """Print the settings of environment, algorithm and run."""
        print(f"--- EnvConfig ({self.env_config.name})")
        for name, value in vars(self.env_config).items():
            print(f"{name}: {value}")
        self.rl_config.summary()
        self.context.summary()

    def model_summary(self, **kwargs: Any) -> RLParameter[Any]:
        """Print the summary of the Parameter, and return it."""
        self.parameter.summary(**kwargs)
        return self.parameter

    # --- for the kinds of run

    def _new_context(self, play_mode: str, **settings: Any) -> RunContext:
        return replace(self.context, play_mode=play_mode, **settings)

    def _with_progress(
        self, callbacks: Sequence[RunCallback], enable: bool, *, trains: bool = False
    ) -> list[RunCallback]:
        if not enable:
            return [*callbacks]
        evaluation = self._evaluation(self._progress_options.evaluation) if trains else None
        return [*callbacks, Progress(self._progress_options, evaluation=evaluation)]

    def _evaluation(self, options: EvaluationOptions) -> Evaluation | None:
        return Evaluation(options, self.env) if options.enable else None

    def _play(
        self,
        context: RunContext,
        trainer: RLTrainer[Any, Any, Any] | None,
        callbacks: Sequence[RunCallback],
        past: Past | None = None,
    ) -> RunStateActor:
        workers, main_worker_idx = self.make_workers(context.players)
        context.callbacks = list(callbacks)
        state = play(context, self.env, workers, main_worker_idx, trainer, callbacks, past)
        self.state = state
        return state


def _env_config(name_or_env_config: str | EnvConfig | None, context: RunContext) -> EnvConfig:
    if isinstance(name_or_env_config, str):
        return EnvConfig(name_or_env_config)
    return name_or_env_config or context.env_config or EnvConfig()
