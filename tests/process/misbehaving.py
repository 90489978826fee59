"""An algorithm that misbehaves in the hook that its configuration names."""

from __future__ import annotations

import pickle
import time
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
    raises_in: str = ""
    """Class.hook that raises."""
    never_returns_from: str = ""
    """Class.hook that never ends."""
    returns_badly_in: str = ""
    """Class.hook that gives what cannot travel."""
    calls_unregistered: str = ""
    """"Worker" or "Trainer"."""

    def get_name(self) -> str:
        return "misbehaving"

    def get_base_action_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE

    def get_base_observation_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE

    def setup_from_actor(self, actor_num: int, actor_id: int) -> None:
        self.visit("Config.setup_from_actor")

    def visit(self, hook: str, good: Any = None) -> Any:
        """Raise, never end or return badly if it is this hook's turn."""
        while self.never_returns_from == hook:
            time.sleep(1)
        if self.raises_in == hook:
            raise ZeroDivisionError(f"by zero in {hook}")
        return {"deep": [1, {2, 3}]} if self.returns_badly_in == hook else good


class Memory(RLMemory[Config]):
    def setup(self) -> None:
        self.config.visit("Memory.setup")
        self.items: list[Any] = []
        self.register_worker_func(self.add, self.serialize)
        self.register_worker_func(self.remark)
        self.register_trainer_recv_func(self.sample)
        self.register_trainer_send_func(self.update)

    def serialize(self, item: Any) -> Any:
        return self.config.visit("Memory.serialize", pickle.dumps(item))

    def add(self, item: Any, serialized: bool = False) -> None:
        self.config.visit("Memory.add")
        self.items.append(item)

    def remark(self, word: Any) -> None: ...

    def sample(self) -> Any:
        return self.config.visit("Memory.sample", [1]) if self.items else None

    def update(self, word: Any) -> None:
        self.config.visit("Memory.update")


class Parameter(RLParameter[Config]):
    def setup(self) -> None:
        self.config.visit("Parameter.setup")

    def call_restore(self, data: Any, **kwargs: Any) -> None:
        self.config.visit("Parameter.call_restore")

    def call_backup(self, **kwargs: Any) -> Any:
        return self.config.visit("Parameter.call_backup", "data")


class Trainer(RLTrainer[Config, Parameter, Memory]):
    def on_setup(self) -> None:
        self.config.visit("Trainer.on_setup")

    def train(self) -> None:
        if self.memory.sample() is None:
            return
        if self.config.calls_unregistered == "Trainer":
            self.memory.add("not mine to call")
        self.memory.update(self.config.visit("Trainer.train", "word"))
        self.train_count += 1


class Worker(RLWorker[Config, Parameter, Memory]):
    def on_setup(self, worker: Any, context: Any) -> None:
        self.config.visit("Worker.on_setup")

    def on_reset(self, worker: Any) -> None:
        self.config.visit("Worker.on_reset")

    def policy(self, worker: Any) -> int:
        self.config.visit("Worker.policy")
        return int(self.sample_action())

    def on_step(self, worker: Any) -> None:
        if self.config.calls_unregistered == "Worker":
            self.memory.sampel()
        self.memory.remark(self.config.visit("Worker.on_step", "word"))
        self.memory.add([1, 2])


register(
    Config(),
    "misbehaving:Memory",
    "misbehaving:Parameter",
    "misbehaving:Trainer",
    "misbehaving:Worker",
    check_duplicate=False,
)
