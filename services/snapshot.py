"""What a snapshot of the learner holds: Parameter, state of the Trainer, and how far it was in the batches."""

from __future__ import annotations

import inspect
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from srl_common import codec
from srl_common.errors import CorruptError, EncodeError
from srl_common.snapshots import Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from srl.base.rl.parameter import RLParameter
    from srl.base.rl.trainer import RLTrainer


@dataclass(frozen=True)
class LearnerState:
    """What a learner resumes from."""

    parameter: Any = None
    """What `RLParameter.backup` returned."""
    train_count: int = 0
    position: Mapping[str, int] = field(default_factory=dict)
    """By recv function, the last batch that the parameter was trained on."""
    elapsed_s: float = 0.0
    """Seconds of training so far."""
    trainer: Any = None
    """What `RLTrainer.backup` returned."""


def take(
    parameter: RLParameter[Any],
    epoch: int,
    train_count: int,
    position: Mapping[str, int],
    elapsed_s: float,
    trainer: RLTrainer[Any, Any, Any] | None = None,
) -> Snapshot:
    """Take a snapshot, encoded at once: training may go on and change what it is of. Raises EncodeError.

    Actors get the Parameter alone, or what the author's `call_backup` makes for them (it names `to_worker`).
    """
    backup = parameter.backup(serialized=True)
    state = trainer.backup() if trainer is not None else None
    extra = {"position": dict(position), "elapsed_s": elapsed_s}
    data = _pack({"parameter": backup, "trainer": state, **extra}, parameter, trainer)
    worker_data = None
    if _has_worker_part(parameter):
        worker_data = _pack({"parameter": parameter.backup(serialized=True, to_worker=True)}, parameter)
    elif state is not None:
        worker_data = _pack({"parameter": backup}, parameter)
    return Snapshot.make(epoch, train_count, data, {"created_s": time.time()}, worker_data)


def learner_state(snapshot: Snapshot) -> LearnerState:
    """Return what a learner resumes from. Raises CorruptError or DecodeError for a damaged snapshot."""
    parameter, trainer, position, elapsed_s = _read(snapshot, "parameter", "trainer", "position", "elapsed_s")
    return LearnerState(parameter, snapshot.train_count, position, elapsed_s, trainer)


def worker_job(job: str) -> str:
    """Return the name that the parameter of actor 0 is stored under, where the algorithm wants it collected."""
    return f"{job}-worker"


def worker_parameter(snapshot: Snapshot) -> Any:
    """Return what an actor restores its Parameter from. Raises CorruptError or DecodeError for a damaged snapshot."""
    return _read(snapshot, "parameter")[0]


def _read(snapshot: Snapshot, *names: str) -> list[Any]:
    data = codec.unpack(snapshot.data, codec.UNLIMITED)
    if type(data) is not dict or not data.keys() >= set(names):
        raise CorruptError(f"snapshot {snapshot.version} is not a learner's: set SRL_STORE_JOB to a name of its own")
    return [data[name] for name in names]


def _pack(parts: dict[str, Any], parameter: RLParameter[Any], trainer: RLTrainer[Any, Any, Any] | None = None) -> bytes:
    try:
        return codec.pack(parts)
    except EncodeError:
        for name, author in {"parameter": parameter, "trainer": trainer}.items():
            _require_travels(parts.get(name), author)
        raise


def _require_travels(backup: Any, author: Any) -> None:
    try:
        codec.pack(backup)
    except EncodeError as error:
        name = f"{type(author).__name__}.call_backup"
        raise EncodeError(f"{name} returned a value that cannot travel: {error}") from None


def _has_worker_part(parameter: RLParameter[Any]) -> bool:
    return "to_worker" in inspect.signature(parameter.call_backup).parameters
