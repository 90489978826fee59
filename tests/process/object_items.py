"""An algorithm whose items are objects of a class of its own, which only actors and the learner look into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from srl.base.define import RLBaseTypes
from srl.base.rl.config import RLConfig
from srl.base.rl.parameter import RLParameter
from srl.base.rl.registration import register
from srl.base.rl.trainer import RLTrainer
from srl.base.rl.worker import RLWorker
from srl.rl.memories.single_use_buffer import RLSingleUseBuffer


@dataclass(frozen=True)
class Item:
    number: int
    label: frozenset[str]


@dataclass
class Config(RLConfig[Any, Any]):
    def get_name(self) -> str:
        return "object_items"

    def get_base_action_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE

    def get_base_observation_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE


class Memory(RLSingleUseBuffer[Config]):
    """A queue of objects."""


class Parameter(RLParameter[Config]):
    def setup(self) -> None:
        self.numbers: list[int] = []

    def call_restore(self, data: Any, **kwargs: Any) -> None:
        self.numbers = list(data)

    def call_backup(self, **kwargs: Any) -> Any:
        return [-1, *self.numbers][1:]


class Trainer(RLTrainer[Config, Parameter, Memory]):
    def train(self) -> None:
        for item in self.memory.sample() or ():
            assert item == Item(item.number, frozenset({"a", str(item.number)}))
            self.parameter.numbers.append(item.number)
            self.train_count += 1


class Worker(RLWorker[Config, Parameter, Memory]):
    def on_setup(self, worker: Any, context: Any) -> None:
        self.number = 0

    def policy(self, worker: Any) -> int:
        return int(self.sample_action())

    def on_step(self, worker: Any) -> None:
        self.memory.add(Item(self.number, frozenset({"a", str(self.number)})))
        self.number += 1


register(
    Config(),
    "object_items:Memory",
    "object_items:Parameter",
    "object_items:Trainer",
    "object_items:Worker",
    check_duplicate=False,
)
