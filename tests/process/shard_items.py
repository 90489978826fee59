"""The ledger's books over a replay memory with priorities: where batches came from, and whether updates went there.

Each life of a Memory has a mark. A batch carries it, an update brings it back, and the Memory counts those of another.
"""

from __future__ import annotations

import json
import os
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Any

import ledger

from srl.base.rl.memory import RLMemory
from srl.base.rl.parameter import RLParameter
from srl.base.rl.registration import register
from srl.base.rl.trainer import RLTrainer


@dataclass
class Config(ledger.Config):
    def get_name(self) -> str:
        return "shard_items"


class Memory(RLMemory[Config]):
    """Keeps all items; a batch says how many there are. Shard 1 has three times the mass of shard 0."""

    def setup(self) -> None:
        self.items: list[Any] = []
        self.mark = uuid.uuid4().hex
        self.updates = self.strays = 0
        self.register_worker_func(self.add)
        self.register_trainer_recv_func(self.sample, consumes=False)
        self.register_trainer_send_func(self.update)

    def length(self) -> int:
        return len(self.items)

    def priority_mass(self) -> float:
        return 1.0 + 2.0 * int(os.environ["SRL_MEMORY_SHARD"])

    def add(self, item: Any) -> None:
        self.items.append(item)

    def sample(self) -> Any:
        return (self.mark, len(self.items)) if self.items else None

    def update(self, mark: str) -> None:
        self.updates += 1
        self.strays += mark != self.mark

    def call_backup(self, **_kwargs: Any) -> Any:
        return [self.items, self.mark, self.updates, self.strays]

    def call_restore(self, data: Any, **_kwargs: Any) -> None:
        self.items, self.mark, self.updates, self.strays = data


class Parameter(RLParameter[Config]):
    def setup(self) -> None:
        self.taken: Counter[str] = Counter()

    def call_backup(self, **_kwargs: Any) -> Any:
        return json.dumps(self.taken)

    def call_restore(self, data: Any, **_kwargs: Any) -> None:
        self.taken = Counter(json.loads(data))


class Trainer(RLTrainer[Config, Parameter, Memory]):
    def train(self) -> None:
        batch = self.memory.sample()
        if batch is None:
            return
        mark, _ = batch
        self.parameter.taken[mark] += 1
        self.memory.update(mark)
        self.train_count += 1


class Worker(ledger.Worker):
    """Its items say which number the actor has."""

    def on_setup(self, worker: Any, context: Any) -> None:
        super().on_setup(worker, context)
        self.life = context.actor_id


register(
    Config(), __name__ + ":Memory", __name__ + ":Parameter", __name__ + ":Trainer", __name__ + ":Worker",
    check_duplicate=False,
)  # fmt: skip
