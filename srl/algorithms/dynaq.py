"""Dyna-Q: Q-learning from what happened, and from what a learned model says would happen.

Sutton, R. S. (1990). Integrated architectures for learning, planning, and reacting based on approximating
dynamic programming. Proceedings of the 7th International Conference on Machine Learning, 216-224.
Sutton, R. S., and Barto, A. G. (2018). Reinforcement Learning, 2nd edition, section 8.2, "Tabular Dyna-Q".

For each real transition (s, a, r, s'):

    Q(s, a) <- Q(s, a) + lr * (r + gamma * max_b Q(s', b) - Q(s, a))
    Model(s, a) takes in (r, s')
    `planning` times: the same update for a random (s, a) seen before, with r and s' drawn from Model(s, a)

where the term with gamma is 0 if s' ends the episode. The book's model holds the last outcome, which is right
where actions have one; this one holds the newest outcomes, and so draws them as often as they were seen.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from srl.algorithms.ql import greedy, masked
from srl.base.rl.algorithms.base_ql import RLConfig, RLWorker
from srl.base.rl.parameter import RLParameter
from srl.base.rl.registration import register
from srl.base.rl.trainer import RLTrainer
from srl.rl.memories.single_use_buffer import RLSingleUseBuffer

if TYPE_CHECKING:
    from srl.base.rl.worker_run import WorkerRun

State = tuple[int, ...]
Choice = tuple[State, int]
"""An action in a state."""
Outcome = tuple[float, State, bool, list[int]]
"""What it led to: reward, next state, whether that ended the episode, invalid actions there."""


@dataclass
class Config(RLConfig):
    """Hyperparameters."""

    epsilon: float = 0.1
    """Probability of a random action in training."""
    test_epsilon: float = 0
    """Probability of a random action otherwise."""
    gamma: float = 0.9
    """Discount: what a reward one step later is worth."""
    lr: float = 0.1
    """Learning rate: how far a value moves towards its target."""
    planning: int = 10
    """Updates from the model for each real one."""
    outcomes: int = 100
    """How many of the newest outcomes the model keeps of each action in each state; 1 is the book's model."""

    def get_name(self) -> str:
        return "DynaQ"

    def validate_params(self) -> None:
        super().validate_params()
        for name in ("epsilon", "test_epsilon", "gamma", "lr"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"dynaq.Config.{name} is {value}; it must be between 0 and 1")
        for name, least in (("planning", 0), ("outcomes", 1)):
            value = getattr(self, name)
            if value < least:
                raise ValueError(f"dynaq.Config.{name} is {value}; it must be {least} or more")


class Memory(RLSingleUseBuffer[Config]):
    """Real transitions (choice, outcome)."""


class Parameter(RLParameter[Config]):
    """The table Q: state -> value of each action; and the model: choice -> newest outcomes."""

    def setup(self) -> None:
        self.q: dict[State, list[float]] = {}
        self.model: dict[Choice, deque[Outcome]] = {}
        self._choices: list[Choice] = []

    def call_backup(self, to_worker: bool = False, **_kwargs: Any) -> Any:
        q = {state: values[:] for state, values in self.q.items()}
        model = {} if to_worker else {choice: list(outcomes) for choice, outcomes in self.model.items()}
        return q, model  # acting needs no model

    def call_restore(self, data: Any, **_kwargs: Any) -> None:
        q, model = data
        self.q = {state: values[:] for state, values in q.items()}
        self.model = {choice: deque(outcomes, self.config.outcomes) for choice, outcomes in model.items()}
        self._choices = list(self.model)

    def get_action_values(self, state: State) -> list[float]:
        """Return the values of all actions in a state, 0 in a new one. It is the table's own row."""
        values = self.q.get(state)
        if values is None:
            values = self.q[state] = [0.0] * self.config.action_space.n
        return values

    def learn_outcome(self, choice: Choice, outcome: Outcome) -> None:
        """Let the model take in what a choice led to."""
        if choice not in self.model:
            self.model[choice] = deque(maxlen=self.config.outcomes)
            self._choices.append(choice)
        self.model[choice].append(outcome)

    def imagine(self) -> tuple[Choice, Outcome]:
        """Return a choice made before, at random, and what the model says it leads to."""
        choice = random.choice(self._choices)
        return choice, random.choice(self.model[choice])


class Trainer(RLTrainer[Config, Parameter, Memory]):
    """Learns from every real transition, then plans."""

    def train(self) -> None:
        batch = self.memory.sample()
        if batch is None:
            return
        parameter, planning = self.parameter, self.config.planning
        for choice, outcome in batch:
            self.info["td_error"] = self._update_value(choice, outcome)
            parameter.learn_outcome(choice, outcome)
            for _ in range(planning):
                self._update_value(*parameter.imagine())
        self.train_count += len(batch) * (1 + planning)
        self.info["size"] = len(parameter.q)

    def _update_value(self, choice: Choice, outcome: Outcome) -> float:
        """Return the temporal difference error before the update."""
        state, action = choice
        reward, next_state, terminated, next_invalid = outcome
        target = reward
        if not terminated:
            target += self.config.gamma * max(masked(self.parameter.get_action_values(next_state), next_invalid))
        values = self.parameter.get_action_values(state)
        td_error = target - values[action]
        values[action] += self.config.lr * td_error
        return td_error


class Worker(RLWorker[Config, Parameter, Memory]):
    """Acts epsilon-greedily."""

    def on_reset(self, worker: WorkerRun) -> None:
        self.state = tuple(worker.state)
        self.epsilon = self.config.epsilon if self.training else self.config.test_epsilon

    def policy(self, worker: WorkerRun) -> int:
        if random.random() < self.epsilon:
            return self.sample_action()
        return greedy(masked(self.parameter.get_action_values(self.state), worker.invalid_actions))

    def on_step(self, worker: WorkerRun) -> None:
        state, self.state = self.state, tuple(worker.next_state)
        if self.training:
            outcome = (worker.reward, self.state, worker.terminated, worker.next_invalid_actions)
            self.memory.add(((state, worker.action), outcome))

    def render_terminal(self, worker: WorkerRun, **_kwargs: Any) -> None:
        values = self.parameter.get_action_values(tuple(worker.state))
        best = greedy(masked(values, worker.invalid_actions))
        worker.print_discrete_action_info(best, lambda action: f"{values[action]:8.5f}")


register(
    Config(),
    __name__ + ":Memory",
    __name__ + ":Parameter",
    __name__ + ":Trainer",
    __name__ + ":Worker",
)
