"""An algorithm whose items travel as columns, now and then of another schema, now and then of none."""

from __future__ import annotations

import json
import pickle
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


@dataclass
class Config(RLConfig[Any, Any]):
    def get_name(self) -> str:
        return "column_memory"

    def get_base_action_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE

    def get_base_observation_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE


def make_item(number: int) -> dict[str, Any]:
    state = np.array([number, number + 1], np.float32)
    if number % 15 == 14:
        return {"number": number, "state": state, "note": "no column for text"}
    if number % 10 == 9:
        return {"number": number, "state": state, "last": True}
    return {"number": number, "state": state}


class Memory(RLMemory[Config]):
    def setup(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.ways = {"columns": 0, "one by one": 0}
        self.register_worker_func(self.add, pickle.dumps, columns=self.add_columns)
        self.register_trainer_recv_func(self.sample)

    def add(self, item: Any, serialized: bool = False) -> None:
        self.ways["one by one"] += 1
        self.items.append(pickle.loads(item) if serialized else item)

    def add_columns(self, columns: dict[str, Any], count: int) -> None:
        self.ways["columns"] += count
        for row in range(count):
            item = {name: column[row] for name, column in columns.items()}
            self.items.append({**item, "number": int(item["number"])})

    def sample(self) -> Any:
        items, self.items = self.items, []
        return (items, dict(self.ways)) if items else None

    def call_backup(self, **kwargs: Any) -> Any:
        return self.items, self.ways

    def call_restore(self, data: Any, **kwargs: Any) -> None:
        self.items, self.ways = data


class Parameter(RLParameter[Config]):
    def setup(self) -> None:
        self.numbers: list[int] = []
        self.wrong = 0
        self.ways: dict[str, int] = {}

    def call_restore(self, data: Any, **kwargs: Any) -> None:
        self.__dict__.update(json.loads(data))

    def call_backup(self, **kwargs: Any) -> Any:
        return json.dumps({"numbers": self.numbers, "wrong": self.wrong, "ways": self.ways})


class Trainer(RLTrainer[Config, Parameter, Memory]):
    def train(self) -> None:
        batch = self.memory.sample()
        if batch is None:
            return
        items, self.parameter.ways = batch
        for item in items:
            expected = make_item(item["number"])
            same = item.keys() == expected.keys() and np.array_equal(item["state"], expected["state"])
            self.parameter.wrong += not (same and item["state"].dtype == np.float32)
            self.parameter.numbers.append(item["number"])
            self.train_count += 1


class Worker(RLWorker[Config, Parameter, Memory]):
    def on_setup(self, worker: Any, context: Any) -> None:
        self.number = 0

    def policy(self, worker: Any) -> int:
        return int(self.sample_action())

    def on_step(self, worker: Any) -> None:
        item = make_item(self.number)
        self.memory.add(item)
        item["state"][:] = -1  # it was copied
        self.number += 1


register(
    Config(),
    "column_memory:Memory",
    "column_memory:Parameter",
    "column_memory:Trainer",
    "column_memory:Worker",
    check_duplicate=False,
)
