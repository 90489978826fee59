"""Checkpoints: all that a run goes on from, in files of a folder, the newest of which counts.

A checkpoint is one file, `YYYYmmdd-HHMMSS_{train count}[_{evaluated rewards}][_last].pickle`, and beside it, with the
same name and the end `.memory`, what the Memory held. Of these large files only the newest two are kept.
A file is a line with a checksum, and then a pickle.
"""

from __future__ import annotations

import hashlib
import logging
import pickle
import re
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from srl.base.rl.memory import RLMemory
from srl.base.run.past import Past
from srl.utils.seed import random_states
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from srl.base.context import RunContext, RunState
    from srl.base.rl.parameter import RLParameter
    from srl.base.rl.trainer import RLTrainer

log = logging.getLogger("srl")

MEMORIES_KEPT = 2
_MAGIC = b"SRL checkpoint 1 "
_NAME = re.compile(r"(?P<time>\d{8}-\d{6})_(?P<train>\d+)(?P<rewards>(_[^_]+)*?)(?P<last>_last)?\.pickle")


@dataclass(frozen=True)
class Checkpoint:
    """What a run goes on from."""

    parameter: Any
    """What `RLParameter.backup(serialized=True)` returned."""
    trainer: Any
    """What `RLTrainer.backup` returned."""
    past: Past = field(default_factory=Past)
    memory: Any = None
    """What `RLMemory.call_backup` returned; None when it has none, or when it is not kept any more."""

    @classmethod
    def of(
        cls, context: RunContext, state: RunState, parameter: RLParameter[Any], *, with_memory: bool = True
    ) -> Checkpoint:
        """Take one, between two steps of a run."""
        trainer = state.trainer.backup() if state.trainer is not None else None
        memory = None
        if with_memory and state.memory is not None and has_backup(state.memory):
            memory = state.memory.backup()
        return cls(parameter.backup(serialized=True), trainer, standing(context, state), memory)

    def restore(self, trainer: RLTrainer[Any, Any, Any]) -> None:
        """Give all of it to the Trainer, its Parameter and its Memory."""
        trainer.parameter.restore(self.parameter, from_serialized=True)
        trainer.restore(self.trainer)
        trainer.train_count = self.past.train_count
        if self.memory is not None:
            trainer.memory.restore(self.memory)


def has_backup(memory: RLMemory[Any]) -> bool:
    """Tell whether the author defined how the Memory's content is copied."""
    cls = type(memory)
    return cls.call_backup is not RLMemory.call_backup and cls.call_restore is not RLMemory.call_restore


def standing(context: RunContext, state: RunState) -> Past:
    """Return what a run that goes on from here has as its past."""
    past = state.past
    return Past(
        train_count=state.trainer.train_count if state.trainer is not None else past.train_count + state.train_count,
        total_step=past.total_step + getattr(state, "total_step", 0),
        episode_count=past.episode_count + getattr(state, "episode_count", 0),
        elapsed_s=past.elapsed_s + state.elapsed_s,
        worker_steps=[worker.step_in_training for worker in getattr(state, "workers", [])],
        seed=context.seed,
        random_states=random_states() if context.seed is not None else {},
    )


def save_checkpoint(folder: Path, checkpoint: Checkpoint, rewards: Sequence[float] = (), *, last: bool = False) -> Path:
    """Write a checkpoint, whole or not at all, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    evaluated = "".join(f"_{reward:.3f}" for reward in rewards)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    path = folder / f"{stamp}_{checkpoint.past.train_count}{evaluated}{'_last' if last else ''}.pickle"
    if checkpoint.memory is not None:
        _write(_memory_path(path), checkpoint.memory)
    _write(path, {"parameter": checkpoint.parameter, "trainer": checkpoint.trainer, "past": asdict(checkpoint.past)})
    _drop_old_memories(folder)
    return path


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; of a folder the newest, or the one before with a warning when that is damaged.

    It unpickles: load only files that you trust as code. Raises UsageError when there is none that is whole.
    """
    if path.is_file():
        return _load(path)
    damaged: list[str] = []
    for each in reversed(checkpoint_paths(path)):
        try:
            checkpoint = _load(each)
        except UsageError as error:
            damaged.append(str(error))
            continue
        for text in damaged:
            log.warning("%s; the one before it is loaded", text)
        return checkpoint
    raise UsageError("; ".join(damaged) or f"{path} holds no checkpoint: give the save_dir of set_checkpoint")


def is_checkpoint(path: Path) -> bool:
    """Tell whether a file is a checkpoint, by how it begins."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def checkpoint_paths(folder: Path) -> list[Path]:
    """Return the checkpoints of a folder, the newest last."""
    found = [(match, path) for path in folder.glob("*.pickle") if (match := _NAME.fullmatch(path.name))]
    found.sort(key=lambda each: (each[0]["time"], int(each[0]["train"]), each[0]["last"] is not None))
    return [path for _, path in found]


def _memory_path(path: Path) -> Path:
    return path.with_suffix(".memory")


def _drop_old_memories(folder: Path) -> None:
    with_memory = [path for path in map(_memory_path, checkpoint_paths(folder)) if path.exists()]
    for path in set(folder.glob("*.memory")) - set(with_memory[-MEMORIES_KEPT:]):
        path.unlink()


def _load(path: Path) -> Checkpoint:
    content = _read(path)
    memory_path = _memory_path(path)
    memory = _read(memory_path) if memory_path.exists() else None
    return Checkpoint(content["parameter"], content["trainer"], Past(**content["past"]), memory)


def _write(path: Path, value: Any) -> None:
    from srl_common.files import write_whole

    data = pickle.dumps(value)
    write_whole(path, _MAGIC + hashlib.sha256(data).hexdigest().encode() + b"\n" + data)


def _read(path: Path) -> Any:
    head, _, data = path.read_bytes().partition(b"\n")
    if not head.startswith(_MAGIC):
        raise UsageError(f"{path} is no checkpoint")
    if head != _MAGIC + hashlib.sha256(data).hexdigest().encode():
        raise UsageError(f"the checkpoint {path} is damaged: its checksum is another one")
    return pickle.loads(data)  # noqa: S301  the user's own file
