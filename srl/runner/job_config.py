"""JobConfig: what a job file asks a cluster to train."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from srl.base.context import RunContext
from srl.base.env.config import EnvConfig
from srl.base.rl.config import RLConfig
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from srl.base.define import PlayersType


@dataclass
class JobConfig:
    """What the function `job()` of a job file returns.

        def job():
            return srl.JobConfig("Grid", Config(lr=0.01), timeout=600)

    A job without a limit trains until somebody stops it, such as with `srl stop`.
    """

    env: str | EnvConfig
    rl_config: RLConfig[Any, Any]
    timeout: float = -1
    """Seconds of training; 0 or less: no limit."""
    max_train_count: int = -1
    """Updates; 0 or less: no limit."""
    seed: int | None = None
    players: PlayersType = field(default_factory=list)
    """As in `Runner.train`."""
    name: str = ""
    """For people; "" is made of the file, the algorithm and the environment."""

    def to_context(self) -> RunContext:
        """Return the settings of the run. Raises UsageError when environment or algorithm is none."""
        env = EnvConfig(self.env) if isinstance(self.env, str) else self.env
        if not isinstance(env, EnvConfig) or not env.name:
            raise UsageError(
                f"JobConfig.env is {self.env!r}: give the id of an environment, such as 'Grid', or an EnvConfig"
            )
        if not isinstance(self.rl_config, RLConfig):
            raise UsageError(
                f"JobConfig.rl_config is {self.rl_config!r}: give the Config of an algorithm, such as ql.Config()"
            )
        return RunContext(
            env_config=env,
            rl_config=self.rl_config,
            play_mode="train_cluster",
            training=True,
            distributed=True,
            timeout=self.timeout,
            max_train_count=self.max_train_count,
            seed=self.seed,
            players=self.players,
        )
