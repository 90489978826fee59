"""SRL: reinforcement learning with algorithms of your own, in one process or in many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_HOMES = {
    "EnvConfig": "srl.base.env.config:EnvConfig",
    "JobConfig": "srl.runner.job_config:JobConfig",
    "RunContext": "srl.base.context:RunContext",
    "Runner": "srl.runner.runner:Runner",
    "load": "srl.runner.loading:load",
    "load_context": "srl.runner.loading:load_context",
    "load_env": "srl.runner.loading:load_env",
    "load_mlflow": "srl.runner.loading:load_mlflow",
    "load_rl": "srl.runner.loading:load_rl",
    "make_env": "srl.base.env.registration:make",
    "make_worker": "srl.base.rl.registration:make_worker",
    "make_workers": "srl.base.rl.players:make_workers",
}
_PARTS = frozenset({"base", "envs", "rl", "runner", "utils"})


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for: `srl --help` answers without loading numpy."""
    from importlib import import_module

    if name in _PARTS:
        return import_module(f"srl.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'srl' has no attribute '{name}'")
    module, _, attribute = _HOMES[name].partition(":")
    found = globals()[name] = getattr(import_module(module), attribute)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_PARTS})
