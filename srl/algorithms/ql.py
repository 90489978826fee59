"""Tabular Q-learning, one step, epsilon-greedy.

Watkins, C. J. C. H., and Dayan, P. (1992). Q-learning. Machine Learning 8, 279-292.

    Q(s, a) <- Q(s, a) + lr * (r + gamma * max_b Q(s', b) - Q(s, a))

where the term with gamma is 0 if s' ends the episode.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from srl.base.define import RLBaseTypes
from srl.base.rl.config import RLConfig
from srl.base.rl.parameter import RLParameter
from srl.base.rl.registration import register
from srl.base.rl.trainer import RLTrainer
from srl.base.rl.worker import RLWorker
from srl.base.spaces.array_discrete import ArrayDiscreteSpace
from srl.base.spaces.discrete import DiscreteSpace
from srl.rl.memories.single_use_buffer import RLSingleUseBuffer

if TYPE_CHECKING:
    from srl.base.rl.worker_run import WorkerRun

State = tuple[int, ...]


@dataclass
class Config(RLConfig[DiscreteSpace, ArrayDiscreteSpace]):
    """Hyperparameters."""

    epsilon: float = 0.1
    """Probability of a random action in training."""
    test_epsilon: float = 0
    """Probability of a random action otherwise."""
    gamma: float = 0.9
    """Discount: what a reward one step later is worth."""
    lr: float = 0.1
    """Learning rate: how far a value moves towards its target."""

    def get_name(self) -> str:
        return "QL"

    def get_base_action_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE

    def get_base_observation_type(self) -> RLBaseTypes:
        return RLBaseTypes.ARRAY_DISCRETE

    def validate_params(self) -> None:
        super().validate_params()
        for name in ("epsilon", "test_epsilon", "gamma", "lr"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"ql.Config.{name} is {value}; it must be between 0 and 1")


class Memory(RLSingleUseBuffer[Config]):
    """Transitions (state, action, reward, next state, terminated, next invalid actions)."""


class Parameter(RLParameter[Config]):
    """The table Q: state -> value of each action."""

    def setup(self) -> None:
        self.q: dict[State, list[float]] = {}

    def call_restore(self, data: dict[State, list[float]], **_kwargs: Any) -> None:
        self.q = {state: values[:] for state, values in data.items()}

    def call_backup(self, **_kwargs: Any) -> dict[State, list[float]]:
        return {state: values[:] for state, values in self.q.items()}

    def get_action_values(self, state: State) -> list[float]:
        """Return the values of all actions in a state, 0 in a new one. It is the table's own row."""
        values = self.q.get(state)
        if values is None:
            values = self.q[state] = [0.0] * self.config.action_space.n
        return values


class Trainer(RLTrainer[Config, Parameter, Memory]):
    """Applies the update to every new transition."""

    def train(self) -> None:
        batch = self.memory.sample()
        if batch is None:
            return
        gamma, lr = self.config.gamma, self.config.lr
        get_action_values = self.parameter.get_action_values
        td_error = 0.0
        for state, action, reward, next_state, terminated, next_invalid in batch:
            target = reward
            if not terminated:
                target += gamma * max(masked(get_action_values(next_state), next_invalid))
            values = get_action_values(state)
            td_error = target - values[action]
            values[action] += lr * td_error
        self.train_count += len(batch)
        self.info["size"] = len(self.parameter.q)
        self.info["td_error"] = td_error


class Worker(RLWorker[Config, Parameter, Memory]):
    """Acts epsilon-greedily."""

    def on_reset(self, worker: WorkerRun) -> None:
        self.state = tuple(worker.state)
        self.epsilon = self.config.epsilon if self.training else self.config.test_epsilon

    def policy(self, worker: WorkerRun) -> int:
        if random.random() < self.epsilon:
            return int(self.sample_action())
        return greedy(masked(self.parameter.get_action_values(self.state), worker.invalid_actions))

    def on_step(self, worker: WorkerRun) -> None:
        state, self.state = self.state, tuple(worker.next_state)
        if self.training:
            self.memory.add(
                (
                    state,
                    worker.action,
                    worker.reward,
                    self.state,
                    worker.terminated,
                    worker.next_invalid_actions,
                )
            )

    def render_terminal(self, worker: WorkerRun, **_kwargs: Any) -> None:
        values = self.parameter.get_action_values(tuple(worker.state))
        best = greedy(masked(values, worker.invalid_actions))
        worker.print_discrete_action_info(best, lambda action: f"{values[action]:8.5f}")


def masked(values: list[float], invalid_actions: list[int]) -> list[float]:
    """Return the values with -inf at invalid actions; unchanged when all are, as at the end."""
    if not invalid_actions or len(invalid_actions) >= len(values):
        return values
    return [-math.inf if action in invalid_actions else value for action, value in enumerate(values)]


def greedy(values: list[float]) -> int:
    """Return the index of the largest value; one of them at random if there are several."""
    best = max(values)
    if values.count(best) == 1:
        return values.index(best)
    return random.choice([action for action, value in enumerate(values) if value == best])


register(
    Config(),
    __name__ + ":Memory",
    __name__ + ":Parameter",
    __name__ + ":Trainer",
    __name__ + ":Worker",
)
