"""Proximal policy optimization (PPO) with discrete or continuous actions, for one or many actors.

Schulman, J., Wolski, F., Dhariwal, P., Radford, A., and Klimov, O. (2017). Proximal Policy Optimization Algorithms.
arXiv:1707.06347. With r = pi(a|s) / pi_old(a|s), the probability ratio to the policy that acted:

    L = -mean(min(r A, clip(r, 1 - c, 1 + c) A)) + c1 mean((V(s) - R)^2) - c2 mean(H(pi(.|s)))    (equations 7 and 9)

Schulman, J., Moritz, P., Levine, S., Jordan, M., and Abbeel, P. (2016). High-Dimensional Continuous Control Using
Generalized Advantage Estimation. arXiv:1506.02438. The advantages A, and R = A + V(s):

    A_t = delta_t + gamma lambda A_{t+1},   delta_t = r_t + gamma V(s_{t+1}) - V(s_t)             (equation 16)

V(s_{t+1}) is 0 if the episode terminated there; if a limit cut it off, it is not, but the sum ends there too.

Each Worker hands over segments of `horizon` successive steps with the log-probabilities of its actions; values are
computed by the Trainer, when it learns. With actors in other processes, segments come from policies that are some
updates old: the ratio is to the policy that acted, and beyond the clip range such a step no longer counts. Rollouts
that are prepared ahead make them older, so `train_mp(mem_to_train_queue_capacity=1)` is best.

The gradients of L with respect to what the networks put out are written down below; the networks do the rest.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from srl.base.rl.algorithms.base_ppo import RLConfig, RLWorker
from srl.base.rl.memory import RLMemory
from srl.base.rl.parameter import RLParameter
from srl.base.rl.registration import register
from srl.base.rl.trainer import RLTrainer
from srl.base.spaces.discrete import DiscreteSpace
from srl.base.spaces.space import SpaceEncodeOptions
from srl.rl.action_scaling import ActionScaling
from srl.rl.memories.drawing import new_generator
from srl.rl.networks.frameworks import Framework, check_framework, make_network, make_optimizer, trainable
from srl.rl.schedulers.lr_scheduler import LRSchedulerConfig
from srl.rl.schedulers.scheduler import SchedulerConfig

if TYPE_CHECKING:
    from srl.base.context import RunContext
    from srl.base.rl.worker_run import WorkerRun
    from srl.rl.networks.mlp import Activation
    from srl.rl.networks.network import Network

Array: TypeAlias = NDArray[Any]
Columns: TypeAlias = dict[str, Array]

_ADAM_EPS = 1e-5
_LOG_RATIO_MAX = 20.0
_INVALID_LOGIT = -1e8
"""Of an action that is not allowed: its probability is exactly 0 (Huang and Ontanon 2022, arXiv:2006.14171)."""


@dataclass
class Config(RLConfig):
    """Hyperparameters. Discrete actions where the environment has them, continuous ones otherwise."""

    framework: Framework = "numpy"
    """What trains the networks: "numpy", or "torch" for pictures and large networks."""
    hidden_sizes: list[int] = field(default_factory=lambda: [64, 64])
    """Units of each hidden layer, of the policy's network and the value's alike."""
    activation: Activation = "tanh"
    initial_std: float = 1.0
    """Of a continuous action at the start, in units in which the action's bounds are -1 and 1."""

    rollout_size: int = 2048
    """Steps that are learned from at a time, and then forgotten."""
    horizon: int = 128
    """Successive steps of one Worker that travel together; advantages look no further."""
    epochs: int = 10
    """How often each step is learned from."""
    batch_size: int = 64
    """Steps of one update."""

    gamma: float = 0.99
    """Discount: what a reward one step later is worth."""
    gae_lambda: float = 0.95
    """lambda of the advantages: 0 trusts the value of the next state, 1 the rewards that came."""
    clip_range: float = 0.2
    """c: how far the probability ratio may move from 1..."""
    clip_scheduler: SchedulerConfig = field(default_factory=SchedulerConfig)
    """...or how that changes with the number of updates."""
    value_clip_range: float = 0.0
    """How far an update may move a value; 0 is any distance."""
    value_coef: float = 0.5
    """c1: the weight of the value's loss."""
    entropy_coef: float = 0.0
    """c2: the weight of the policy's entropy."""
    normalize_advantage: bool = True
    """Give the advantages of a batch mean 0 and standard deviation 1."""

    lr: float = 3e-4
    """Learning rate of Adam..."""
    lr_scheduler: LRSchedulerConfig = field(default_factory=LRSchedulerConfig)
    """...and how it changes with the number of updates."""
    max_grad_norm: float = 0.5
    """Longest gradient, over all parameters; a longer one is shortened. 0 is any length."""

    def get_name(self) -> str:
        return "PPO"

    def get_framework(self) -> str:
        return "torch" if self.framework == "torch" else ""

    def get_base_observation_type_options(self) -> SpaceEncodeOptions:
        return SpaceEncodeOptions(cast=False)  # pictures travel as bytes; networks turn numbers into floats

    def validate_params(self) -> None:
        super().validate_params()
        check_framework(self.framework, "ppo.Config.framework")
        self._check("hidden_sizes", min(self.hidden_sizes, default=1) >= 1, "a list of numbers of 1 or more")
        for name in ("rollout_size", "horizon", "epochs", "batch_size"):
            self._check(name, getattr(self, name) >= 1, "1 or more")
        for name in ("gamma", "gae_lambda"):
            self._check(name, 0 <= getattr(self, name) <= 1, "between 0 and 1")
        for name in ("initial_std", "clip_range", "lr"):
            self._check(name, getattr(self, name) > 0, "above 0")
        for name in ("value_clip_range", "value_coef", "entropy_coef", "max_grad_norm"):
            self._check(name, getattr(self, name) >= 0, "0 or more")
        for name in ("horizon", "batch_size"):
            fits = self.rollout_size % getattr(self, name) == 0
            self._check(name, fits, f"a divisor of rollout_size ({self.rollout_size})")

    def _check(self, name: str, holds: bool, wanted: str) -> None:
        if not holds:
            raise ValueError(f"ppo.Config.{name} is {getattr(self, name)}; it must be {wanted}")


class Memory(RLMemory[Config]):
    """A queue of segments, out of which come rollouts.

    A segment is a dict of arrays of shape (horizon, ...). At most two rollouts wait: segments of actors that are
    faster than the Trainer make room for newer ones, as PPO learns from the actions of its present policy.
    """

    def setup(self) -> None:
        self._segments_per_rollout = self.config.rollout_size // self.config.horizon
        self.segments: deque[Columns] = deque(maxlen=2 * self._segments_per_rollout)
        self.register_worker_func(self.add)
        self.register_trainer_recv_func(self.sample)

    def length(self) -> int:
        return len(self.segments)

    def add(self, segment: Columns) -> None:
        """Append a segment, which the caller must not change any more."""
        self.segments.append(segment)

    def sample(self) -> Columns | None:
        """Take out the oldest rollout, as arrays of shape (segments, horizon, ...); None as long as there is none."""
        if len(self.segments) < self._segments_per_rollout:
            return None
        taken = [self.segments.popleft() for _ in range(self._segments_per_rollout)]
        return {name: np.stack([segment[name] for segment in taken]) for name in taken[0]}

    def call_backup(self, **_kwargs: Any) -> list[Columns]:
        return list(self.segments)

    def call_restore(self, data: list[Columns], **_kwargs: Any) -> None:
        self.segments = deque(data, maxlen=self.segments.maxlen)


class Parameter(RLParameter[Config]):
    """Two networks of the state: one for the distribution of actions, the policy, and one for the value.

    The policy puts out a logit for each discrete action; for continuous ones the means and, independent of the
    state, the logarithms of the standard deviations.
    """

    def setup(self) -> None:
        space = self.config.action_space
        if isinstance(space, DiscreteSpace):
            self.policy = self._network(space.n, output_gain=0.01)
        else:
            self.policy = self._network(2 * space.size, free_outputs=space.size, output_gain=0.01)
            self.policy.parameters[-space.size :] = math.log(self.config.initial_std)
        self.value = self._network(1)
        self._distribution = Categorical if isinstance(space, DiscreteSpace) else DiagonalGaussian

    def _network(self, outputs: int, free_outputs: int = 0, output_gain: float = 1.0) -> Network:
        config = self.config
        return make_network(
            config.observation_space,
            config.hidden_sizes,
            outputs,
            framework=config.framework,
            activation=config.activation,
            free_outputs=free_outputs,
            initialization="orthogonal",
            output_gain=output_gain,
            dtype=config.get_dtype("np"),
        )

    def distribution(self, outputs: Array, invalid: Array | None) -> Categorical | DiagonalGaussian:
        """Return the distribution of actions that outputs (..., n) of the policy's network mean.

        `invalid` marks discrete actions (..., n) that are not allowed, if any.
        """
        return self._distribution(outputs, invalid)

    def call_restore(self, data: dict[str, Array], **_kwargs: Any) -> None:
        self.policy.restore(data["policy"])
        if "value" in data:
            self.value.restore(data["value"])

    def call_backup(self, to_worker: bool = False, **_kwargs: Any) -> dict[str, Array]:
        policy = {"policy": self.policy.backup()}
        return policy if to_worker else {**policy, "value": self.value.backup()}

    def summary(self, **_kwargs: Any) -> None:
        for name, network in (("policy", self.policy), ("value", self.value)):
            print(f"{name}: {network}, {network.parameters.size} parameters")


class Trainer(RLTrainer[Config, Parameter, Memory]):
    """Learns from each rollout for some epochs, and counts each step of the optimizer."""

    def on_setup(self) -> None:
        config, device = self.config, self.context.device
        self._policy = trainable(self.parameter.policy, config.framework, device)
        self._value = trainable(self.parameter.value, config.framework, device)
        self._optimizer = make_optimizer(
            [self._policy, self._value], config.lr, eps=_ADAM_EPS, max_norm=config.max_grad_norm
        )
        self._lr = config.lr_scheduler.create(config.lr)
        self._clip_range = config.clip_scheduler.create(config.clip_range)
        self._rng = new_generator()

    def train(self) -> None:
        rollout = self.memory.sample()
        if rollout is None:
            return
        steps = self._with_advantages(rollout)
        for _ in range(self.config.epochs):
            order = self._rng.permutation(self.config.rollout_size)
            for chosen in order.reshape(-1, self.config.batch_size):
                self._update({name: column[chosen] for name, column in steps.items()})

    def _with_advantages(self, rollout: Columns) -> Columns:
        """Return all steps of a rollout in a row, with what the present values make of them."""
        config, shape = self.config, rollout["reward"].shape
        steps = {name: column.reshape(-1, *column.shape[2:]) for name, column in rollout.items()}
        value, next_value = (self._value.predict(steps[name])[:, 0] for name in ("state", "next_state"))
        advantage = advantages(
            rollout, value.reshape(shape), next_value.reshape(shape), config.gamma, config.gae_lambda
        )
        steps["value"], steps["advantage"] = value, advantage.reshape(-1)
        steps["return"] = steps["advantage"] + value
        return steps

    def _update(self, batch: Columns) -> None:
        """Make one step along the gradient of L."""
        self._optimizer.lr = self._lr.update(self.train_count).to_float()
        self._learn_policy(batch)
        self._learn_value(batch)
        self._optimizer.step()
        self.train_count += 1

    def _learn_policy(self, batch: Columns) -> None:
        config, action = self.config, batch["action"]
        advantage = normalized(batch["advantage"]) if config.normalize_advantage else batch["advantage"]
        clip_range = self._clip_range.update(self.train_count).to_float()
        pi = self.parameter.distribution(self._policy.forward(batch["state"]), batch.get("invalid"))
        ratio = probability_ratio(pi.log_prob(action), batch["log_prob"])
        loss, d_log_prob = clipped_surrogate(ratio, advantage, clip_range)
        self._policy.backward(pi.gradient(action, d_log_prob, -config.entropy_coef / len(action)))
        self.info["policy_loss"] = loss
        self.info["entropy"] = float(pi.entropy().mean())
        self.info["clipped"] = float((np.abs(ratio - 1) > clip_range).mean())

    def _learn_value(self, batch: Columns) -> None:
        value = self._value.forward(batch["state"])[:, 0]
        loss, d_value = value_loss(value, batch["return"], batch["value"], self.config.value_clip_range)
        self._value.backward(self.config.value_coef * d_value[:, np.newaxis])
        self.info["value_loss"] = loss

    def call_backup(self, **_kwargs: Any) -> Any:
        return self._optimizer.backup()

    def call_restore(self, data: Any, **_kwargs: Any) -> None:
        self._optimizer.restore(data)


class Worker(RLWorker[Config, Parameter, Memory]):
    """Draws actions from the policy in training, and takes the most probable one otherwise."""

    def on_setup(self, worker: WorkerRun, context: RunContext) -> None:
        space = self.action_space
        self._shape = self.parameter.policy.input_shape
        self._scaling = None if isinstance(space, DiscreteSpace) else ActionScaling(space)
        self._rng = new_generator()
        self._begin_segment()

    def _begin_segment(self) -> None:
        self._segment = new_segment(self.config, self._shape)
        self._length = 0

    def policy(self, worker: WorkerRun) -> int | Array:
        pi = self._distribution(worker)
        action = pi.mode()
        if self.training:
            action = pi.sample(self._rng)
            self._begin_step(worker, action, pi.log_prob(action))
        return int(action) if self._scaling is None else self._scaling.to_space(action)

    def _distribution(self, worker: WorkerRun) -> Categorical | DiagonalGaussian:
        outputs = self.parameter.policy.predict(worker.state.reshape(self._shape))
        invalid = None
        if worker.invalid_actions:
            invalid = np.zeros(len(outputs), np.bool_)
            invalid[worker.invalid_actions] = True
        return self.parameter.distribution(outputs, invalid)

    def _begin_step(self, worker: WorkerRun, action: Any, log_prob: Any) -> None:
        segment, row = self._segment, self._length
        segment["state"][row] = worker.state.reshape(self._shape)
        segment["action"][row] = action
        segment["log_prob"][row] = log_prob
        if worker.invalid_actions:
            segment["invalid"][row, worker.invalid_actions] = True

    def on_step(self, worker: WorkerRun) -> None:
        if not self.training:
            return
        segment, row = self._segment, self._length
        segment["reward"][row] = worker.reward
        segment["next_state"][row] = worker.next_state.reshape(self._shape)
        segment["terminated"][row] = worker.terminated
        segment["done"][row] = worker.done
        self._length += 1
        if self._length == self.config.horizon:
            self.memory.add(segment)
            self._begin_segment()

    def render_terminal(self, worker: WorkerRun, **_kwargs: Any) -> None:
        print(f"value: {float(self.parameter.value.predict(worker.state.reshape(self._shape))[0]):.5f}")
        pi = self._distribution(worker)
        if isinstance(pi, Categorical):
            worker.print_discrete_action_info(int(pi.mode()), lambda action: f"{pi.probabilities[action]:8.5f}")
        else:
            print(f"action: {pi.mean} +- {pi.std}")


def new_segment(config: Config, state_shape: tuple[int, ...]) -> Columns:
    """Return room for `horizon` steps, as arrays of shape (horizon, ...)."""
    space, steps = config.action_space, config.horizon
    states, floats, bools = config.observation_space.dtype, config.get_dtype("np"), np.bool_
    segment: Columns = {
        "state": np.zeros((steps, *state_shape), states),
        "log_prob": np.zeros(steps, floats),
        "reward": np.zeros(steps, floats),
        "next_state": np.zeros((steps, *state_shape), states),
        "terminated": np.zeros(steps, bools),
        "done": np.zeros(steps, bools),
    }
    if isinstance(space, DiscreteSpace):
        return {**segment, "action": np.zeros(steps, np.int64), "invalid": np.zeros((steps, space.n), bools)}
    return {**segment, "action": np.zeros((steps, space.size), floats)}


class Categorical:
    """A distribution of discrete actions: softmax of logits z, p_a = exp(z_a) / sum_b exp(z_b).

    Args:
        logits: (..., n).
        invalid: marks those (..., n) whose probability is to be 0; None: none.
    """

    def __init__(self, logits: Array, invalid: Array | None = None) -> None:
        if invalid is not None:
            logits = np.where(invalid, logits.dtype.type(_INVALID_LOGIT), logits)
        shifted = logits - logits.max(axis=-1, keepdims=True)
        self._log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))

    @property
    def probabilities(self) -> Array:
        return np.asarray(np.exp(self._log_p))

    def mode(self) -> Any:
        """Return the most probable action (...)."""
        return self._log_p.argmax(axis=-1)

    def sample(self, rng: np.random.Generator) -> Any:
        """Return an action (...): the largest of log p plus Gumbel noise, that is, minus log of an exponential one."""
        return (self._log_p - np.log(rng.standard_exponential(self._log_p.shape))).argmax(axis=-1)

    def log_prob(self, action: Any) -> Any:
        """Return log p_a of an action, or of actions (batch,)."""
        return self._log_p[action] if self._log_p.ndim == 1 else self._log_p[np.arange(len(action)), action]

    def entropy(self) -> Any:
        """Return H = -sum_a p_a log p_a (...)."""
        return -(self.probabilities * self._log_p).sum(axis=-1)

    def gradient(self, action: Array, d_log_prob: Array, d_entropy: float) -> Array:
        """Return the gradient (batch, n) of a loss with respect to the logits.

            d log p_a / d z_b = [a = b] - p_b,    d H / d z_b = -p_b (log p_b + H)

        Args:
            action: (batch,).
            d_log_prob: the loss's gradient with respect to log p of each action (batch,).
            d_entropy: the same for each entropy.
        """
        p = self.probabilities
        gradient = -d_log_prob[:, np.newaxis] * p
        gradient[np.arange(len(action)), action] += d_log_prob
        if d_entropy:
            gradient -= d_entropy * p * (self._log_p + self.entropy()[:, np.newaxis])
        return gradient


class DiagonalGaussian:
    """A distribution of continuous actions, each element independent: a ~ N(mu, sigma^2).

    Args:
        outputs: means and logarithms of standard deviations (..., 2 n).
        invalid: there are none.
    """

    def __init__(self, outputs: Array, invalid: Array | None = None) -> None:
        size = outputs.shape[-1] // 2
        self.mean, self._log_std = outputs[..., :size], outputs[..., size:]
        self.std = np.exp(self._log_std)

    def mode(self) -> Array:
        """Return the most probable action (..., n)."""
        return self.mean

    def sample(self, rng: np.random.Generator) -> Array:
        """Return an action (..., n)."""
        return np.asarray(self.mean + self.std * rng.standard_normal(self.mean.shape, self.mean.dtype))

    def log_prob(self, action: Array) -> Any:
        """Return the logarithm of the density at actions (..., n): (...)."""
        z = (action - self.mean) / self.std
        return -(0.5 * z * z + self._log_std + 0.5 * math.log(2 * math.pi)).sum(axis=-1)

    def entropy(self) -> Any:
        """Return the differential entropy (...)."""
        return (self._log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(axis=-1)

    def gradient(self, action: Array, d_log_prob: Array, d_entropy: float) -> Array:
        """Return the gradient (batch, 2 n) of a loss with respect to means and logarithms of standard deviations.

            d log p / d mu = z / sigma,    d log p / d log sigma = z^2 - 1,    d H / d log sigma = 1

        where z = (a - mu) / sigma. Arguments are those of `Categorical.gradient`.
        """
        z = (action - self.mean) / self.std
        d = d_log_prob[:, np.newaxis]
        return np.concatenate([d * z / self.std, d * (z * z - 1) + d_entropy], axis=-1)


def advantages(steps: Columns, value: Array, next_value: Array, gamma: float, gae_lambda: float) -> Array:
    """Return the generalized advantages (segments, horizon); the last step of a segment has no successor.

    Args:
        steps: "reward", "terminated" and "done" (segments, horizon).
        value: of the states (segments, horizon)...
        next_value: ...and of those that followed.
        gamma: discount.
        gae_lambda: lambda.
    """
    delta = steps["reward"] + gamma * next_value * ~steps["terminated"] - value
    decay = gamma * gae_lambda * ~steps["done"]
    advantage = delta.copy()
    for t in range(delta.shape[1] - 2, -1, -1):
        advantage[:, t] += decay[:, t] * advantage[:, t + 1]
    return advantage


def normalized(advantage: Array) -> Array:
    """Return advantages with mean 0 and standard deviation 1."""
    return np.asarray((advantage - advantage.mean()) / (advantage.std() + 1e-8))


def probability_ratio(log_prob: Array, old_log_prob: Array) -> Array:
    """Return r; at most exp(20), so that a policy that is far from the one that acted gives numbers all the same."""
    return np.asarray(np.exp(np.minimum(log_prob - old_log_prob, _LOG_RATIO_MAX)))


def clipped_surrogate(ratio: Array, advantage: Array, clip_range: float) -> tuple[float, Array]:
    """Return the policy's loss -mean(min(r A, clip(r) A)), and its gradient with respect to log pi (batch,).

    Where the minimum is r A, that is -r A / batch, since dr / d log pi = r; elsewhere it is 0.
    """
    surrogate = ratio * advantage
    clipped = np.clip(ratio, 1 - clip_range, 1 + clip_range) * advantage
    gradient = np.where(surrogate <= clipped, -surrogate / len(ratio), 0)
    return -float(np.minimum(surrogate, clipped).mean()), gradient


def value_loss(value: Array, target: Array, old_value: Array, clip_range: float) -> tuple[float, Array]:
    """Return the mean of (V - R)^2, and its gradient with respect to V (batch,).

    With a clip range, it is the larger one of that and of the loss of a V that is at most that far from the old V.
    """
    error = value - target
    loss, gradient = error * error, 2 * error / len(error)
    if clip_range:
        clipped_error = old_value + np.clip(value - old_value, -clip_range, clip_range) - target
        clipped_loss = clipped_error * clipped_error
        gradient = np.where(loss >= clipped_loss, gradient, 0)
        loss = np.maximum(loss, clipped_loss)
    return float(loss.mean()), gradient


for _framework in get_args(Framework):
    register(
        Config(framework=_framework),
        __name__ + ":Memory",
        __name__ + ":Parameter",
        __name__ + ":Trainer",
        __name__ + ":Worker",
    )
