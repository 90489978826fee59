"""SAC: its gradients, its targets, what it keeps, and that it learns."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import steering_env  # noqa: F401  registers environments
from hypothesis import given, settings
from hypothesis import strategies as st

import srl
from srl.algorithms import sac
from srl.rl.memories.priority_replay_buffer import PriorityReplayBufferConfig
from srl.test.rl import test_rl as check_rl
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from srl.rl.networks.frameworks import Framework

SIZE = 2


def small(**config: Any) -> sac.Config:
    memory = PriorityReplayBufferConfig(capacity=1000, warmup_size=32)
    return sac.Config(**{"hidden_sizes": [16, 16], "batch_size": 32, "memory": memory, "gamma": 0.9, **config})


def a_runner(env: str = "Steering", seed: int = 1, **config: Any) -> srl.Runner:
    runner = srl.Runner(env, small(**config))
    runner.set_seed(seed)
    return runner


# --- the policy


def test_the_density_is_that_of_tanh_of_a_normal_variable() -> None:
    """Over all actions it adds up to 1."""
    u = np.linspace(-12, 12, 200_001)[:, np.newaxis]
    pi = sac.SquashedGaussian(np.tile([0.3, -0.2], (len(u), 1)), (u - 0.3) / math.exp(-0.2))
    density, action = np.exp(pi.log_prob()), pi.action[:, 0]
    assert float((density[1:] * np.diff(action)).sum()) == pytest.approx(1, abs=1e-3)


def test_the_density_of_an_action_at_the_border_is_finite() -> None:
    pi = sac.SquashedGaussian(np.array([[50.0, 0.0]], np.float32), np.array([[1.0]], np.float32))
    assert pi.action[0, 0] == 1
    assert pi.log_prob()[0] == pytest.approx(-0.5 - 0.5 * math.log(2 * math.pi) + 2 * (51 - math.log(2)), rel=1e-5)


def a_loss(outputs: Any, noise: Any, weights: Any, alpha: float) -> float:
    """Return a loss of the same form as the policy's: of actions and of log pi."""
    pi = sac.SquashedGaussian(outputs, noise)
    return float((alpha * pi.log_prob() - np.sin(pi.action * weights).sum(axis=1)).mean())


def its_gradient(outputs: Any, noise: Any, weights: Any, alpha: float) -> Any:
    pi = sac.SquashedGaussian(outputs, noise)
    d_action = -weights * np.cos(pi.action * weights) / len(outputs)
    return pi.gradient(d_action, alpha / len(outputs))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 1))
def test_the_policys_gradient_is_that_of_its_loss(seed: int, alpha: float) -> None:
    rng = np.random.default_rng(seed)
    outputs, noise, weights = rng.normal(size=(5, 2 * SIZE)), rng.normal(size=(5, SIZE)), rng.normal(size=(5, SIZE))
    outputs[0, SIZE] = 2.5  # beyond the bound: no gradient
    gradient = its_gradient(outputs, noise, weights, alpha)
    assert gradient[0, SIZE] == 0
    for index in np.ndindex(outputs.shape):
        shift = np.zeros_like(outputs)
        shift[index] = 1e-6
        above, below = (a_loss(x, noise, weights, alpha) for x in (outputs + shift, outputs - shift))
        assert gradient[index] == pytest.approx((above - below) / 2e-6, abs=1e-5)


def test_the_policys_gradient_is_autograds() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    outputs, noise, weights = rng.normal(size=(64, 2 * SIZE)), rng.normal(size=(64, SIZE)), rng.normal(size=(64, SIZE))
    outputs[:9, SIZE:] = 2.5
    x = torch.tensor(outputs, requires_grad=True)
    mean, log_std = x.chunk(2, dim=1)
    normal = torch.distributions.Normal(mean, log_std.clamp(-20, 2).exp())
    pi = torch.distributions.TransformedDistribution(normal, torch.distributions.transforms.TanhTransform(cache_size=1))
    action = torch.tanh(mean + log_std.clamp(-20, 2).exp() * torch.tensor(noise))
    u = mean + log_std.clamp(-20, 2).exp() * torch.tensor(noise)
    log_prob = (normal.log_prob(u) - pi.transforms[0].log_abs_det_jacobian(u, action)).sum(1)
    loss = (0.3 * log_prob - torch.sin(action * torch.tensor(weights)).sum(1)).mean()
    loss.backward()
    assert a_loss(outputs, noise, weights, 0.3) == pytest.approx(float(loss.detach()), abs=1e-5)
    assert its_gradient(outputs, noise, weights, 0.3) == pytest.approx(x.grad.numpy(), abs=1e-5)


# --- one update


def filled(**config: Any) -> srl.Runner:
    """Return a runner that has played, and whose trainer is set up."""
    runner = a_runner(**config)
    runner.rollout(max_steps=64, enable_progress=False)
    runner.trainer.setup(runner.context)
    return runner


def test_the_target_is_the_equation() -> None:
    trainer: Any = filled().trainer
    state = np.array([[0.5], [0.5]], np.float32)
    steps = {"reward": np.array([1.0, 2.0]), "next_state": state, "terminated": np.array([False, True])}
    trainer._rng = np.random.default_rng(7)
    target = trainer._target(steps)
    noise = np.random.default_rng(7).standard_normal((2, 1), np.float32)
    pi = sac.SquashedGaussian(trainer.parameter.policy.predict(state)[:, :2], noise)
    q = [net.predict(np.concatenate([state, pi.action], axis=1))[0, 0] for net in trainer._targets]
    assert target == pytest.approx([1 + 0.9 * (min(q) - 1.0 * pi.log_prob()[0]), 2.0], abs=1e-5)


def test_the_smaller_critic_gives_the_gradient_of_the_action() -> None:
    trainer: Any = filled(dtype="float64").trainer
    rng = np.random.default_rng(1)
    states, action = rng.normal(size=(40, 1)), rng.normal(size=(40, 1))
    q, gradient = trainer._least_q(states, action)
    above, below = (trainer._least_q(states, action + shift)[0] for shift in (1e-6, -1e-6))
    first, second = (net.predict(np.concatenate([states, action], axis=1))[:, 0] for net in trainer._critics)
    assert 0 < int((first < second).sum()) < 40
    assert q == pytest.approx(np.minimum(first, second))
    assert gradient[:, 0] == pytest.approx((above - below) / 2e-6, abs=1e-5)


def test_an_update_brings_critics_nearer_to_the_target() -> None:
    trainer: Any = filled(lr=1e-3).trainer
    steps = trainer.memory.sample()[0].columns
    trainer._target = lambda _steps: np.full(32, 0.5, np.float32)
    errors = [trainer._learn_critics(steps, np.ones(32, np.float32)) for _ in range(300)]
    assert errors[0].shape == (32,)
    assert errors[-1].mean() < 0.1 * errors[0].mean()


def test_weights_of_zero_leave_the_critics_as_they_are() -> None:
    trainer: Any = filled().trainer
    before = trainer.parameter.backup()["critics"]
    trainer._learn_critics(trainer.memory.sample()[0].columns, np.zeros(32, np.float32))
    assert all(map(np.array_equal, trainer.parameter.backup()["critics"], before))


@pytest.mark.parametrize(("target_entropy", "direction"), [(5.0, 1), (-5.0, -1)])
def test_the_temperature_rises_when_there_is_too_little_entropy(target_entropy: float, direction: int) -> None:
    runner = filled(target_entropy=target_entropy, initial_temperature=0.5)
    assert runner.parameter.temperature == pytest.approx(0.5)
    runner.trainer.train()
    assert (runner.parameter.temperature - 0.5) * direction > 0


def test_the_temperature_may_stay() -> None:
    runner = filled(learn_temperature=False, initial_temperature=0.5)
    runner.trainer.train()
    assert runner.parameter.temperature == pytest.approx(0.5)


def test_target_critics_follow_slowly() -> None:
    trainer: Any = filled(tau=0.25, lr=0.1).trainer
    before = [target.backup() for target in trainer._targets]
    assert np.array_equal(before[0], trainer.parameter.backup()["critics"][0])
    trainer.train()
    for target, old, critic in zip(trainer._targets, before, trainer._critics, strict=True):
        assert target.backup() == pytest.approx(0.75 * old + 0.25 * critic.backup(), abs=1e-5)


# --- the worker


def test_steps_hold_what_happened() -> None:
    runner = a_runner(reward_scale=2.0)
    runner.rollout(max_steps=32, enable_progress=False)
    steps = runner.memory.sample()[0]
    for step in steps:
        assert not step["terminated"]
        assert -1 <= step["action"][0] <= 1
        moved = np.clip(step["state"][0] + step["action"][0], -1, 1)  # the scaling of Steering undoes its own
        assert step["next_state"][0] == pytest.approx(moved, abs=1e-5)
        assert step["reward"] == pytest.approx(-2 * abs(moved), abs=1e-5)


def actions_of(runner: srl.Runner, steps: int) -> Any:
    """Return the actions (before scaling) of a rollout."""
    runner.memory.clear()
    runner.rollout(max_steps=steps, enable_progress=False)
    return runner.memory.sample(batch_size=32)[0].columns["action"]


def test_actions_are_drawn_evenly_until_the_first_update() -> None:
    runner = a_runner()
    runner.parameter.policy.parameters[:] = 0
    runner.parameter.policy.parameters[-3] = 9  # the bias of the mean: tanh is 1
    assert actions_of(runner, 200).min() < -0.5
    other = a_runner()
    other.parameter.restore({**runner.parameter.backup(), "is_trained": True})
    assert actions_of(other, 200).min() > 0.9
    runner.train_only(max_train_count=1, enable_progress=False)
    assert runner.parameter.is_trained
    assert runner.parameter.backup(to_worker=True)["is_trained"]


def test_it_does_not_explore_outside_of_training() -> None:
    first, second = a_runner(), a_runner()
    second.parameter.restore(first.parameter.backup())
    rewards = first.evaluate(max_episodes=3, enable_progress=False)
    second.worker.worker._rng = np.random.default_rng(9)
    assert second.evaluate(max_episodes=3, enable_progress=False) == rewards
    assert first.memory.length() == 0


# --- runs


@pytest.mark.parametrize("mode", ["", "rollout"])
@pytest.mark.parametrize("env", ["Steering", "Grid"])
def test_it_passes_the_conformance_kit(env: str, mode: Any) -> None:
    check_rl(small(), [env], test_mode=mode, test_render_window=env == "Steering")


def test_it_passes_the_conformance_kit_with_torch() -> None:
    pytest.importorskip("torch")
    check_rl(small(framework="torch"), ["Steering"], test_render_window=False)


def trained(framework: Framework = "numpy", **config: Any) -> dict[str, Any]:
    runner = a_runner(framework=framework, **config)
    runner.train(max_steps=81, enable_progress=False)
    assert runner.trainer.train_count == 50
    backup = runner.parameter.backup()
    return {"policy": backup["policy"], "first": backup["critics"][0], "second": backup["critics"][1]}


def test_a_seed_settles_everything() -> None:
    first, second = trained(), trained()
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_torch_learns_the_same() -> None:
    pytest.importorskip("torch")
    by_numpy, by_torch = trained(), trained("torch")
    for name, parameters in by_numpy.items():
        assert by_torch[name] == pytest.approx(parameters, abs=1e-4)


def test_priorities_are_updated() -> None:
    config = small()
    config.memory.set_proportional()
    runner = srl.Runner("Steering", config)
    runner.set_seed(1)
    runner.train(max_steps=81, enable_progress=False)
    _, weights, _ = runner.memory.sample()
    assert len(set(weights.tolist())) > 5


def test_the_learning_rate_follows_its_schedule() -> None:
    config = small(lr=0.1)
    config.lr_scheduler.set_piecewise([1], [0.0, 0.1])
    runner = srl.Runner("Steering", config)
    before = runner.parameter.backup()["policy"]
    runner.train(max_train_count=1, enable_progress=False)
    assert np.array_equal(runner.parameter.backup()["policy"], before)
    runner.train(max_train_count=1, enable_progress=False)
    assert not np.array_equal(runner.parameter.backup()["policy"], before)


def test_it_learns() -> None:
    runner = a_runner(hidden_sizes=[32, 32], lr=1e-3)
    before = np.mean(runner.evaluate(max_episodes=50, enable_progress=False))
    runner.train(max_steps=1500, enable_progress=False)
    after = np.mean(runner.evaluate(max_episodes=50, enable_progress=False))
    assert before < -2
    assert after > -0.8


# --- state


def test_a_trainer_goes_on_where_another_one_ended() -> None:
    runner, other = a_runner(), a_runner(seed=2)
    runner.train(max_steps=81, enable_progress=False)
    other.parameter.restore(runner.parameter.backup())
    other.trainer.restore(runner.trainer.backup())
    other.memory.restore(runner.memory.backup())
    for each in (runner, other):
        each.set_seed(5)
        each.memory._rng = np.random.default_rng(5)
        each.train_only(max_train_count=3, enable_progress=False)
    mine, its = (each.parameter.backup() for each in (runner, other))
    assert np.array_equal(mine["policy"], its["policy"])
    assert all(map(np.array_equal, mine["critics"], its["critics"]))


def test_actors_get_the_policy_alone() -> None:
    runner, other = a_runner(), a_runner(seed=2)
    backup = runner.parameter.backup(to_worker=True)
    assert set(backup) == {"policy", "is_trained"}
    critics = other.parameter.backup()["critics"]
    other.parameter.restore(backup)
    assert np.array_equal(other.parameter.policy.backup(), runner.parameter.policy.backup())
    assert all(map(np.array_equal, other.parameter.backup()["critics"], critics))


def test_it_shows_what_it_thinks(capsys: pytest.CaptureFixture[str]) -> None:
    a_runner().render_terminal(max_steps=1)
    assert "before tanh" in (text := capsys.readouterr().out)
    assert "q: " in text


def test_its_summary_names_the_networks(capsys: pytest.CaptureFixture[str]) -> None:
    a_runner(hidden_sizes=[8]).model_summary()
    assert capsys.readouterr().out == (
        "policy: MLP 1-8-2, relu, 35 parameters\neach critic: MLP 2-8-1, relu, 33 parameters\n"
    )


# --- errors


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("hidden_sizes", [8, 0], "a list of numbers of 1 or more"),
        ("gamma", 1.1, "between 0 and 1"),
        ("tau", 0, "above 0 and at most 1"),
        ("lr", 0, "above 0"),
        ("initial_temperature", 0, "above 0"),
    ],
)
def test_hyperparameters_that_cannot_be_are_named(name: str, value: Any, wanted: str) -> None:
    with pytest.raises(ValueError, match=rf"sac.Config.{name} is {re.escape(str(value))}; it must be {wanted}"):
        a_runner(**{name: value})


def test_a_batch_that_the_memory_cannot_give_is_named() -> None:
    with pytest.raises(ValueError, match=r"Config.batch_size is 64; it must be between 1 and memory.warmup_size"):
        a_runner(batch_size=64).make_memory()


def test_actions_without_bounds_name_the_setting() -> None:
    with pytest.raises(UsageError, match=r"SAC needs actions with finite bounds.*override_action_space"):
        a_runner("SteeringUnbounded")


def test_pictures_are_refused() -> None:
    with pytest.raises(UsageError, match=r"SAC does not learn from pictures.*override_env_observation_type"):
        a_runner(observation_mode="render_image")


def test_an_unknown_framework_is_named() -> None:
    framework: Any = "jax"
    with pytest.raises(UsageError, match=r"sac\.Config\.framework is 'jax'"):
        a_runner(framework=framework)
