"""Tabular policy gradient: REINFORCE with a learned baseline, for discrete or continuous actions.

Williams, R. J. (1992). Simple statistical gradient-following algorithms for connectionist reinforcement
learning. Machine Learning 8, 229-256.
Sutton, R. S., and Barto, A. G. (2018). Reinforcement Learning, 2nd edition, sections 13.3, 13.4 and 13.7.

When an episode is over, its returns are known, and for each of its steps

    G_t   = r_t + gamma * G_t+1
    theta <- theta + lr * (G_t - b(s_t)) * grad ln pi(a_t | s_t)     (Sutton and Barto, equation 13.11)
    b(s)  <- b(s) + baseline_lr * (G_t - b(s))

without the book's further factor gamma^t, as is usual. An episode that a limit cuts off is over, too. In each
state pi is the softmax of a preference for each valid action (equation 13.2), so that

    d ln pi(a) / d theta(b) = 1[a = b] - pi(b)

or a normal distribution, for which Williams (section 6) makes the step proportional to sigma^2:

    mu    <- mu    + lr * (G - b) * (a - mu)
    sigma <- sigma + lr * (G - b) * ((a - mu)^2 - sigma^2) / sigma
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from srl.algorithms.ql import greedy, masked
from srl.base.rl.algorithms.base_vanilla_policy import RLConfig, RLWorker
from srl.base.rl.parameter import RLParameter
from srl.base.rl.registration import register
from srl.base.rl.trainer import RLTrainer
from srl.base.spaces.discrete import DiscreteSpace
from srl.rl.functions import random_choice_by_probs
from srl.rl.memories.single_use_buffer import RLSingleUseBuffer

if TYPE_CHECKING:
    from srl.base.rl.worker_run import WorkerRun
    from srl.base.spaces.continuous import ContinuousSpace

State = tuple[int, ...]


@dataclass
class Config(RLConfig):
    """Hyperparameters."""

    gamma: float = 0.9
    """Discount: what a reward one step later is worth."""
    lr: float = 0.1
    """Learning rate of the policy."""
    baseline_lr: float = 0.1
    """How far the baseline of a state moves towards a return; 0 is no baseline."""
    max_std: float = 0.5
    """Standard deviation of continuous actions at first, and at most, as a part of half their range."""
    min_std: float = 0.05
    """Standard deviation of continuous actions at least, so that they go on exploring."""

    def get_name(self) -> str:
        return "VanillaPolicy"

    def validate_params(self) -> None:
        super().validate_params()
        for name in ("gamma", "lr", "baseline_lr"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"vanilla_policy.Config.{name} is {value}; it must be between 0 and 1")
        if not 0 < self.min_std <= self.max_std:
            raise ValueError(
                f"vanilla_policy.Config.min_std is {self.min_std}; it must be above 0 and at most "
                f"max_std, which is {self.max_std}"
            )

    def is_discrete(self) -> bool:
        """Tell whether the environment met has discrete actions."""
        return isinstance(self.action_space, DiscreteSpace)


class Memory(RLSingleUseBuffer[Config]):
    """Steps (state, action, return, invalid actions) of episodes that are over."""


class Parameter(RLParameter[Config]):
    """Two tables: state -> theta, which are preferences or [mean, standard deviation]; and state -> baseline."""

    def setup(self) -> None:
        self.theta: dict[State, list[float]] = {}
        self.baseline: dict[State, float] = {}

    def call_backup(self, **_kwargs: Any) -> Any:
        return {state: row[:] for state, row in self.theta.items()}, dict(self.baseline)

    def call_restore(self, data: Any, **_kwargs: Any) -> None:
        theta, baseline = data
        self.theta = {state: row[:] for state, row in theta.items()}
        self.baseline = dict(baseline)

    def get_theta(self, state: State) -> list[float]:
        """Return the policy's row of a state: the table's own."""
        row = self.theta.get(state)
        if row is None:
            row = self.theta[state] = self._first_theta()
        return row

    def _first_theta(self) -> list[float]:
        space = self.config.action_space
        return [0.0] * space.n if isinstance(space, DiscreteSpace) else [0.0, self.config.max_std]


class Trainer(RLTrainer[Config, Parameter, Memory]):
    """Follows the gradient at every step of the episodes that are over."""

    def on_setup(self) -> None:
        self.ascend = self._ascend_softmax if self.config.is_discrete() else self._ascend_normal

    def train(self) -> None:
        batch = self.memory.sample()
        if batch is None:
            return
        baselines = self.parameter.baseline
        for state, action, total, invalid_actions in batch:
            baseline = baselines.get(state, 0.0)
            advantage = total - baseline
            self.ascend(self.parameter.get_theta(state), action, advantage, invalid_actions)
            baselines[state] = baseline + self.config.baseline_lr * advantage
        self.train_count += len(batch)
        self.info["size"] = len(baselines)
        self.info["return"] = batch[0][2]

    def _ascend_softmax(self, theta: list[float], action: int, advantage: float, invalid_actions: list[int]) -> None:
        step = self.config.lr * advantage
        for other, prob in enumerate(softmax(masked(theta, invalid_actions))):
            theta[other] -= step * prob
        theta[action] += step

    def _ascend_normal(self, theta: list[float], action: float, advantage: float, _invalid: list[int]) -> None:
        step = self.config.lr * advantage
        mean, std = theta
        distance = action - mean
        theta[0] = min(max(mean + step * distance, -1.0), 1.0)
        std += step * (distance**2 - std**2) / std
        theta[1] = min(max(std, self.config.min_std), self.config.max_std)


class Worker(RLWorker[Config, Parameter, Memory]):
    """Draws actions from the policy in training, and takes the most probable one otherwise."""

    def on_setup(self, worker: WorkerRun, context: Any) -> None:
        self.act = self._act_discretely if self.config.is_discrete() else self._act_continuously

    def on_reset(self, worker: WorkerRun) -> None:
        self.episode: list[tuple[State, float, float, list[int]]] = []

    def policy(self, worker: WorkerRun) -> float:
        self.state = tuple(worker.state)
        return self.act(self.parameter.get_theta(self.state), worker.invalid_actions)

    def _act_discretely(self, theta: list[float], invalid_actions: list[int]) -> int:
        preferences = masked(theta, invalid_actions)
        self.drawn: float = random_choice_by_probs(softmax(preferences)) if self.training else greedy(preferences)
        return int(self.drawn)

    def _act_continuously(self, theta: list[float], _invalid: list[int]) -> float:
        mean, std = theta
        self.drawn = random.gauss(mean, std) if self.training else mean
        return in_range(self.drawn, self.action_space)

    def on_step(self, worker: WorkerRun) -> None:
        if not self.training:
            return
        self.episode.append((self.state, self.drawn, worker.reward, worker.invalid_actions))
        if worker.done:
            self._add_returns()

    def _add_returns(self) -> None:
        total = 0.0
        steps = []
        for state, action, reward, invalid_actions in reversed(self.episode):
            total = reward + self.config.gamma * total
            steps.append((state, action, total, invalid_actions))
        for step in reversed(steps):
            self.memory.add(step)

    def render_terminal(self, worker: WorkerRun, **_kwargs: Any) -> None:
        theta = self.parameter.get_theta(tuple(worker.state))
        if self.config.is_discrete():
            probs = softmax(masked(theta, worker.invalid_actions))
            worker.print_discrete_action_info(greedy(probs), lambda action: f"{probs[action]:6.1%}")
        else:
            mean, std = theta
            print(f"action {in_range(mean, self.action_space):.5f}, deviation {std:.5f} of half the range")


def softmax(preferences: list[float]) -> list[float]:
    """Return exp(x) / sum(exp(x)), which is 0 for a preference of -inf."""
    largest = max(preferences)
    powers = [math.exp(preference - largest) for preference in preferences]
    total = sum(powers)
    return [power / total for power in powers]


def in_range(action: float, space: DiscreteSpace | ContinuousSpace) -> float:
    """Return the action of the space for one between -1 and 1; a space without bounds has it as it is."""
    if math.isinf(space.low) or math.isinf(space.high):
        return float(space.sanitize(action))
    return float(space.sanitize(space.low + (action + 1) / 2 * (space.high - space.low)))


register(
    Config(),
    __name__ + ":Memory",
    __name__ + ":Parameter",
    __name__ + ":Trainer",
    __name__ + ":Worker",
)
