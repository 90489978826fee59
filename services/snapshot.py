"""What a snapshot of the learner holds: the Parameter, and how far it was in the batches when it was taken."""

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


def take(
    parameter: RLParameter[Any], epoch: int, train_count: int, position: Mapping[str, int], elapsed_s: float
) -> Snapshot:
    """Take a snapshot, encoded at once: training may go on and change the parameter. Raises EncodeError."""
    whole = _encode(parameter, {"position": dict(position), "elapsed_s": elapsed_s}, to_worker=False)
    worker = _encode(parameter, {}, to_worker=True) if _has_worker_part(parameter) else None
    return Snapshot.make(epoch, train_count, whole, meta={"created_s": time.time()}, worker_data=worker)


def learner_state(snapshot: Snapshot) -> LearnerState:
    """Return what a learner resumes from. Raises CorruptError or DecodeError for a damaged snapshot."""
    parameter, position, elapsed_s = _read(snapshot, "parameter", "position", "elapsed_s")
    return LearnerState(parameter, snapshot.train_count, position, elapsed_s)


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


def _encode(parameter: RLParameter[Any], extra: dict[str, Any], *, to_worker: bool) -> bytes:
    backup = parameter.backup(serialized=True, to_worker=to_worker)
    try:
        return codec.pack({"parameter": backup, **extra})
    except EncodeError as error:
        name = f"{type(parameter).__name__}.call_backup"
        raise EncodeError(f"{name} returned a value that cannot travel: {error}") from None


def _has_worker_part(parameter: RLParameter[Any]) -> bool:
    """Tell whether the author makes a smaller backup for actors: `call_backup` names the argument `to_worker`."""
    return "to_worker" in inspect.signature(parameter.call_backup).parameters
