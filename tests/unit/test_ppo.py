"""PPO: its advantages, its gradients, what it puts into rollouts, and that it learns."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import counting_env  # noqa: F401  registers environments
import numpy as np
import pytest
import steering_env  # noqa: F401  registers environments
from hypothesis import given, settings
from hypothesis import strategies as st

import srl
from srl.algorithms import ppo
from srl.rl.processors.image_processor import ImageProcessor
from srl.rl.schedulers.scheduler import SchedulerConfig
from srl.test.rl import test_rl as check_rl
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from srl.rl.networks.frameworks import Framework

SMALL: dict[str, Any] = {"hidden_sizes": [8], "rollout_size": 32, "horizon": 8, "batch_size": 16, "epochs": 2}


def a_runner(env: str = "Grid", seed: int = 1, **config: Any) -> srl.Runner:
    runner = srl.Runner(env, ppo.Config(**{**SMALL, **config}))
    runner.set_seed(seed)
    return runner


# --- advantages


def steps(reward: list[float], terminated: list[int], done: list[int]) -> dict[str, Any]:
    return {
        "reward": np.array([reward]),
        "terminated": np.array([terminated], np.bool_),
        "done": np.array([done], np.bool_),
    }


def test_advantages_by_hand() -> None:
    # gamma 0.5, lambda 0.5: delta = 1 + 0.5 * 20 - 10 = 1, 2 + 0.5 * 30 - 20 = -3, 4 + 0.5 * 40 - 30 = -6
    rewards = steps([1, 2, 4], [0, 0, 0], [0, 0, 0])
    value, next_value = np.array([[10.0, 20, 30]]), np.array([[20.0, 30, 40]])
    result = ppo.advantages(rewards, value, next_value, 0.5, 0.5)
    assert result.tolist() == [[1 + 0.25 * (-3 + 0.25 * -6), -3 + 0.25 * -6, -6]]


def test_a_terminated_episode_has_no_future_and_a_truncated_one_has_the_value_of_its_last_state() -> None:
    value, next_value = np.array([[10.0, 20, 30]]), np.array([[100.0, 100, 100]])
    terminated = ppo.advantages(steps([1, 2, 4], [0, 1, 0], [0, 1, 0]), value, next_value, 0.5, 1.0)
    assert terminated.tolist() == [[41 + 0.5 * -18, 2 - 20, 24]]
    truncated = ppo.advantages(steps([1, 2, 4], [0, 0, 0], [0, 1, 0]), value, next_value, 0.5, 1.0)
    assert truncated.tolist() == [[41 + 0.5 * 32, 2 + 50 - 20, 24]]


@given(st.integers(0, 1000), st.floats(0, 1), st.integers(1, 3), st.integers(1, 6))
def test_lambda_1_gives_discounted_returns(seed: int, gamma: float, segments: int, horizon: int) -> None:
    rng = np.random.default_rng(seed)
    reward, value, next_value = rng.normal(size=(3, segments, horizon))
    next_value[:, :-1] = value[:, 1:]
    none = np.zeros((segments, horizon), np.bool_)
    rewards = {"reward": reward, "terminated": none, "done": none}
    returns = next_value[:, -1]
    for t in range(horizon - 1, -1, -1):
        returns = reward[:, t] + gamma * returns
    advantage = ppo.advantages(rewards, value, next_value, gamma, 1.0)
    assert advantage[:, 0] + value[:, 0] == pytest.approx(returns)


def test_normalized() -> None:
    result = ppo.normalized(np.array([1.0, 2, 6]))
    assert (result.mean(), result.std()) == (pytest.approx(0), pytest.approx(1))
    assert ppo.normalized(np.array([3.0])).tolist() == [0]


# --- gradients


def a_loss(
    kind: type[Any], outputs: Any, batch: dict[str, Any], clip_range: float, entropy_coef: float
) -> tuple[float, Any]:
    """Return the policy's part of L, and its gradient with respect to the outputs."""
    pi = kind(outputs, batch["invalid"])
    ratio = ppo.probability_ratio(pi.log_prob(batch["action"]), batch["log_prob"])
    loss, d_log_prob = ppo.clipped_surrogate(ratio, batch["advantage"], clip_range)
    loss -= entropy_coef * float(pi.entropy().mean())
    return loss, pi.gradient(batch["action"], d_log_prob, -entropy_coef / len(outputs))


def a_batch(kind: type[Any], rng: np.random.Generator, size: int = 12, actions: int = 3) -> tuple[Any, dict[str, Any]]:
    """Return outputs and a batch whose ratios are on both sides of the clip range."""
    invalid = None
    if kind is ppo.Categorical:
        outputs = rng.normal(size=(size, actions))
        invalid = rng.random((size, actions)) < 0.3
        invalid[np.arange(size), rng.integers(actions, size=size)] = False
    else:
        outputs = rng.normal(size=(size, 2 * actions)) / 2
    old = kind(outputs + 0.3 * rng.normal(size=outputs.shape), invalid)
    action = old.sample(rng)
    return outputs, {
        "invalid": invalid,
        "action": action,
        "log_prob": old.log_prob(action),
        "advantage": rng.normal(size=size),
    }


KINDS = pytest.mark.parametrize("kind", [ppo.Categorical, ppo.DiagonalGaussian])


@KINDS
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), entropy_coef=st.sampled_from([0.0, 0.3]))
def test_the_policys_gradient_is_that_of_its_loss(kind: type[Any], seed: int, entropy_coef: float) -> None:
    outputs, batch = a_batch(kind, np.random.default_rng(seed))
    _, gradient = a_loss(kind, outputs, batch, 0.2, entropy_coef)
    assert gradient == pytest.approx(
        differences(lambda x: a_loss(kind, x, batch, 0.2, entropy_coef)[0], outputs), abs=1e-5
    )


def differences(loss: Any, x: Any, step: float = 1e-6) -> Any:
    """Return the gradient of a loss by central differences."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        shift = np.zeros_like(x)
        shift[index] = step
        gradient[index] = (loss(x + shift) - loss(x - shift)) / (2 * step)
    return gradient


@KINDS
def test_the_policys_gradient_is_autograds(kind: type[Any]) -> None:
    torch = pytest.importorskip("torch")
    outputs, batch = a_batch(kind, np.random.default_rng(1), size=64)
    x = torch.tensor(outputs, requires_grad=True)
    if kind is ppo.Categorical:
        pi = torch.distributions.Categorical(logits=x.masked_fill(torch.tensor(batch["invalid"]), -1e8))
    else:
        mean, log_std = x.chunk(2, dim=1)
        pi = torch.distributions.Independent(torch.distributions.Normal(mean, log_std.exp()), 1)
    log_prob = pi.log_prob(torch.tensor(batch["action"]))
    ratio, advantage = (log_prob - torch.tensor(batch["log_prob"])).exp(), torch.tensor(batch["advantage"])
    clipped = ratio.clamp(0.8, 1.2)
    torch_loss = -torch.min(ratio * advantage, clipped * advantage).mean() - 0.1 * pi.entropy().mean()
    torch_loss.backward()
    loss, gradient = a_loss(kind, outputs, batch, 0.2, 0.1)
    assert 0 < int((ratio != clipped).sum()) < 64
    assert loss == pytest.approx(float(torch_loss.detach()), abs=1e-5)
    assert gradient == pytest.approx(x.grad.numpy(), abs=1e-5)


@pytest.mark.parametrize("clip_range", [0.0, 0.1])
def test_the_values_gradient_is_autograds(clip_range: float) -> None:
    torch = pytest.importorskip("torch")
    value, target, old = np.random.default_rng(1).normal(size=(3, 50))
    v, r, o = torch.tensor(value, requires_grad=True), torch.tensor(target), torch.tensor(old)
    squares = (v - r) ** 2
    if clip_range:
        squares = torch.max(squares, (o + (v - o).clamp(-clip_range, clip_range) - r) ** 2)
    squares.mean().backward()
    loss, gradient = ppo.value_loss(value, target, old, clip_range)
    assert loss == pytest.approx(float(squares.mean().detach()))
    assert gradient == pytest.approx(v.grad.numpy())


def test_the_clip_range_holds_back_only_what_goes_further() -> None:
    ratio, advantage = np.array([1.0, 1.3, 1.3, 0.7, 0.7]), np.array([2.0, 2, -2, 2, -2])
    loss, gradient = ppo.clipped_surrogate(ratio, advantage, 0.2)
    assert loss == pytest.approx(-(2 + 2.4 - 2.6 + 1.4 - 1.6) / 5)
    assert gradient == pytest.approx(np.array([-2, 0, 2.6, -1.4, 0]) / 5)


def test_a_policy_that_is_far_from_the_one_that_acted_gives_finite_gradients() -> None:
    pi = ppo.DiagonalGaussian(np.array([[0.0, -3.0]], np.float32))
    action = np.array([[0.1]], np.float32)
    ratio = ppo.probability_ratio(pi.log_prob(action), np.array([-200.0], np.float32))
    _, d_log_prob = ppo.clipped_surrogate(ratio, np.array([-1.0], np.float32), 0.2)
    assert np.isfinite(pi.gradient(action, d_log_prob, 0.0)).all()


# --- distributions


def test_an_invalid_action_is_never_drawn() -> None:
    pi = ppo.Categorical(np.array([9.0, 1.0, 0.0], np.float32), np.array([True, False, False]))
    rng = np.random.default_rng(1)
    assert pi.probabilities[0] == 0
    assert {int(pi.sample(rng)) for _ in range(200)} == {1, 2}
    assert pi.mode() == 1
    assert np.isfinite(pi.entropy())


def test_actions_are_drawn_as_often_as_they_are_probable() -> None:
    logits = np.log(np.array([0.7, 0.2, 0.1]))
    pi = ppo.Categorical(np.tile(logits, (20_000, 1)))
    drawn = np.bincount(pi.sample(np.random.default_rng(1))) / 20_000
    assert drawn == pytest.approx([0.7, 0.2, 0.1], abs=0.02)
    assert pi.log_prob(np.array([1] * 20_000))[0] == pytest.approx(math.log(0.2))


def test_gaussian_actions_have_their_mean_and_deviation() -> None:
    pi = ppo.DiagonalGaussian(np.tile([1.0, -2.0, 0.0, math.log(3)], (20_000, 1)))
    drawn = pi.sample(np.random.default_rng(1))
    assert drawn.mean(axis=0) == pytest.approx([1, -2], abs=0.1)
    assert drawn.std(axis=0) == pytest.approx([1, 3], abs=0.1)


# --- memory


def a_memory() -> tuple[ppo.Memory, ppo.Config]:
    config = ppo.Config(rollout_size=4, horizon=2)
    return ppo.Memory(config), config


def a_segment(number: int) -> dict[str, Any]:
    return {"reward": np.full(2, number)}


def test_a_rollout_is_taken_out_when_it_is_whole_oldest_first() -> None:
    memory, _ = a_memory()
    assert memory.sample() is None
    for number in range(3):
        memory.add(a_segment(number))
    rollout = memory.sample()
    assert rollout is not None
    assert rollout["reward"].tolist() == [[0, 0], [1, 1]]
    assert memory.sample() is None
    assert memory.length() == 1


def test_at_most_two_rollouts_wait_and_the_oldest_go() -> None:
    memory, config = a_memory()
    for number in range(6):
        memory.add(a_segment(number))
    other = ppo.Memory(config)
    other.restore(memory.backup())
    for each in (memory, other):
        assert [segment["reward"][0] for segment in each.segments] == [2, 3, 4, 5]
        assert each.segments.maxlen == 4


# --- worker


def test_a_segment_holds_what_happened() -> None:
    runner = a_runner("Counting", horizon=6, rollout_size=48, reward_scale=0.5)
    runner.rollout(max_steps=6, enable_progress=False)  # an episode has 4 steps, a step t the reward t
    segment = runner.memory.segments[0]
    assert segment["state"].tolist() == [[0], [1], [2], [3], [0], [1]]
    assert segment["next_state"].tolist() == [[1], [2], [3], [4], [1], [2]]
    assert segment["reward"].tolist() == [0.5, 1, 1.5, 2, 0.5, 1]
    assert segment["terminated"].tolist() == segment["done"].tolist() == [False, False, False, True, False, False]
    assert segment["invalid"].argmax(axis=1).tolist() == [0, 1, 2, 0, 0, 1]
    pi = ppo.Categorical(runner.parameter.policy.predict(segment["state"]), segment["invalid"])
    assert segment["log_prob"] == pytest.approx(pi.log_prob(segment["action"]), abs=1e-5)
    assert not segment["invalid"][np.arange(6), segment["action"]].any()


def test_a_limit_truncates_an_episode() -> None:
    runner = a_runner("Steering")
    runner.rollout(max_steps=8, enable_progress=False)
    segment = runner.memory.segments[0]
    assert segment["done"].tolist() == [False] * 7 + [True]
    assert not segment["terminated"].any()
    assert segment["action"].shape == (8, 1)


def test_it_does_not_explore_outside_of_training() -> None:
    runner = a_runner("Steering", initial_std=5.0)
    runner.set_seed(3)
    assert runner.evaluate(max_episodes=3, enable_progress=False) == a_runner("Steering", 3).evaluate(
        max_episodes=3, enable_progress=False
    )
    assert runner.memory.length() == 0


# --- runs


@pytest.mark.parametrize("mode", ["", "rollout"])
@pytest.mark.parametrize("env", ["Grid", "OX", "Counting2", "Steering", "SteeringUnbounded"])
def test_it_passes_the_conformance_kit(env: str, mode: Any) -> None:
    check_rl(ppo.Config(**SMALL), [env], test_mode=mode, test_render_window=env == "Grid")


def test_it_passes_the_conformance_kit_with_torch() -> None:
    pytest.importorskip("torch")
    check_rl(ppo.Config(**SMALL, framework="torch"), ["Grid", "Steering"], test_render_window=False)


def of_pictures(framework: Framework) -> ppo.Config:
    """Return a configuration that sees films of 2 gray pictures of the environment."""
    config = ppo.Config(**SMALL, framework=framework, observation_mode="render_image", window_length=2)
    config.processors = [ImageProcessor(resize=(36, 36))]
    return config


def test_it_learns_from_pictures_which_travel_as_bytes() -> None:
    pytest.importorskip("torch")
    runner = srl.Runner("Grid", of_pictures("torch"))
    runner.rollout(max_steps=8, enable_progress=False)
    segment = runner.memory.segments[0]
    assert segment["state"].shape == (8, 36, 36, 2)
    assert segment["state"].dtype == np.uint8
    before = runner.parameter.backup()["policy"]
    runner.train(max_train_count=1, enable_progress=False)
    assert not np.array_equal(runner.parameter.backup()["policy"], before)


def test_pictures_need_pytorch() -> None:
    with pytest.raises(UsageError, match="framework"):
        srl.Runner("Grid", of_pictures("numpy")).make_parameter()


def trained(env: str, framework: Framework = "numpy", **config: Any) -> Any:
    runner = a_runner(env, framework=framework, **config)
    runner.train(max_steps=200, enable_progress=False)
    assert runner.trainer.train_count == 6 * 2 * 2  # rollouts, epochs, batches
    return runner.parameter.backup()


@pytest.mark.parametrize("env", ["Grid", "Steering"])
def test_a_seed_settles_everything(env: str) -> None:
    first, second = trained(env), trained(env)
    assert all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("env", ["Grid", "Steering"])
def test_torch_learns_the_same(env: str) -> None:
    pytest.importorskip("torch")
    options: dict[str, Any] = {"entropy_coef": 0.01, "value_clip_range": 0.5, "max_grad_norm": 0.3}
    by_numpy, by_torch = trained(env, **options), trained(env, "torch", **options)
    for name, parameters in by_numpy.items():
        assert by_torch[name] == pytest.approx(parameters, abs=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"normalize_advantage": False},
        {"max_grad_norm": 0.0},
        {"value_clip_range": 0.2},
        {"entropy_coef": 0.1},
        {"activation": "relu"},
        {"clip_scheduler": SchedulerConfig().set_linear(0.2, 0.01, 10)},
    ],
    ids=lambda options: next(iter(options)),
)
def test_each_option_makes_a_difference(options: dict[str, Any]) -> None:
    plain, other = trained("Steering", lr=0.05), trained("Steering", lr=0.05, **options)
    assert any(not np.array_equal(plain[name], other[name]) for name in plain)


def test_the_learning_rate_follows_its_schedule() -> None:
    config = ppo.Config(**SMALL, lr=0.1)
    config.lr_scheduler.set_piecewise([4], [0.0, 0.1])
    runner = srl.Runner("Grid", config)
    before = runner.parameter.backup()
    runner.train(max_train_count=1, enable_progress=False)
    assert runner.trainer.train_count == 4
    assert np.array_equal(runner.parameter.backup()["policy"], before["policy"])
    runner.train(max_train_count=1, enable_progress=False)
    assert not np.array_equal(runner.parameter.backup()["policy"], before["policy"])


def test_it_learns_discrete_actions() -> None:
    runner = a_runner("SampleEnv", rollout_size=256, horizon=64, batch_size=64, epochs=10, lr=0.01)
    runner.train(max_steps=3000, enable_progress=False)
    assert np.mean(runner.evaluate(max_episodes=10, enable_progress=False)) > 0.85


def test_it_learns_continuous_actions() -> None:
    runner = a_runner("Steering", rollout_size=256, horizon=64, batch_size=64, epochs=10, lr=0.01, gamma=0.9)
    before = np.mean(runner.evaluate(max_episodes=50, enable_progress=False))
    runner.train(max_steps=3000, enable_progress=False)
    after = np.mean(runner.evaluate(max_episodes=50, enable_progress=False))
    assert before < -2
    assert after > -0.8


def test_it_learns_cart_pole() -> None:
    pytest.importorskip("gymnasium")
    runner = srl.Runner("CartPole-v1", ppo.Config(rollout_size=256, horizon=64, batch_size=64, gamma=0.98, lr=2e-3))
    runner.set_seed(1)
    runner.train(max_steps=10_000, enable_progress=False)
    assert np.mean(runner.evaluate(max_episodes=10, enable_progress=False)) > 150


# --- state


def test_a_trainer_goes_on_where_another_one_ended() -> None:
    runner, other = a_runner(), a_runner(seed=2)
    runner.train(max_train_count=1, enable_progress=False)
    other.parameter.restore(runner.parameter.backup())
    other.trainer.restore(runner.trainer.backup())
    rollout = runner.rollout(max_steps=32, enable_progress=False) and runner.memory.backup()
    other.memory.restore([dict(segment) for segment in rollout])
    for each in (runner, other):
        each.set_seed(5)
        each.train_only(max_train_count=1, enable_progress=False)
    assert np.array_equal(runner.parameter.backup()["policy"], other.parameter.backup()["policy"])


def test_actors_get_the_policy_alone() -> None:
    runner, other = a_runner(), a_runner(seed=2)
    backup = runner.parameter.backup(to_worker=True)
    assert set(backup) == {"policy"}
    value = other.parameter.value.backup()
    other.parameter.restore(backup)
    assert np.array_equal(other.parameter.policy.backup(), runner.parameter.policy.backup())
    assert np.array_equal(other.parameter.value.backup(), value)


def test_it_shows_what_it_thinks(capsys: pytest.CaptureFixture[str]) -> None:
    a_runner("Grid").render_terminal(max_steps=1)
    assert "*" in (text := capsys.readouterr().out)
    assert "value: " in text
    a_runner("Steering").render_terminal(max_steps=1)
    assert "action: [" in capsys.readouterr().out


def test_its_summary_names_the_networks(capsys: pytest.CaptureFixture[str]) -> None:
    a_runner("Grid").model_summary()
    assert capsys.readouterr().out == "policy: MLP 2-8-4, tanh, 60 parameters\nvalue: MLP 2-8-1, tanh, 33 parameters\n"


# --- errors


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("hidden_sizes", [8, 0], "a list of numbers of 1 or more"),
        ("rollout_size", 0, "1 or more"),
        ("horizon", 0, "1 or more"),
        ("epochs", 0, "1 or more"),
        ("batch_size", 0, "1 or more"),
        ("gamma", 1.1, "between 0 and 1"),
        ("gae_lambda", -0.1, "between 0 and 1"),
        ("initial_std", 0, "above 0"),
        ("clip_range", 0, "above 0"),
        ("lr", 0, "above 0"),
        ("value_clip_range", -1, "0 or more"),
        ("value_coef", -1, "0 or more"),
        ("entropy_coef", -1, "0 or more"),
        ("max_grad_norm", -1, "0 or more"),
        ("horizon", 5, r"a divisor of rollout_size \(32\)"),
        ("batch_size", 5, r"a divisor of rollout_size \(32\)"),
    ],
)
def test_hyperparameters_that_cannot_be_are_named(name: str, value: Any, wanted: str) -> None:
    with pytest.raises(ValueError, match=rf"ppo.Config.{name} is {re.escape(str(value))}; it must be {wanted}"):
        a_runner(**{name: value})


def test_an_unknown_framework_is_named() -> None:
    framework: Any = "jax"
    with pytest.raises(UsageError, match=r"ppo\.Config\.framework is 'jax'"):
        a_runner(framework=framework)
