"""Deep Q-network: Q-learning with a network, a replay memory and a target network.

Mnih et al. (2015). Human-level control through deep reinforcement learning. Nature 518, 529-533.

From transitions (s, a, R, s', discount) of the memory, the loss of the network Q, whose parameters are theta, is

    L = mean of w * huber(y - Q(s, a)),    y = R + discount * max_b Q'(s', b)

where the target network Q' is a copy of Q that is renewed now and then, and huber(e) is e^2 / 2 within +-1 and
|e| - 1/2 outside (its gradient is the error clipped to +-1, as in the paper). Its parts, each an option:

- double: y = R + discount * Q'(s', argmax_b Q(s', b)). van Hasselt et al. (2016), equation 4, arXiv:1509.06461.
- dueling: Q(s, a) = V(s) + A(s, a) - mean_b A(s, b). Wang et al. (2016), equation 9, arXiv:1511.06581.
- n steps: R = r_1 + gamma r_2 + ... + gamma^(n-1) r_n, discount = gamma^n, and s' is n steps later; an episode that
  ends gives shorter ones. Sutton (1988); Hessel et al. (2018), section "Multi-step learning", arXiv:1710.02298.
- priorities: transitions are drawn by |y - Q(s, a)|, and weighted by w for that. Schaul et al. (2016),
  arXiv:1511.05952. Without, w is 1.

discount is 0 where s' ends the episode, but not where a limit of steps or time cut it off.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from srl.base.rl.algorithms.base_dqn import RLConfig, RLWorker
from srl.base.rl.parameter import RLParameter
from srl.base.rl.rate_limit import RateLimit
from srl.base.rl.registration import register
from srl.base.rl.trainer import RLTrainer
from srl.base.spaces.space import SpaceEncodeOptions
from srl.rl.memories.priority_replay_buffer import PriorityReplayBufferConfig, RLPriorityReplayBuffer
from srl.rl.networks.frameworks import Framework, check_framework, make_network, make_optimizer, trainable
from srl.rl.schedulers.lr_scheduler import LRSchedulerConfig
from srl.rl.schedulers.scheduler import SchedulerConfig

if TYPE_CHECKING:
    from srl.base.context import RunContext
    from srl.base.rl.worker_run import WorkerRun
    from srl.rl.networks.network import Floats, Network


@dataclass
class Config(RLConfig):
    """Hyperparameters."""

    epsilon: float = 0.1
    """Probability of a random action in training, where `epsilon_scheduler` says nothing."""
    epsilon_scheduler: SchedulerConfig = field(default_factory=SchedulerConfig)
    """Lets it change with the steps of the Worker, such as `.set_linear(1.0, 0.05, 10_000)`."""
    test_epsilon: float = 0
    """Probability of a random action otherwise."""
    gamma: float = 0.99
    """Discount: what a reward one step later is worth."""
    lr: float = 0.001
    """Learning rate of Adam."""
    lr_scheduler: LRSchedulerConfig = field(default_factory=LRSchedulerConfig)
    """Lets it change with the number of updates."""
    batch_size: int = 32
    """Transitions of one update."""
    memory: PriorityReplayBufferConfig = field(default_factory=PriorityReplayBufferConfig)
    """The replay memory. Priorities: `config.memory.set_proportional()`, or another of its `set_...` methods."""
    target_interval: int = 1000
    """Updates from one renewal of the target network to the next."""
    double: bool = True
    """Choose the next action by the network, and let the target network say what it is worth."""
    dueling: bool = False
    """Let the network estimate the value of a state and the advantages of actions on their own."""
    n_step: int = 1
    """How many rewards are summed up before a value is estimated."""
    max_grad_norm: float = 10
    """Gradients longer than this are scaled down to it; 0: they are not."""
    hidden_sizes: list[int] = field(default_factory=lambda: [64, 64])
    """Units of each hidden layer."""
    framework: Framework = "numpy"
    """What trains the network: "numpy", or "torch" for pictures and large networks."""

    def get_name(self) -> str:
        return "DQN"

    def get_framework(self) -> str:
        return "" if self.framework == "numpy" else self.framework

    def get_base_observation_type_options(self) -> SpaceEncodeOptions:
        return SpaceEncodeOptions(cast=False)  # the memory holds pictures as bytes; networks turn numbers into floats

    def get_rate_limit(self) -> RateLimit:
        """Return one update for every 4 transitions, as in the paper."""
        return RateLimit(
            samples_per_insert=self.batch_size / 4,
            batch_items=self.batch_size,
            minimum_items=self.memory.warmup_size,
        )

    def validate_params(self) -> None:
        super().validate_params()
        check_framework(self.framework, "dqn.Config.framework")
        for name in ("epsilon", "test_epsilon", "gamma"):
            self._check(name, 0 <= getattr(self, name) <= 1, "between 0 and 1")
        for name in ("batch_size", "target_interval", "n_step"):
            self._check(name, getattr(self, name) >= 1, "1 or more")
        self._check("lr", self.lr > 0, "above 0")
        self._check("max_grad_norm", self.max_grad_norm >= 0, "0 or more")
        self._check("hidden_sizes", min(self.hidden_sizes, default=1) >= 1, "a list of numbers of 1 or more")
        self._check("hidden_sizes", bool(self.hidden_sizes) or not self.dueling, "one layer or more for dueling")

    def _check(self, name: str, holds: bool, rule: str) -> None:
        if not holds:
            raise ValueError(f"dqn.Config.{name} is {getattr(self, name)}; it must be {rule}")

    def make_network(self) -> Network:
        """Return a new network: its outputs are Q(s, a) by action; with `dueling`, V(s) and then A(s, a)."""
        actions = self.action_space.n
        return make_network(
            self.observation_space,
            self.hidden_sizes,
            actions + self.dueling,
            framework=self.framework,
            streams=(1, actions) if self.dueling else (),
            dtype=self.get_dtype("np"),
        )

    def values(self, outputs: Floats) -> Floats:
        """Return Q(s, a) (..., actions) from what the network put out."""
        if not self.dueling:
            return outputs
        value, advantages = outputs[..., :1], outputs[..., 1:]
        q: Floats = value + advantages - advantages.mean(axis=-1, keepdims=True)
        return q

    def output_gradient(self, dq: Floats) -> Floats:
        """Return dL/d(outputs) from dL/dQ (batch, actions): the derivative of `values`."""
        if not self.dueling:
            return dq
        return np.concatenate([dq.sum(axis=1, keepdims=True), dq - dq.mean(axis=1, keepdims=True)], axis=1)


class Memory(RLPriorityReplayBuffer[Config]):
    """Transitions: state, action, reward (R), next_state, discount, next_valid (which actions are, as bools)."""


class Parameter(RLParameter[Config]):
    """The network and the target network."""

    def setup(self) -> None:
        self.network = self.config.make_network()
        self.target = self.config.make_network()
        self.target.restore(self.network.backup())

    def call_restore(self, data: list[Floats], **_kwargs: Any) -> None:
        self.network.restore(data[0])
        self.target.restore(data[-1])

    def call_backup(self, to_worker: bool = False, **_kwargs: Any) -> list[Floats]:
        networks = [self.network] if to_worker else [self.network, self.target]
        return [network.backup() for network in networks]

    def get_action_values(self, state: Floats, invalid_actions: list[int]) -> Floats:
        """Return Q(s, a) by action, -inf for invalid ones."""
        q = self.config.values(self.network.predict(state.reshape(self.network.input_shape)))
        if invalid_actions:
            q[invalid_actions] = -np.inf
        return q

    def summary(self, **_kwargs: Any) -> None:
        print(f"{self.network}: {self.network.parameters.size} parameters")


class Trainer(RLTrainer[Config, Parameter, Memory]):
    """Makes one update a batch."""

    def on_setup(self) -> None:
        config = self.config
        self.network = trainable(self.parameter.network, config.framework, self.context.device)
        self.target = trainable(self.parameter.target, config.framework, self.context.device)
        self.optimizer = make_optimizer([self.network], config.lr, max_norm=config.max_grad_norm)
        self.lr_schedule = config.lr_scheduler.create(config.lr)
        self.rows = np.arange(config.batch_size)

    def call_backup(self, **_kwargs: Any) -> dict[str, Any]:
        return self.optimizer.backup()

    def call_restore(self, data: dict[str, Any], **_kwargs: Any) -> None:
        self.optimizer.restore(data)

    def train(self) -> None:
        sample = self.memory.sample()
        if sample is None:
            return
        batch, weights, update_args = sample
        columns = batch.columns
        errors = self.update(columns, self.targets(columns), weights)
        self.train_count += 1
        if self.config.memory.requires_priority():
            self.memory.update(update_args, errors, self.train_count)
        if self.train_count % self.config.target_interval == 0:
            self.target.blend(self.network, 1)

    def targets(self, columns: dict[str, Any]) -> Floats:
        """Return y (batch,)."""
        next_state, next_invalid = columns["next_state"], ~columns["next_valid"]
        q = self.config.values(self.target.predict(next_state))
        if self.config.double:
            chosen = self.config.values(self.network.predict(next_state))
            chosen[next_invalid] = -np.inf
            best = q[self.rows, chosen.argmax(axis=1)]
        else:
            q[next_invalid] = -np.inf
            best = q.max(axis=1)
        y: Floats = columns["reward"] + columns["discount"] * best
        return y

    def update(self, columns: dict[str, Any], y: Floats, weights: Floats) -> Floats:
        """Make one step of the optimizer towards y; return the errors y - Q(s, a) of before (batch,)."""
        q = self.config.values(self.network.forward(columns["state"]))
        taken = self.rows, columns["action"]
        errors: Floats = y - q[taken]
        clipped = np.minimum(np.maximum(errors, -1), 1)  # np.clip takes several times as long on a batch
        dq = np.zeros_like(q)
        dq[taken] = -weights * clipped / len(errors)
        self.network.backward(self.config.output_gradient(dq))
        self.optimizer.lr = self.lr_schedule.update(self.train_count).to_float()
        self.optimizer.step()
        self.info["loss"] = float(weights @ (clipped * (errors - clipped / 2))) / len(errors)
        self.info["q"] = float(q.sum()) / q.size
        return errors


class Worker(RLWorker[Config, Parameter, Memory]):
    """Acts epsilon-greedily, and hands the Memory transitions of `n_step` steps."""

    def on_setup(self, worker: WorkerRun, context: RunContext) -> None:
        self.epsilon_schedule = self.config.epsilon_scheduler.create(self.config.epsilon)
        self.all_valid = np.ones(self.config.action_space.n, np.bool_)
        self.shape = self.parameter.network.input_shape

    def on_reset(self, worker: WorkerRun) -> None:
        self.steps: deque[tuple[Any, int, float]] = deque()
        """State, action and reward of steps whose transition is not complete."""

    def policy(self, worker: WorkerRun) -> int:
        if random.random() < self.epsilon:
            return int(self.sample_action())
        return int(self.parameter.get_action_values(worker.state, worker.invalid_actions).argmax())

    @property
    def epsilon(self) -> float:
        """The probability of a random action at this step."""
        if not self.training:
            return self.config.test_epsilon
        return self.epsilon_schedule.update(self.step_in_training).to_float()

    def on_step(self, worker: WorkerRun) -> None:
        if not self.training:
            return
        self.steps.append((worker.state.reshape(self.shape), worker.action, worker.reward))
        if len(self.steps) == self.config.n_step:
            self.add_transition(worker)
        while worker.done and self.steps:
            self.add_transition(worker)

    def add_transition(self, worker: WorkerRun) -> None:
        """Hand over the transition from the oldest step to the current state."""
        gamma, reward = self.config.gamma, 0.0
        for _, _, later in reversed(self.steps):
            reward = later + gamma * reward
        state, action, _ = self.steps[0]
        self.memory.add(
            {
                "state": state,
                "action": action,
                "reward": reward,
                "next_state": worker.next_state.reshape(self.shape),
                "discount": 0.0 if worker.terminated else gamma ** len(self.steps),
                "next_valid": self.valid(worker.next_invalid_actions),
            }
        )
        self.steps.popleft()

    def valid(self, invalid_actions: list[int] | None) -> Any:
        """Return which actions are valid, as bools; all of them where none is, as at the end of a game."""
        if not invalid_actions or len(invalid_actions) >= len(self.all_valid):
            return self.all_valid
        valid = self.all_valid.copy()
        valid[invalid_actions] = False
        return valid

    def render_terminal(self, worker: WorkerRun, **_kwargs: Any) -> None:
        q = self.parameter.get_action_values(worker.state, worker.invalid_actions)
        worker.print_discrete_action_info(int(q.argmax()), lambda action: f"{q[action]:8.5f}")


for _framework in ("numpy", "torch"):
    register(
        Config(framework=_framework),
        __name__ + ":Memory",
        __name__ + ":Parameter",
        __name__ + ":Trainer",
        __name__ + ":Worker",
    )
