"""RunContext: the settings of one run. RunState: where a run stands."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, Self

from srl.base.run.past import Past
from srl.utils.config_file import read_config, write_config
from srl.utils.device import tf_device, torch_device
from srl.utils.plain_data import TARGET, fields_to_plain, set_fields
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from srl.base.define import PlayersType, RenderModeType
    from srl.base.env.config import EnvConfig
    from srl.base.env.env_run import EnvRun
    from srl.base.rl.config import RLConfig
    from srl.base.rl.memory import RLMemory
    from srl.base.rl.parameter import RLParameter
    from srl.base.rl.trainer import RLTrainer
    from srl.base.rl.worker_run import WorkerRun
    from srl.base.run.callback import RunCallback

_LIMITS = ("max_episodes", "timeout", "max_steps", "max_train_count", "max_memory")


@dataclass
class RunContext:
    """The settings of one run. A limit of 0 or less is no limit."""

    env_config: EnvConfig | None = None
    rl_config: RLConfig[Any, Any] | None = None
    callbacks: list[RunCallback] = field(default_factory=list)

    run_name: Literal["main", "trainer", "actor", "memory", "eval"] = "main"
    play_mode: str = ""
    """The method of Runner that this is the run of, such as "train"."""

    max_episodes: int = 0
    timeout: float = 0
    """Seconds, checked between two steps."""
    max_steps: int = 0
    max_train_count: int = 0
    max_memory: int = 0
    """Stop when the memory holds this many items."""

    players: PlayersType = field(default_factory=list)
    shuffle_player: bool = True
    """Draw who plays which player anew in each episode."""

    disable_trainer: bool = False
    train_interval: int = 1
    """Train after every so many environment steps..."""
    train_repeat: int = 1
    """...and then this often."""

    distributed: bool = False
    training: bool = False
    train_only: bool = False
    rollout: bool = False
    env_render_mode: RenderModeType = ""
    rl_render_mode: RenderModeType = ""

    actor_num: int = 1
    actor_id: int = 0
    actor_devices: str | list[str] = "CPU"
    memory_limit: int = -1
    enable_stats: bool = False
    seed: int | None = None
    """Of the first episode; each further one adds 1. None: not repeatable."""
    seed_enable_gpu: bool = False
    device: str = "AUTO"
    """"AUTO", "CPU", "GPU", "GPU:1", or a name that the framework itself knows."""
    framework: str = ""

    @property
    def used_device_torch(self) -> str:
        """PyTorch's name of `device`."""
        return torch_device(self.device)

    @property
    def used_device_tf(self) -> str:
        """TensorFlow's name of `device`."""
        return tf_device(self.device)

    def require_stop_condition(self, *names: str) -> None:
        """Raise UsageError unless one of the limits is set (one of `names`, where not all apply)."""
        names = names or _LIMITS
        if not any(getattr(self, name) > 0 for name in names):
            raise UsageError(f"the run would never end: give at least one of {', '.join(names)} a value above 0")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings but callbacks as plain data. Raises UsageError for what has no such form."""
        return fields_to_plain(self, leave_out=frozenset({"callbacks"}))

    def save(self, path: str | Path) -> None:
        """Write the settings to a .yaml or .json file."""
        write_config(path, self.to_dict())

    @classmethod
    def load(cls, path_or_dict: str | Path | Mapping[str, Any]) -> Self:
        """Return the settings that `save` wrote. Load only files that you trust as code."""
        plain = path_or_dict if isinstance(path_or_dict, Mapping) else read_config(path_or_dict)
        context = cls()
        set_fields(context, {name: value for name, value in plain.items() if name != TARGET})
        return context

    def summary(self) -> None:
        """Print the settings of the run."""
        print("--- RunContext")
        for each in fields(self):
            if each.name not in {"env_config", "rl_config"}:
                print(f"{each.name}: {getattr(self, each.name)}")


@dataclass
class RunState:
    """Where a run stands. A field is filled by the kinds of run that have it."""

    trainer: RLTrainer[Any, Any, Any] | None = None
    memory: RLMemory[Any] | None = None
    parameter: RLParameter[Any] | None = None

    elapsed_t0: float = field(default_factory=time.perf_counter)
    """`time.perf_counter()` at the start of the run, in seconds."""
    past: Past = field(default_factory=Past)
    """What came before this run, which goes on from a checkpoint."""
    train_count: int = 0
    """Updates made in this run; in an actor, those that its Parameter has seen."""
    is_step_trained: bool = False
    """Whether the last step made an update."""
    end_reason: str = ""
    """Why the run ended; "" while it goes on."""
    shared_vars: dict[str, Any] = field(default_factory=dict)
    """For callbacks to share values."""

    sync_actor: int = 0
    sync_trainer: int = 0
    """How many parameters this process has received (actor) and published (trainer)."""
    actor_send_q: int = 0
    trainer_recv_q: int = 0
    """Items on their way from this actor, and waiting for this trainer."""

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start of the run."""
        return time.perf_counter() - self.elapsed_t0


@dataclass
class RunStateActor(RunState):
    """Where a run that plays episodes stands."""

    env: EnvRun = field(kw_only=True)
    workers: list[WorkerRun] = field(kw_only=True)
    worker: WorkerRun = field(kw_only=True)
    """The worker of the algorithm itself."""

    worker_indices: list[int] = field(default_factory=list)
    """By player: the index in `workers` of who plays it in this episode."""
    worker_idx: int = 0
    """The index in `workers` of whose turn it is."""
    episode_count: int = 0
    """Episodes that have come to their end."""
    total_step: int = 0
    """Environment steps in this run."""
    episode_seed: int | None = None
    action: Any = None
    """The last action, as the environment gets it."""

    episode_rewards_list: list[list[float]] = field(default_factory=list)
    """By episode, by worker; in training only the newest some thousands."""
    last_episode_step: int = 0
    last_episode_time: float = 0
    """Seconds."""
    last_episode_rewards: list[float] = field(default_factory=list)
    """By worker."""


@dataclass
class RunStateTrainer(RunState):
    """Where a run that only trains stands."""
