"""Q-learning with momentum: a Trainer whose state counts, and a Memory that draws at random.

The velocity is made in `on_setup`, as an optimizer is. `updates` is how many updates the state has seen: it equals the
train count exactly when no state was lost.
"""

from __future__ import annotations

import pickle
import random
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
    lr: float = 0.05
    momentum: float = 0.9
    gamma: float = 0.9
    epsilon: float = 0.3
    batch_size: int = 4
    capacity: int = 200

    def get_name(self) -> str:
        return "momentum"

    def get_base_action_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE

    def get_base_observation_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE


class Memory(RLMemory[Config]):
    def setup(self) -> None:
        self.items: list[Any] = []
        self.register_worker_func(self.add, pickle.dumps)
        self.register_trainer_recv_func(self.sample, consumes=False)

    def length(self) -> int:
        return len(self.items)

    def add(self, item: Any, serialized: bool = False) -> None:
        self.items.append(pickle.loads(item) if serialized else item)
        del self.items[: -self.config.capacity]

    def sample(self) -> Any:
        if len(self.items) < self.config.batch_size:
            return None
        return random.sample(self.items, self.config.batch_size)

    def call_backup(self, **kwargs: Any) -> Any:
        return list(self.items)

    def call_restore(self, data: Any, **kwargs: Any) -> None:
        self.items = list(data)


class Parameter(RLParameter[Config]):
    def setup(self) -> None:
        self.q = np.zeros((self.config.observation_space.n, self.config.action_space.n))

    def call_backup(self, **kwargs: Any) -> Any:
        return self.q.copy()

    def call_restore(self, data: Any, **kwargs: Any) -> None:
        self.q = data.copy()


class Trainer(RLTrainer[Config, Parameter, Memory]):
    def on_setup(self) -> None:
        self.velocity = np.zeros_like(self.parameter.q)
        self.updates = 0

    def on_teardown(self) -> None:
        del self.velocity

    def call_backup(self, **kwargs: Any) -> Any:
        return {"velocity": self.velocity.copy(), "updates": self.updates}

    def call_restore(self, data: Any, **kwargs: Any) -> None:
        self.velocity, self.updates = data["velocity"].copy(), data["updates"]

    def train(self) -> None:
        batch = self.memory.sample()
        if batch is None:
            return
        q = self.parameter.q
        gradient = np.zeros_like(q)
        for state, action, reward, next_state, done in batch:
            target = reward if done else reward + self.config.gamma * q[next_state].max()
            gradient[state, action] += target - q[state, action]
        self.velocity = self.config.momentum * self.velocity + gradient
        q += self.config.lr * self.velocity
        self.updates += 1
        self.train_count += 1
        self.info["q"] = float(np.abs(q).sum())


class Worker(RLWorker[Config, Parameter, Memory]):
    def policy(self, worker: Any) -> int:
        if self.training and random.random() < self.config.epsilon:
            return int(self.sample_action())
        return int(np.argmax(self.parameter.q[worker.state]))

    def on_step(self, worker: Any) -> None:
        if self.training:
            self.memory.add([worker.state, worker.action, worker.reward, worker.next_state, worker.terminated])


register(
    Config(), "momentum:Memory", "momentum:Parameter", "momentum:Trainer", "momentum:Worker", check_duplicate=False
)
