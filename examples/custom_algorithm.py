"""Double Q-learning with a Memory of its own. docs/custom_algorithm.md builds this file step by step."""

from __future__ import annotations

import json
import random
from collections import deque
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

import srl
from srl.base.define import RLBaseTypes
from srl.base.rl.config import RLConfig
from srl.base.rl.memory import RLMemory
from srl.base.rl.parameter import RLParameter
from srl.base.rl.registration import register
from srl.base.rl.trainer import RLTrainer
from srl.base.rl.worker import RLWorker
from srl.base.spaces.array_discrete import ArrayDiscreteSpace
from srl.base.spaces.discrete import DiscreteSpace

if TYPE_CHECKING:
    from srl.base.rl.worker_run import WorkerRun

Transition = tuple[str, int, float, str, bool]
"""State, action, reward, next state, whether the environment ended the episode there."""


@dataclass
class Config(RLConfig[DiscreteSpace, ArrayDiscreteSpace]):
    epsilon: float = 0.2
    """Probability of a random action in training."""
    gamma: float = 0.9
    """Discount: what a reward one step later is worth."""
    lr: float = 0.02
    """How far a value moves towards its target."""
    batch_size: int = 256
    """Most new transitions of one batch."""

    def get_name(self) -> str:
        return "DoubleQ"

    def get_base_action_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE

    def get_base_observation_type(self) -> RLBaseTypes:
        return RLBaseTypes.ARRAY_DISCRETE

    def validate_params(self) -> None:
        super().validate_params()
        if not 0 <= self.epsilon <= 1:
            raise ValueError(f"DoubleQ: epsilon is {self.epsilon}; it must be between 0 and 1")

    def setup_from_actor(self, actor_num: int, actor_id: int) -> None:
        self.epsilon /= actor_id + 1  # each actor explores at a rate of its own


class Memory(RLMemory[Config]):
    def setup(self) -> None:
        self.fresh: list[Transition] = []
        self.again: list[Transition] = []
        self.returns: deque[float] = deque(maxlen=100)
        self.register_worker_func(self.add, self.serialize)
        self.register_worker_func(self.add_return)
        self.register_trainer_recv_func(self.sample)
        self.register_trainer_recv_func(self.mean_return, consumes=False)
        self.register_trainer_send_func(self.learn_again)

    # Worker -> Memory

    def serialize(self, transition: Transition) -> bytes:
        return json.dumps(transition).encode()

    def add(self, transition: Any, serialized: bool = False) -> None:
        self.fresh.append(tuple(json.loads(transition)) if serialized else transition)

    def add_return(self, rewards: float) -> None:
        self.returns.append(rewards)

    # Memory -> Trainer

    def sample(self) -> tuple[list[Transition], list[Transition]] | None:
        if not self.fresh and not self.again:
            return None
        size = self.config.batch_size
        fresh, self.fresh = self.fresh[:size], self.fresh[size:]
        again, self.again = self.again, []
        return fresh, again

    def mean_return(self) -> float | None:
        return fmean(self.returns) if self.returns else None

    # Trainer -> Memory

    def learn_again(self, transitions: list[Transition]) -> None:
        self.again += transitions

    # for the eye, for files and for checkpoints

    def length(self) -> int:
        return len(self.fresh) + len(self.again)

    def call_backup(self, **kwargs: Any) -> Any:
        return self.fresh[:], self.again[:], list(self.returns)

    def call_restore(self, data: Any, **kwargs: Any) -> None:
        self.fresh, self.again = data[0][:], data[1][:]
        self.returns = deque(data[2], maxlen=100)


class Parameter(RLParameter[Config]):
    def setup(self) -> None:
        self.tables: list[dict[str, list[float]]] = [{}, {}]

    def call_backup(self, **kwargs: Any) -> str:
        return json.dumps(self.tables)

    def call_restore(self, data: str, **kwargs: Any) -> None:
        self.tables = json.loads(data)

    def values(self, table: int, state: str) -> list[float]:
        return self.tables[table].setdefault(state, [0.0] * self.config.action_space.n)

    def sums(self, state: str) -> list[float]:
        return [a + b for a, b in zip(self.values(0, state), self.values(1, state), strict=True)]


class Trainer(RLTrainer[Config, Parameter, Memory]):
    def train(self) -> None:
        batch = self.memory.sample()
        if batch is None:
            return  # nothing yet
        fresh, again = batch
        for transition in [*fresh, *again]:
            self.learn(*transition)
        if fresh:
            self.memory.learn_again(fresh)
        self.train_count += len(fresh) + len(again)
        mean_return = self.memory.mean_return()
        if mean_return is not None:
            self.info["mean_return"] = mean_return

    def learn(self, state: str, action: int, reward: float, next_state: str, terminated: bool) -> None:
        table = random.randrange(2)
        target = reward
        if not terminated:
            chosen = best(self.parameter.values(table, next_state))
            target += self.config.gamma * self.parameter.values(1 - table, next_state)[chosen]
        values = self.parameter.values(table, state)
        values[action] += self.config.lr * (target - values[action])


class Worker(RLWorker[Config, Parameter, Memory]):
    def on_reset(self, worker: WorkerRun) -> None:
        self.rewards = 0.0

    def policy(self, worker: WorkerRun) -> int:
        self.state = self.config.observation_space.to_str(worker.state)
        if self.training and random.random() < self.config.epsilon:
            return int(self.sample_action())
        return best(self.parameter.sums(self.state))

    def on_step(self, worker: WorkerRun) -> None:
        if not self.training:
            return
        next_state = self.config.observation_space.to_str(worker.next_state)
        self.memory.add((self.state, worker.action, worker.reward, next_state, worker.terminated))
        self.rewards += worker.reward
        if worker.done:
            self.memory.add_return(self.rewards)

    def render_terminal(self, worker: WorkerRun, **kwargs: Any) -> None:
        sums = self.parameter.sums(self.state)
        worker.print_discrete_action_info(best(sums), lambda action: f"{sums[action] / 2:8.5f}")


def best(values: list[float]) -> int:
    """Return the index of the largest value; one of them at random if there are several."""
    largest = max(values)
    return random.choice([index for index, value in enumerate(values) if value == largest])


register(
    Config(),
    __name__ + ":Memory",
    __name__ + ":Parameter",
    __name__ + ":Trainer",
    __name__ + ":Worker",
)


def main() -> None:
    runner = srl.Runner("Grid", Config())
    runner.train(timeout=5)
    print(f"one process: {np.mean(runner.evaluate(100, enable_progress=False)):.3f}")

    runner = srl.Runner("Grid", Config())
    runner.train_mp(actor_num=2, timeout=5)
    print(f"services: {np.mean(runner.evaluate(100, enable_progress=False)):.3f}")


if __name__ == "__main__":
    main()
