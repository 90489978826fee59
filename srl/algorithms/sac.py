"""Soft actor-critic (SAC) with continuous actions, twin critics and a temperature that adapts itself.

Haarnoja, T., Zhou, A., Abbeel, P., and Levine, S. (2018). Soft Actor-Critic: Off-Policy Maximum Entropy Deep
Reinforcement Learning with a Stochastic Actor. arXiv:1801.01290.
Haarnoja, T., et al. (2018). Soft Actor-Critic Algorithms and Applications. arXiv:1812.05905, whose equations are:

    J(Q_i)   = mean((Q_i(s, a) - y)^2) / 2,
    y        = r + gamma (min_i Q'_i(s', a') - alpha log pi(a'|s')),    a' ~ pi(.|s')     (5)
    J(pi)    = mean(alpha log pi(a|s) - min_i Q_i(s, a)),               a = f(noise; s)   (9)
    J(alpha) = mean(-log alpha (log pi(a|s) + target_entropy))                            (18, of log alpha)
    Q'_i    <- tau Q_i + (1 - tau) Q'_i

where the term with gamma is 0 if s' ends the episode, but not if a limit cut it off. The policy is a Gaussian squashed
by tanh into -1 to 1, which are scaled to the bounds of the environment's actions.

The gradients of these losses with respect to what the networks put out are written down below; the networks do the
rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from srl.base.rl.algorithms.base_continuous import RLConfig, RLWorker
from srl.base.rl.parameter import RLParameter
from srl.base.rl.rate_limit import RateLimit
from srl.base.rl.registration import register
from srl.base.rl.trainer import RLTrainer
from srl.rl.action_scaling import ActionScaling, is_bounded
from srl.rl.memories.priority_replay_buffer import PriorityReplayBufferConfig, RLPriorityReplayBuffer
from srl.rl.networks.frameworks import Framework, check_framework, make_optimizer, picture_shape, trainable
from srl.rl.networks.mlp import MLP, Activation, MLPShape
from srl.rl.schedulers.lr_scheduler import LRSchedulerConfig
from srl.utils.seed import shared_generator
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from srl.base.context import RunContext
    from srl.base.env.env_run import EnvRun
    from srl.base.rl.worker_run import WorkerRun

Array: TypeAlias = NDArray[Any]

_LOG_STD_MIN, _LOG_STD_MAX = -20.0, 2.0


@dataclass
class Config(RLConfig):
    """Hyperparameters."""

    framework: Framework = "numpy"
    """What trains the networks: "numpy", or "torch" for large networks."""
    hidden_sizes: list[int] = field(default_factory=lambda: [256, 256])
    """Units of each hidden layer, of the policy's network and the critics' alike."""
    activation: Activation = "relu"

    memory: PriorityReplayBufferConfig = field(default_factory=PriorityReplayBufferConfig)
    """How many steps are kept, after how many training begins, and which are preferred."""
    batch_size: int = 256
    """Steps of one update."""

    gamma: float = 0.99
    """Discount: what a reward one step later is worth."""
    tau: float = 0.005
    """How far the target critics move towards the critics at each update."""
    lr: float = 3e-4
    """Learning rate of Adam, for policy, critics and temperature..."""
    lr_scheduler: LRSchedulerConfig = field(default_factory=LRSchedulerConfig)
    """...and how it changes with the number of updates."""
    initial_temperature: float = 1.0
    """alpha at the start: what entropy is worth, against reward."""
    learn_temperature: bool = True
    """Adapt the temperature, so that the entropy of the policy goes to `target_entropy`."""
    target_entropy: float | None = None
    """Of actions in units in which their bounds are -1 and 1; None: minus the number of their elements."""

    def get_name(self) -> str:
        return "SAC"

    def get_framework(self) -> str:
        return "torch" if self.framework == "torch" else ""

    def get_rate_limit(self) -> RateLimit:
        """Return one update a step, as in the paper."""
        return RateLimit(
            samples_per_insert=self.batch_size,
            batch_items=self.batch_size,
            minimum_items=self.memory.warmup_size,
        )

    def validate_params(self) -> None:
        super().validate_params()
        check_framework(self.framework, "sac.Config.framework")
        self._check("hidden_sizes", min(self.hidden_sizes, default=1) >= 1, "a list of numbers of 1 or more")
        self._check("gamma", 0 <= self.gamma <= 1, "between 0 and 1")
        self._check("tau", 0 < self.tau <= 1, "above 0 and at most 1")
        for name in ("lr", "initial_temperature"):
            self._check(name, getattr(self, name) > 0, "above 0")

    def setup_from_env(self, env: EnvRun) -> None:
        if not is_bounded(self.action_space).all():
            raise UsageError(
                f"SAC needs actions with finite bounds, and those of '{env.name}' are {self.action_space}: "
                "give override_action_space of EnvConfig a space that has them"
            )
        if picture_shape(self.observation_space) is not None:
            raise UsageError(
                f"SAC does not learn from pictures, and the states of '{env.name}' are {self.observation_space}: "
                "set override_env_observation_type to SpaceTypes.FEATURE_MAP to take their numbers as they are"
            )

    def _check(self, name: str, holds: bool, wanted: str) -> None:
        if not holds:
            raise ValueError(f"sac.Config.{name} is {getattr(self, name)}; it must be {wanted}")


class Memory(RLPriorityReplayBuffer[Config]):
    """Steps: dicts of state, action (before scaling), reward, next_state and terminated."""


class Parameter(RLParameter[Config]):
    """The policy's network and the two critics'.

    The policy puts out means and logarithms of standard deviations, and, independent of the state, log alpha.
    """

    def setup(self) -> None:
        states, actions = math.prod(self.config.observation_space.shape), self.config.action_space.size
        self.policy = self._network(states, 2 * actions + 1, free_outputs=1)
        self.policy.parameters[-1] = math.log(self.config.initial_temperature)
        self.critics = [self._network(states + actions, 1) for _ in range(2)]
        self.is_trained = False
        """Whether there was an update. Before, the policy is no better than chance, and less varied."""

    def _network(self, inputs: int, outputs: int, free_outputs: int = 0) -> MLP:
        config = self.config
        shape = MLPShape(inputs, tuple(config.hidden_sizes), outputs, config.activation, free_outputs=free_outputs)
        return MLP(shape, dtype=config.get_dtype("np"))

    @property
    def temperature(self) -> float:
        """The present alpha."""
        return math.exp(self.policy.parameters[-1])

    def call_restore(self, data: dict[str, Any], **_kwargs: Any) -> None:
        self.policy.restore(data["policy"])
        self.is_trained = data["is_trained"]
        for critic, backup in zip(self.critics, data.get("critics", []), strict=False):
            critic.restore(backup)

    def call_backup(self, to_worker: bool = False, **_kwargs: Any) -> dict[str, Any]:
        policy = {"policy": self.policy.backup(), "is_trained": self.is_trained}
        return policy if to_worker else {**policy, "critics": [critic.backup() for critic in self.critics]}

    def summary(self, **_kwargs: Any) -> None:
        for name, network in (("policy", self.policy), ("each critic", self.critics[0])):
            print(f"{name}: {network}, {network.parameters.size} parameters")


class Trainer(RLTrainer[Config, Parameter, Memory]):
    """Makes one update of critics, policy, temperature and target critics from each batch."""

    def on_setup(self) -> None:
        config, device, critics = self.config, self.context.device, self.parameter.critics
        targets = [MLP(critic.shape, dtype=critic.parameters.dtype) for critic in critics]
        self._policy = trainable(self.parameter.policy, config.framework, device)
        self._critics = [trainable(critic, config.framework, device) for critic in critics]
        self._targets = [trainable(target, config.framework, device) for target in targets]
        for target, critic in zip(self._targets, self._critics, strict=True):
            target.blend(critic, 1)
        self._policy_optimizer = make_optimizer([self._policy], config.lr)
        self._critic_optimizer = make_optimizer(self._critics, config.lr)
        self._lr = config.lr_scheduler.create(config.lr)
        actions = config.action_space.size
        self._target_entropy = -actions if config.target_entropy is None else config.target_entropy
        self._rng = shared_generator()

    def train(self) -> None:
        sample = self.memory.sample()
        if sample is None:
            return
        batch, weights, update_args = sample
        steps = batch.columns
        lr = self._lr.update(self.train_count).to_float()
        self._policy_optimizer.lr = self._critic_optimizer.lr = lr
        errors = self._learn_critics(steps, weights)
        self._learn_policy(steps["state"])
        for target, critic in zip(self._targets, self._critics, strict=True):
            target.blend(critic, self.config.tau)
        self.train_count += 1
        self.parameter.is_trained = True
        if self.config.memory.requires_priority():
            self.memory.update(update_args, errors, self.train_count)

    def _learn_critics(self, steps: dict[str, Array], weights: Array) -> Array:
        """Make one step along the gradient of J(Q); return how far the critics are off (batch,)."""
        target = self._target(steps)
        inputs = np.concatenate([steps["state"], steps["action"]], axis=1)
        errors = [critic.forward(inputs)[:, 0] - target for critic in self._critics]
        for critic, error in zip(self._critics, errors, strict=True):
            critic.backward((weights * error / len(error))[:, np.newaxis])
        self._critic_optimizer.step()
        self.info["critic_loss"] = float(sum((weights * error * error).mean() / 2 for error in errors))
        return np.asarray(sum(np.abs(error) for error in errors) / 2)

    def _target(self, steps: dict[str, Array]) -> Array:
        """Return y (batch,)."""
        pi = self._policy_of(self._policy.predict(steps["next_state"]))
        inputs = np.concatenate([steps["next_state"], pi.action], axis=1)
        q = np.minimum(*(target.predict(inputs)[:, 0] for target in self._targets))
        soft_q = q - self.parameter.temperature * pi.log_prob()
        y = steps["reward"] + self.config.gamma * ~steps["terminated"] * soft_q
        return np.asarray(y, soft_q.dtype)

    def _learn_policy(self, states: Array) -> None:
        """Make one step along the gradients of J(pi) and J(alpha)."""
        alpha, batch_size = self.parameter.temperature, len(states)
        pi = self._policy_of(self._policy.forward(states))
        q, d_action = self._least_q(states, pi.action)
        log_prob = pi.log_prob()
        d_outputs = pi.gradient(-d_action / batch_size, alpha / batch_size)
        d_log_alpha = -(log_prob + self._target_entropy) / batch_size * self.config.learn_temperature
        self._policy.backward(np.concatenate([d_outputs, d_log_alpha[:, np.newaxis]], axis=1))
        self._policy_optimizer.step()
        self.info["policy_loss"] = float((alpha * log_prob - q).mean())
        self.info["q"] = float(q.mean())
        self.info["entropy"] = -float(log_prob.mean())
        self.info["temperature"] = alpha

    def _policy_of(self, outputs: Array) -> SquashedGaussian:
        """Return actions drawn from the policy whose network puts that out."""
        size = self.config.action_space.size
        noise = self._rng.standard_normal((len(outputs), size), outputs.dtype)
        return SquashedGaussian(outputs[:, : 2 * size], noise)

    def _least_q(self, states: Array, action: Array) -> tuple[Array, Array]:
        """Return the smaller value of the two critics (batch,), and its gradient with respect to the action."""
        inputs = np.concatenate([states, action], axis=1)
        first, second = (critic.forward(inputs) for critic in self._critics)
        is_first = (first <= second).astype(first.dtype)
        d_inputs = self._critics[0].input_gradient(is_first) + self._critics[1].input_gradient(1 - is_first)
        return np.minimum(first, second)[:, 0], d_inputs[:, states.shape[1] :]

    def call_backup(self, **_kwargs: Any) -> dict[str, Any]:
        return {
            "targets": [target.backup() for target in self._targets],
            "policy_optimizer": self._policy_optimizer.backup(),
            "critic_optimizer": self._critic_optimizer.backup(),
        }

    def call_restore(self, data: dict[str, Any], **_kwargs: Any) -> None:
        for target, backup in zip(self._targets, data["targets"], strict=True):
            target.restore(backup)
        self._policy_optimizer.restore(data["policy_optimizer"])
        self._critic_optimizer.restore(data["critic_optimizer"])


class Worker(RLWorker[Config, Parameter, Memory]):
    """Draws actions from the policy in training, evenly before the first update; otherwise takes tanh of the mean."""

    def on_setup(self, worker: WorkerRun, context: RunContext) -> None:
        self._dtype = self.config.get_dtype("np")
        self._scaling = ActionScaling(self.action_space)
        self._rng = shared_generator()

    def on_reset(self, worker: WorkerRun) -> None:
        self._state = self._flat(worker.state)

    def policy(self, worker: WorkerRun) -> Array:
        if self.training and not self.parameter.is_trained:
            self._action = self._rng.uniform(-1, 1, self.action_space.size).astype(self._dtype)
        else:
            self._action = self._policy_action()
        return self._scaling.to_space(self._action)

    def _policy_action(self) -> Array:
        size = self.action_space.size
        noise = self._rng.standard_normal(size, self._dtype) if self.training else 0.0
        return SquashedGaussian(self.parameter.policy.predict(self._state)[: 2 * size], noise).action

    def on_step(self, worker: WorkerRun) -> None:
        state, self._state = self._state, self._flat(worker.next_state)
        if self.training:
            self.memory.add(
                {
                    "state": state,
                    "action": self._action,
                    "reward": float(worker.reward),
                    "next_state": self._state,
                    "terminated": worker.terminated,
                }
            )

    def _flat(self, state: Array) -> Array:
        return np.array(state, self._dtype).reshape(-1)

    def render_terminal(self, worker: WorkerRun, **_kwargs: Any) -> None:
        state, size = self._flat(worker.state), self.action_space.size
        pi = SquashedGaussian(self.parameter.policy.predict(state)[: 2 * size], 0.0)
        q = min(float(critic.predict(np.concatenate([state, pi.action]))[0]) for critic in self.parameter.critics)
        print(f"action: {self._scaling.to_space(pi.action)} (before tanh {pi.mean} +- {pi.std}), q: {q:.5f}")


class SquashedGaussian:
    """Actions a = tanh(u) of u = mu + sigma noise, where noise ~ N(0, 1): 1801.01290, appendix C.

    Args:
        outputs: mu and log sigma (..., 2 n), of which the latter is kept within -20 and 2.
        noise: (..., n); 0 gives tanh(mu).
    """

    def __init__(self, outputs: Array, noise: Array | float) -> None:
        size = outputs.shape[-1] // 2
        self.mean, self._unbounded = outputs[..., :size], outputs[..., size:]
        self._log_std = np.minimum(np.maximum(self._unbounded, _LOG_STD_MIN), _LOG_STD_MAX)
        self.std = np.exp(self._log_std)
        self._noise = noise
        self._u = self.mean + self.std * noise
        self.action: Array = np.tanh(self._u)

    def log_prob(self) -> Array:
        """Return log pi(a) (...) = log N(u) - sum log(1 - tanh(u)^2): equation 21.

        log(1 - tanh(u)^2) = 2 (log 2 - u - log(1 + exp(-2 u))), which is exact for large u too.
        """
        log_normal = -0.5 * (self._noise * self._noise + math.log(2 * math.pi)) - self._log_std
        log_change = 2 * (math.log(2) - self._u - np.logaddexp(0, -2 * self._u))
        return np.asarray((log_normal - log_change).sum(axis=-1))

    def gradient(self, d_action: Array, d_log_prob: float) -> Array:
        """Return the gradient (batch, 2 n) of a loss with respect to the outputs, the noise being what it is.

            d a / d u = 1 - a^2,    d log pi / d u = 2 a,    d u / d log sigma = sigma noise,
            d log pi / d log sigma = -1 + 2 a sigma noise

        Args:
            d_action: the loss's gradient with respect to the actions (batch, n).
            d_log_prob: the same for log pi of each action.
        """
        d_u = d_action * (1 - self.action * self.action) + d_log_prob * 2 * self.action
        d_log_std = (d_u * self.std * self._noise - d_log_prob) * (self._log_std == self._unbounded)
        return np.concatenate([d_u, d_log_std], axis=-1)


for _framework in get_args(Framework):
    register(
        Config(framework=_framework),
        __name__ + ":Memory",
        __name__ + ":Parameter",
        __name__ + ":Trainer",
        __name__ + ":Worker",
    )
