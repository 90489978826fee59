"""Q-learning, annotated throughout: both type checkers know the type of every name, and find nothing wrong."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any, assert_type

from srl.base.info import Info
from srl.base.rl.algorithms.base_ql import RLConfig, RLWorker
from srl.base.rl.memory import RLMemory
from srl.base.rl.parameter import RLParameter
from srl.base.rl.registration import register
from srl.base.rl.trainer import RLTrainer
from srl.base.rl.worker_run import WorkerRun  # noqa: TC001  as an author writes it
from srl.base.spaces.array_discrete import ArrayDiscreteSpace
from srl.base.spaces.discrete import DiscreteSpace

Transition = tuple[str, int, float, str, bool]


@dataclass
class Config(RLConfig):
    gamma: float = 0.9
    lr: float = 0.1

    def get_name(self) -> str:
        return "TypedQL"


class Memory(RLMemory[Config]):
    def setup(self) -> None:
        assert_type(self.config, Config)
        self.items: list[Transition] = []
        self.register_worker_func(self.add, pickle.dumps)
        self.register_trainer_recv_func(self.sample)

    def add(self, item: Transition | bytes, serialized: bool = False) -> None:
        self.items.append(pickle.loads(item) if isinstance(item, bytes) else item)

    def sample(self) -> list[Transition] | None:
        items, self.items = self.items, []
        return items or None

    def length(self) -> int:
        return len(self.items)

    def call_backup(self, **kwargs: Any) -> list[Transition]:
        return self.items[:]

    def call_restore(self, data: list[Transition], **kwargs: Any) -> None:
        self.items = data[:]


class Parameter(RLParameter[Config]):
    def setup(self) -> None:
        assert_type(self.config, Config)
        self.q: dict[str, list[float]] = {}

    def call_backup(self, **kwargs: Any) -> dict[str, list[float]]:
        return {state: values[:] for state, values in self.q.items()}

    def call_restore(self, data: dict[str, list[float]], **kwargs: Any) -> None:
        self.q = {state: values[:] for state, values in data.items()}

    def values(self, state: str) -> list[float]:
        assert_type(self.config.action_space, DiscreteSpace)
        assert_type(self.config.action_space.n, int)
        return self.q.setdefault(state, [0.0] * self.config.action_space.n)


class Trainer(RLTrainer[Config, Parameter, Memory]):
    def train(self) -> None:
        assert_type(self.config, Config)
        assert_type(self.parameter, Parameter)
        assert_type(self.memory, Memory)
        batch = self.memory.sample()
        assert_type(batch, list[Transition] | None)
        if batch is None:
            return
        for state, action, reward, next_state, terminated in batch:
            target = reward if terminated else reward + self.config.gamma * max(self.parameter.values(next_state))
            values = self.parameter.values(state)
            values[action] += self.config.lr * (target - values[action])
        self.train_count += len(batch)
        self.info["size"] = len(self.parameter.q)
        assert_type(self.info, Info)
        assert_type(self.distributed, bool)
        assert_type(self.train_only, bool)


class Worker(RLWorker[Config, Parameter, Memory]):
    def policy(self, worker: WorkerRun) -> int:
        assert_type(self.config, Config)
        assert_type(self.parameter, Parameter)
        assert_type(self.memory, Memory)
        assert_type(self.observation_space, ArrayDiscreteSpace)
        assert_type(self.config.observation_space, ArrayDiscreteSpace)
        assert_type(self.action_space, DiscreteSpace)
        assert_type(self.get_invalid_actions(), list[int])
        assert_type(self.sample_action(), int)
        assert_type(self.training, bool)
        assert_type(self.rendering, bool)
        self.state = self.observation_space.to_str(worker.state)
        if self.training:
            return self.sample_action()
        values = self.parameter.values(self.state)
        return values.index(max(values))

    def on_step(self, worker: WorkerRun) -> None:
        assert_type(worker.reward, float)
        assert_type(worker.done, bool)
        assert_type(worker.terminated, bool)
        assert_type(worker.player_index, int)
        next_state = self.observation_space.to_str(worker.next_state)
        self.memory.add((self.state, worker.action, worker.reward, next_state, worker.terminated))


register(
    Config(),
    __name__ + ":Memory",
    __name__ + ":Parameter",
    __name__ + ":Trainer",
    __name__ + ":Worker",
    check_duplicate=False,
)
