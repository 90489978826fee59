"""Who plays against whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srl.base.rl.config import RLConfig
from srl.base.rl.registration import make_rulebase_worker, make_worker
from srl.base.rl.worker_run import WorkerRun
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from srl.base.define import PlayerType
    from srl.base.env.env_run import EnvRun
    from srl.base.rl.memory import RLMemory
    from srl.base.rl.parameter import RLParameter


def make_workers(
    players: Sequence[PlayerType],
    env: EnvRun,
    rl_config: RLConfig[Any, Any] | None = None,
    parameter: RLParameter[Any] | None = None,
    memory: RLMemory[Any] | None = None,
    main_worker: WorkerRun | None = None,
) -> tuple[list[WorkerRun], int]:
    """Make one worker for each player of `env`; the second value is the index of the algorithm's own.

    A player is one of: None, the algorithm of `rl_config` (several share parameter and memory); a name or
    (name, arguments) of a player that the environment brings, or that is registered (the arguments are then
    fields of its configuration); an RLConfig or
    (RLConfig, backup of a parameter), another algorithm. Missing ones are None for the first player and
    "random" for the others. The first None gets `main_worker` if given.
    Raises UsageError for too many players or one of another kind.
    """
    workers: list[WorkerRun] = []
    main_worker_idx: int | None = None
    for player in _filled_up(players, env.player_num):
        if player is None and main_worker_idx is None:
            main_worker_idx = len(workers)
            workers.append(main_worker or _make_own(rl_config, env, parameter, memory))
        else:
            workers.append(_make_player(player, env, rl_config, parameter, memory))
    return workers, main_worker_idx or 0


def _filled_up(players: Sequence[PlayerType], player_num: int) -> list[PlayerType]:
    if len(players) > player_num:
        raise UsageError(f"players has {len(players)} entries, but the environment has {player_num} players")
    default: list[PlayerType] = [None] + ["random"] * (player_num - 1)
    return [*players, *default[len(players) :]]


def _make_player(
    player: PlayerType,
    env: EnvRun,
    rl_config: RLConfig[Any, Any] | None,
    parameter: RLParameter[Any] | None,
    memory: RLMemory[Any] | None,
) -> WorkerRun:
    if player is None:
        return _make_own(rl_config, env, parameter, memory)
    if isinstance(player, str):
        return _make_named(player, {}, env)
    if isinstance(player, RLConfig):
        return _make_other(player, None, env)
    if isinstance(player, tuple) and len(player) == 2:
        who, details = player
        return _make_named(who, details, env) if isinstance(who, str) else _make_other(who, details, env)
    raise UsageError(f"players has {player!r}, which is none of None, name, (name, dict), RLConfig, (RLConfig, backup)")


def _make_own(
    rl_config: RLConfig[Any, Any] | None,
    env: EnvRun,
    parameter: RLParameter[Any] | None,
    memory: RLMemory[Any] | None,
) -> WorkerRun:
    if rl_config is None:
        raise UsageError("a player is None, which stands for the algorithm, but there is no rl_config")
    return make_worker(rl_config, env, parameter, memory)


def _make_named(name: str, kwargs: dict[str, Any], env: EnvRun) -> WorkerRun:
    worker = env.make_worker(name, kwargs, enable_raise=False)
    if worker is None:
        return make_rulebase_worker(name, env, kwargs)
    return WorkerRun(worker, env)


def _make_other(config: RLConfig[Any, Any], backup: Any, env: EnvRun) -> WorkerRun:
    config = config.copy(reset_env_config=True)
    parameter = config.make_parameter(env)
    parameter.restore(backup)
    return make_worker(config, env, parameter, config.make_memory())
