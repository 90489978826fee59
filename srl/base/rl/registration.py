"""Which classes belong to which algorithm, by name."""

from __future__ import annotations

import difflib
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from srl.base.define import RLBaseTypes
from srl.base.rl.config import DummyRLConfig, RLConfig
from srl.base.rl.memory import DummyRLMemory, RLMemory
from srl.base.rl.parameter import DummyRLParameter, RLParameter
from srl.base.rl.trainer import DummyRLTrainer, RLTrainer
from srl.base.rl.worker import DummyRLWorker, RLWorkerGeneric
from srl.base.rl.worker_run import WorkerRun
from srl.utils.entry_point import load_module, split_entry_point
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from srl.base.define import PlayersType
    from srl.base.env.env_run import EnvRun

AnyConfig = RLConfig[Any, Any]
AnyWorker = RLWorkerGeneric[Any, Any, Any, Any, Any, Any, Any]


@dataclass(frozen=True)
class Algorithm:
    """The entry points of an algorithm's classes; "" stands for a class that does nothing."""

    memory: str = ""
    parameter: str = ""
    trainer: str = ""
    worker: str = ""


@dataclass(frozen=True)
class RuleBase:
    """A player that does not learn: its configuration and the entry point of its worker."""

    config: AnyConfig
    worker: str


_algorithms: dict[str, Algorithm] = {"dummy": Algorithm()}
_configs: dict[str, AnyConfig] = {}
"""By algorithm, the configuration that it was registered with."""
_rule_bases: dict[str, RuleBase] = {
    "random": RuleBase(DummyRLConfig(name="random"), "srl.rl.random_play:Worker"),
    "dummy": RuleBase(DummyRLConfig(name="dummy"), ""),
    "human": RuleBase(
        DummyRLConfig(name="human", override_action_type=RLBaseTypes.DISCRETE, action_division_num=5),
        "srl.rl.human:Worker",
    ),
}


def register(
    config: AnyConfig,
    memory_entry_point: str,
    parameter_entry_point: str,
    trainer_entry_point: str,
    worker_entry_point: str,
    check_duplicate: bool = True,
) -> None:
    """Register an algorithm under the name of its configuration.

    Entry points are "module:Class", imported when first needed; "" stands for a class that does nothing.
    Raises UsageError for a malformed entry point, and, with `check_duplicate`, for a name that is taken.
    """
    algorithm = Algorithm(memory_entry_point, parameter_entry_point, trainer_entry_point, worker_entry_point)
    for entry_point in vars(algorithm).values():
        if entry_point:
            split_entry_point(entry_point)
    _check_duplicate(config.name, _algorithms, check_duplicate)
    _algorithms[config.name] = algorithm
    _configs[config.name] = config


def register_rulebase(name_or_config: str | AnyConfig, worker_entry_point: str, check_duplicate: bool = True) -> None:
    """Register a player that does not learn. Raises UsageError as `register` does."""
    config = DummyRLConfig(name=name_or_config) if isinstance(name_or_config, str) else name_or_config
    split_entry_point(worker_entry_point)
    _check_duplicate(config.name, _rule_bases, check_duplicate)
    _rule_bases[config.name] = RuleBase(config, worker_entry_point)


def is_registered(name: str) -> bool:
    """Tell whether there is an algorithm of that name."""
    return name in _algorithms


def find_algorithm(name: str) -> Algorithm:
    """Return an algorithm's entry points. Raises UsageError, with the nearest names, when there is none."""
    if name not in _algorithms:
        raise UsageError(
            f"the algorithm '{name}' is not registered.{_near(name, _algorithms)} "
            "Import the module that calls srl.base.rl.registration.register(...) for it."
        )
    return _algorithms[name]


def registered_configs() -> dict[str, AnyConfig]:
    """Return by name the configurations that algorithms were registered with, each a copy."""
    return {name: config.copy(reset_env_config=True) for name, config in _configs.items()}


def find_rulebase(name: str) -> RuleBase:
    """Return a rule-based player. Raises UsageError, with the nearest names, when there is none."""
    if name not in _rule_bases:
        raise UsageError(f"the player '{name}' is not registered.{_near(name, _rule_bases)}")
    return _rule_bases[name]


def rulebase_entry_points(players: PlayersType) -> list[str]:
    """Return the workers' entry points of those `players` that are registered and do not learn."""
    names = [player[0] if isinstance(player, tuple) else player for player in players]
    return [_rule_bases[name].worker for name in names if isinstance(name, str) and name in _rule_bases]


def make_memory(config: AnyConfig, env: EnvRun | None = None) -> RLMemory[Any]:
    """Make an algorithm's Memory. Without `env`, the configuration must have been set up."""
    _require_setup(config, env)
    memory: RLMemory[Any] = _load(find_algorithm(config.name).memory, DummyRLMemory, RLMemory)(config)
    return memory


def make_parameter(config: AnyConfig, env: EnvRun | None = None) -> RLParameter[Any]:
    """Make an algorithm's Parameter. Without `env`, the configuration must have been set up."""
    _require_setup(config, env)
    cls = _load(find_algorithm(config.name).parameter, DummyRLParameter, RLParameter)
    parameter: RLParameter[Any] = cls(config)
    return parameter


def make_trainer(
    config: AnyConfig, parameter: RLParameter[Any], memory: RLMemory[Any], env: EnvRun | None = None
) -> RLTrainer[Any, Any, Any]:
    """Make an algorithm's Trainer. Without `env`, the configuration must have been set up."""
    _require_setup(config, env)
    cls = _load(find_algorithm(config.name).trainer, DummyRLTrainer, RLTrainer)
    trainer: RLTrainer[Any, Any, Any] = cls(config, parameter, memory)
    return trainer


def make_worker(
    name_or_config: str | AnyConfig,
    env: EnvRun,
    parameter: RLParameter[Any] | None = None,
    memory: RLMemory[Any] | None = None,
) -> WorkerRun:
    """Make the worker of an algorithm, or of a rule-based player by its name, ready to play in `env`."""
    if isinstance(name_or_config, str):
        return make_rulebase_worker(name_or_config, env, {})
    config = name_or_config
    config.setup(env)
    entry_point = _worker_entry_point(config)
    worker: AnyWorker = _load(entry_point, DummyRLWorker, RLWorkerGeneric)(config, parameter, memory)
    if config.extend_worker is not None:
        worker = config.extend_worker(worker, config, parameter, memory)
    return WorkerRun(worker, env)


def make_rulebase_worker(name: str, env: EnvRun, settings: Mapping[str, Any]) -> WorkerRun:
    """Make a registered player that does not learn; `settings` are fields of its configuration.

    Raises UsageError when there is none of that name, or it has no such field.
    """
    rulebase = find_rulebase(name)
    config = rulebase.config.copy(reset_env_config=True).apply_dict(settings)
    config.setup(env, enable_log=False)
    return WorkerRun(_load(rulebase.worker, DummyRLWorker, RLWorkerGeneric)(config), env)


def _worker_entry_point(config: AnyConfig) -> str:
    if config.name in _rule_bases and config.name not in _algorithms:
        return _rule_bases[config.name].worker
    return find_algorithm(config.name).worker


def _load(entry_point: str, dummy: type[Any], base: type[Any]) -> type[Any]:
    if not entry_point:
        return dummy
    cls = load_module(entry_point)
    if not (isinstance(cls, type) and issubclass(cls, base)):
        raise UsageError(f"entry point '{entry_point}' is no subclass of {base.__name__}")
    return cls


def _require_setup(config: AnyConfig, env: EnvRun | None) -> None:
    if env is not None:
        config.setup(env)
    elif not config.is_setup():
        raise UsageError(f"{type(config).__name__} has not met an environment: pass env, or call setup(env) first")


def _check_duplicate(name: str, known: Iterable[str], check_duplicate: bool) -> None:
    if name not in known:
        return
    text = f"'{name}' is registered already"
    if check_duplicate:
        raise UsageError(f"{text}: return another name from get_name(), or pass check_duplicate=False to replace it")
    warnings.warn(f"{text}; the last one counts", stacklevel=3)


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known)
    return f" Did you mean {' or '.join(near)}?" if near else ""
