"""Q-learning written as an author would write it from the documentation: own memory, own serializer."""

from __future__ import annotations

import json
import pickle
import random
from dataclasses import dataclass
from typing import Any

from srl.base.define import RLBaseTypes
from srl.base.rl.config import RLConfig
from srl.base.rl.memory import RLMemory
from srl.base.rl.parameter import RLParameter
from srl.base.rl.registration import register
from srl.base.rl.trainer import RLTrainer
from srl.base.rl.worker import RLWorker
from srl.base.spaces.array_discrete import ArrayDiscreteSpace
from srl.base.spaces.discrete import DiscreteSpace


@dataclass
class Config(RLConfig[DiscreteSpace, ArrayDiscreteSpace]):
    explore: float = 0.1
    discount: float = 0.9
    lr: float = 0.1

    def get_name(self) -> str:
        return "MyQL"

    def get_base_action_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE

    def get_base_observation_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE


class Memory(RLMemory[Config]):
    def setup(self) -> None:
        self.items: list[Any] = []
        self.register_worker_func(self.add, pickle.dumps)
        self.register_trainer_recv_func(self.sample)

    def length(self) -> int:
        return len(self.items)

    def add(self, item: Any, serialized: bool = False) -> None:
        self.items.append(pickle.loads(item) if serialized else item)

    def sample(self) -> list[Any] | None:
        items, self.items = self.items, []
        return items or None

    def call_backup(self, **kwargs: Any) -> Any:
        return list(self.items)

    def call_restore(self, data: Any, **kwargs: Any) -> None:
        self.items = list(data)


class Parameter(RLParameter[Config]):
    def setup(self) -> None:
        self.table: dict[str, list[float]] = {}

    def call_restore(self, data: Any, **kwargs: Any) -> None:
        self.table = json.loads(data)

    def call_backup(self, **kwargs: Any) -> Any:
        return json.dumps(self.table)

    def row(self, key: str) -> list[float]:
        return self.table.setdefault(key, [0.0] * self.config.action_space.n)


class Trainer(RLTrainer[Config, Parameter, Memory]):
    def train(self) -> None:
        items = self.memory.sample()
        if items is None:
            return
        for item in items:
            row, next_row = self.parameter.row(item["s"]), self.parameter.row(item["n_s"])
            target = item["r"] + (0 if item["done"] else self.config.discount * max(next_row))
            row[item["a"]] += self.config.lr * (target - row[item["a"]])
            self.train_count += 1
        self.info = {"states": len(self.parameter.table)}


class Worker(RLWorker[Config, Parameter, Memory]):
    def policy(self, worker: Any) -> int:
        self.key = self.config.observation_space.to_str(worker.state)
        if random.random() < (self.config.explore if self.training else 0):
            return int(self.sample_action())
        row = self.parameter.row(self.key)
        best = [a for a in range(len(row)) if row[a] == max(row)]
        return random.choice(best)

    def on_step(self, worker: Any) -> None:
        if not self.training:
            return
        next_key = self.config.observation_space.to_str(worker.next_state)
        self.memory.add(
            {
                "s": self.key,
                "n_s": next_key,
                "a": worker.action,
                "r": worker.reward,
                "done": worker.terminated,
            }
        )

    def render_terminal(self, worker: Any, **_kwargs: Any) -> None:
        for action, value in enumerate(self.parameter.row(self.key)):
            print(f"{worker.env.action_to_str(action)}: {value:7.5f}")


register(
    Config(),
    __name__ + ":Memory",
    __name__ + ":Parameter",
    __name__ + ":Trainer",
    __name__ + ":Worker",
    check_duplicate=False,
)
