"""An algorithm whose Memory has two functions of each kind, called with everything that arguments can be.

Every function notes the form in which its arguments arrived, by type; the Parameter collects the notes. Distribution is
invisible when the notes are the same in every mode.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from srl.base.define import RLBaseTypes
from srl.base.rl.config import RLConfig
from srl.base.rl.memory import RLMemory
from srl.base.rl.parameter import RLParameter
from srl.base.rl.registration import register
from srl.base.rl.trainer import RLTrainer
from srl.base.rl.worker import RLWorker


def form(value: Any) -> str:
    """Return the types in `value`, in words."""
    if isinstance(value, tuple | list):
        return f"{type(value).__name__}({', '.join(map(form, value))})"
    if isinstance(value, dict):
        return f"dict({', '.join(f'{key}={form(each)}' for key, each in value.items())})"
    if isinstance(value, np.ndarray):
        return f"array {value.dtype.str} {value.shape} writable={value.flags.writeable}"
    return type(value).__name__


@dataclass
class Config(RLConfig[Any, Any]):
    def get_name(self) -> str:
        return "custom_memory"

    def get_base_action_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE

    def get_base_observation_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE


class Memory(RLMemory[Config]):
    def setup(self) -> None:
        self.items: list[Any] = []
        self.notes: set[str] = set()
        self.register_worker_func(self.add, self.serialize)
        self.register_worker_func(self.remark)
        self.register_trainer_recv_func(self.sample)
        self.register_trainer_recv_func(self.overview, consumes=False)
        self.register_trainer_send_func(self.update)
        self.register_trainer_send_func(self.forget)

    def length(self) -> int:
        return len(self.items)

    # Worker -> Memory

    def serialize(self, state: Any, extra: Any, *, weight: Any = None) -> Any:
        return state, extra, weight

    def add(self, state: Any, extra: Any, weight: Any = None, serialized: bool = False) -> None:
        self.notes.add(f"add {form([state, extra, weight])}")
        self.items.append((state, extra, weight))

    def remark(self, *words: Any, level: Any = 0, note: Any = None) -> None:
        self.notes.add(f"remark {form(words)} {form(level)} {form(note)}")

    # Memory -> Trainer

    def sample(self) -> Any:
        if len(self.items) < 4:
            return None
        batch, self.items = self.items[:4], self.items[4:]
        return {
            "batch": batch,
            "weights": np.ones(len(batch), np.float32),
            "none": None,
            "pair": (1, np.int64(2)),
        }

    def overview(self) -> Any:
        return sorted(self.notes), True, (None, 1.5)

    # Trainer -> Memory

    def update(self, indices: Any, priorities: Any, *, step: Any) -> None:
        priorities += 1  # arrays belong to whom they were given
        self.notes.add(f"update {form([indices, priorities, step])}")

    def forget(self, what: Any = None) -> None:
        self.notes.add(f"forget {form(what)}")

    def call_backup(self, **kwargs: Any) -> Any:
        return list(self.items), sorted(self.notes)

    def call_restore(self, data: Any, **kwargs: Any) -> None:
        self.items, self.notes = list(data[0]), set(data[1])


class Parameter(RLParameter[Config]):
    def setup(self) -> None:
        self.notes: set[str] = set()

    def call_backup(self, **kwargs: Any) -> Any:
        return json.dumps(sorted(self.notes))

    def call_restore(self, data: Any, **kwargs: Any) -> None:
        self.notes = set(json.loads(data))


class Trainer(RLTrainer[Config, Parameter, Memory]):
    def train(self) -> None:
        batch = self.memory.sample()
        if batch is None:
            return
        self.parameter.notes.add(f"sample {form(batch['batch'][0])} {form(batch['weights'])} {form(batch['pair'])}")
        batch["weights"] *= 2
        self.memory.update([0, (1, 2)], batch["weights"], step=np.int32(self.train_count))
        self.memory.forget()
        self.memory.forget(np.float64(0.5))
        overview = self.memory.overview()
        if overview is not None:
            notes, flag, pair = overview
            self.parameter.notes |= set(notes) | {f"overview {form([flag, pair])}"}
        self.train_count += 1


class Worker(RLWorker[Config, Parameter, Memory]):
    def policy(self, worker: Any) -> int:
        return int(self.sample_action())

    def on_step(self, worker: Any) -> None:
        self.memory.add(np.array([worker.state, 1], np.int16), ("a", None, b"b"), weight=np.float32(worker.reward))
        self.memory.add({1: 2.0, "x": [True]}, None)
        self.memory.remark("one", np.int64(2), level=3)
        self.memory.remark(note=(None, "two"))


register(
    Config(),
    "custom_memory:Memory",
    "custom_memory:Parameter",
    "custom_memory:Trainer",
    "custom_memory:Worker",
    check_duplicate=False,
)
