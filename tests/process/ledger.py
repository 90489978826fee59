"""An algorithm that keeps books: items are numbered, and the Parameter notes what was trained on, in which order.

A gap in the numbers of one actor's life is a loss; a number that comes again is a duplicate.
"""

from __future__ import annotations

import json
import pickle
import uuid
from dataclasses import dataclass
from typing import Any

from srl.base.define import RLBaseTypes
from srl.base.rl.config import RLConfig
from srl.base.rl.memory import RLMemory
from srl.base.rl.parameter import RLParameter
from srl.base.rl.registration import register
from srl.base.rl.trainer import RLTrainer
from srl.base.rl.worker import RLWorker


@dataclass
class Config(RLConfig[Any, Any]):
    collects: bool = False
    """Collect the parameter of an actor at the end."""

    def get_name(self) -> str:
        return "ledger"

    def use_update_parameter_from_worker(self) -> bool:
        return self.collects

    def get_base_action_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE

    def get_base_observation_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE


class Memory(RLMemory[Config]):
    def setup(self) -> None:
        self.items: list[list[Any]] = []
        self.register_worker_func(self.add, pickle.dumps)
        self.register_trainer_recv_func(self.sample)

    def length(self) -> int:
        return len(self.items)

    def add(self, item: Any, serialized: bool = False) -> None:
        self.items.append(pickle.loads(item) if serialized else item)

    def sample(self) -> Any:
        items, self.items = self.items[:64], self.items[64:]
        return items or None

    def call_backup(self, **kwargs: Any) -> Any:
        return list(self.items)

    def call_restore(self, data: Any, **kwargs: Any) -> None:
        self.items = list(data)


class Books:
    """Who has sent what, as far as it arrived."""

    def __init__(self) -> None:
        self.last: dict[str, int] = {}
        self.lost = 0
        self.duplicated = 0
        self.items = 0

    def enter(self, life: str, number: int) -> None:
        last = self.last.get(life, -1)
        self.items += 1
        if number <= last:
            self.duplicated += 1
            return
        self.lost += number - last - 1
        self.last[life] = number


class Parameter(RLParameter[Config]):
    def setup(self) -> None:
        self.books = Books()

    def call_restore(self, data: Any, **kwargs: Any) -> None:
        self.books.__dict__.update(json.loads(data))

    def call_backup(self, **kwargs: Any) -> Any:
        return json.dumps(self.books.__dict__)


class Trainer(RLTrainer[Config, Parameter, Memory]):
    def train(self) -> None:
        batch = self.memory.sample()
        if batch is None:
            return
        for life, number in batch:
            self.parameter.books.enter(life, number)
        self.train_count += 1
        self.info["items"] = self.parameter.books.items


class Worker(RLWorker[Config, Parameter, Memory]):
    def on_setup(self, worker: Any, context: Any) -> None:
        self.life = uuid.uuid4().hex
        self.number = 0

    def policy(self, worker: Any) -> int:
        return int(self.sample_action())

    def on_step(self, worker: Any) -> None:
        self.memory.add([self.life, self.number])
        self.number += 1


register(Config(), "ledger:Memory", "ledger:Parameter", "ledger:Trainer", "ledger:Worker", check_duplicate=False)
