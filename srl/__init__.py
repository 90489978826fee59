"""SRL: reinforcement learning with algorithms of your own, in one process or in many."""

from srl.base.context import RunContext
from srl.base.env.config import EnvConfig
from srl.base.env.registration import make as make_env
from srl.base.rl.players import make_workers
from srl.base.rl.registration import make_worker
from srl.runner.job_config import JobConfig
from srl.runner.loading import load, load_context, load_env, load_mlflow, load_rl
from srl.runner.runner import Runner

__version__ = "0.1.0"

__all__ = [
    "EnvConfig",
    "JobConfig",
    "RunContext",
    "Runner",
    "__version__",
    "load",
    "load_context",
    "load_env",
    "load_mlflow",
    "load_rl",
    "make_env",
    "make_worker",
    "make_workers",
]
