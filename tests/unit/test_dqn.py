from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import srl
from srl.algorithms import dqn
from srl.base.context import RunContext
from srl.base.define import SpaceTypes
from srl.rl.processors.image_processor import ImageProcessor
from srl.test.rl import test_rl as check_rl
from srl.utils.usage import UsageError


def config(**fields: Any) -> dqn.Config:
    """Return a configuration that trains after a few steps."""
    result = dqn.Config(**{"batch_size": 4, **fields})
    result.memory.warmup_size = 8
    return result


def prioritized(**fields: Any) -> dqn.Config:
    result = config(**fields)
    result.memory.set_proportional()
    return result


# --- its whole life

OPTIONS: dict[str, Any] = {
    "plain": lambda: config(double=False, hidden_sizes=[]),
    "double": config,
    "dueling": lambda: config(dueling=True, hidden_sizes=[8]),
    "n steps": lambda: config(n_step=3),
    "priorities": prioritized,
    "all": lambda: prioritized(dueling=True, n_step=3, hidden_sizes=[8, 8]),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_it_passes_the_kit(option: str) -> None:
    check_rl(OPTIONS[option](), test_render_window=option == "all")


@pytest.mark.parametrize("option", ["plain", "all"])
def test_it_passes_the_kit_with_a_filled_memory(option: str) -> None:
    check_rl(OPTIONS[option](), use_layer_processor=True, test_mode="rollout", test_render_window=False)


def test_it_passes_the_kit_with_processes() -> None:
    check_rl(OPTIONS["all"](), ["Grid"], test_mode="mp", test_render_window=False)


@pytest.mark.parametrize("mode", ["", "rollout", "mp"])
def test_it_passes_the_kit_with_pytorch(mode: Any) -> None:
    pytest.importorskip("torch")
    check_rl(prioritized(framework="torch", dueling=True), ["Grid"], test_mode=mode, test_render_window=False)


def of_pictures(framework: str = "torch") -> dqn.Config:
    """Return a configuration that sees films of 2 gray pictures of the environment."""
    result = prioritized(framework=framework, observation_mode="render_image", window_length=2, hidden_sizes=[8])
    result.processors = [ImageProcessor(SpaceTypes.GRAY_HW, (36, 36))]
    return result


@pytest.mark.parametrize("mode", ["", "rollout"])
def test_it_passes_the_kit_with_pictures(mode: Any) -> None:
    pytest.importorskip("torch")
    check_rl(of_pictures(), ["Grid"], test_mode=mode)


def test_pictures_are_remembered_as_bytes() -> None:
    pytest.importorskip("torch")
    runner = srl.Runner("Grid", of_pictures())
    runner.rollout(max_steps=10, enable_progress=False)
    state = runner.memory.sample()[0].columns["state"]
    assert (state.dtype, state.shape) == (np.uint8, (4, 36, 36, 2))


def test_pictures_need_pytorch() -> None:
    with pytest.raises(UsageError, match="framework 'numpy' has no network for them: set framework='torch'"):
        srl.Runner("Grid", of_pictures("numpy")).make_parameter()


# --- one update

STATE = np.array([[1, 3], [2, 3]])
NEXT = np.array([[2, 3], [3, 3]])
ROWS = np.arange(2)


def columns(**changes: Any) -> dict[str, Any]:
    """Return a batch of two transitions; the second one ends the episode."""
    return {
        "state": STATE,
        "action": np.array([2, 0]),
        "reward": np.array([0.5, -0.5]),
        "next_state": NEXT,
        "discount": np.array([0.9, 0.0]),
        "next_valid": np.ones((2, 4), np.bool_),
        **changes,
    }


def make_trainer(**fields: Any) -> Any:
    """Return a Trainer of Grid, whose target network is another one than its network."""
    runner = srl.Runner("Grid", config(**{"batch_size": 2, "max_grad_norm": 0, **fields}))
    runner.set_seed(1)
    trainer = runner.trainer
    trainer.setup(RunContext())
    trainer.target.restore(np.random.default_rng(0).normal(size=trainer.target.parameters.shape))
    return trainer


def q_of(network: Any, state: np.ndarray) -> np.ndarray:
    return np.array(network.predict(state))


def test_target_of_plain_q_learning() -> None:
    trainer = make_trainer(double=False)
    best = q_of(trainer.target, NEXT).max(axis=1)
    assert trainer.targets(columns()) == pytest.approx([0.5 + 0.9 * best[0], -0.5])


def test_target_of_double_q_learning() -> None:
    trainer = make_trainer(double=True)
    chosen = q_of(trainer.network, NEXT).argmax(axis=1)
    values = q_of(trainer.target, NEXT)
    assert values[0, chosen[0]] != values[0].max(), "the seed gives networks that agree"
    assert trainer.targets(columns()) == pytest.approx([0.5 + 0.9 * values[0, chosen[0]], -0.5])


@pytest.mark.parametrize("double", [False, True])
def test_invalid_actions_are_no_future(double: bool) -> None:
    trainer = make_trainer(double=double)
    only = np.array([[False, False, False, True], [False, True, False, False]])
    expected = 0.5 + 0.9 * q_of(trainer.target, NEXT)[0, 3]
    assert trainer.targets(columns(next_valid=only)) == pytest.approx([expected, -0.5])


def test_dueling_combines_value_and_advantages() -> None:
    settings = dqn.Config(dueling=True)
    outputs = np.array([[10.0, 1, 2, 6], [0.0, -1, 0, 1]])
    assert settings.values(outputs).tolist() == [[8, 9, 13], [-1, 0, 1]]
    assert settings.values(outputs[0]).tolist() == [8, 9, 13]


def loss_of(trainer: Any, y: np.ndarray, weights: np.ndarray) -> float:
    q = trainer.config.values(trainer.network.predict(STATE))[ROWS, columns()["action"]]
    size = np.abs(y - q)
    return float((weights * np.where(size <= 1, size**2 / 2, size - 0.5)).mean())


@pytest.mark.parametrize("dueling", [False, True])
def test_the_gradient_is_that_of_the_loss(dueling: bool) -> None:
    trainer = make_trainer(dueling=dueling, hidden_sizes=[5], dtype="float64")
    parameters = trainer.network.parameters
    y, weights = np.array([0.3, 20.0]), np.array([0.5, 1.0])  # one error within +-1, one outside
    connected = trainer.network.shape.connections()
    before = parameters.copy()
    expected = np.zeros_like(parameters)
    for i, value in enumerate(before):
        parameters[i] = value + 1e-6
        above = loss_of(trainer, y, weights)
        parameters[i] = value - 1e-6
        expected[i] = (above - loss_of(trainer, y, weights)) / 2e-6
        parameters[i] = value
    if connected is not None:
        trainer.network.shape.split(expected)[0][-1][:] *= connected
    expected_loss = loss_of(trainer, y, weights)
    errors = trainer.update(columns(), y, weights)
    assert trainer.network.gradients == pytest.approx(expected, abs=1e-7)
    assert trainer.info["loss"] == pytest.approx(expected_loss)
    assert errors[1] == pytest.approx(20 - trainer.config.values(_predict_with(trainer, before))[1, 0])
    assert not np.array_equal(parameters, before)


def _predict_with(trainer: Any, parameters: np.ndarray) -> np.ndarray:
    trainer.network.restore(parameters)
    result = trainer.network.predict(STATE)
    trainer.network.parameters += 1
    return np.array(result)


def fill(trainer: Any, count: int = 8) -> None:
    for i in range(count):
        item = {name: column[i % 2] for name, column in columns().items()}
        trainer.memory.add(item)


def test_an_empty_memory_trains_nothing() -> None:
    trainer = make_trainer()
    trainer.train()
    assert trainer.train_count == 0


def test_the_target_network_is_renewed_at_the_interval() -> None:
    trainer = make_trainer(target_interval=3)
    fill(trainer)
    before = trainer.target.backup()
    for _ in range(2):
        trainer.train()
    assert np.array_equal(trainer.target.parameters, before)
    trainer.train()
    assert trainer.train_count == 3
    assert np.array_equal(trainer.target.parameters, trainer.network.parameters)


def test_the_learning_rate_follows_its_schedule() -> None:
    settings = config(batch_size=2, lr=0.1)
    settings.lr_scheduler.set_piecewise([2], [0.1, 1e-12])
    trainer = srl.Runner("Grid", settings).trainer
    trainer.setup(RunContext())
    fill(trainer)
    for _ in range(2):
        before = trainer.network.backup()
        trainer.train()
        assert np.abs(trainer.network.parameters - before).max() > 0.01
    before = trainer.network.backup()
    trainer.train()
    assert np.abs(trainer.network.parameters - before).max() < 1e-6


def test_errors_become_priorities(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = prioritized(batch_size=2)
    trainer = srl.Runner("Grid", settings).trainer
    trainer.setup(RunContext())
    fill(trainer)
    given = []
    monkeypatch.setattr(trainer.memory, "update", lambda args, errors, step: given.append((len(args), errors, step)))
    trainer.train()
    ((count, errors, step),) = given
    assert (count, errors.shape, step) == (2, (2,), 1)


# --- transitions


def transitions(settings: dqn.Config, rewards: list[float], done: str = "terminated") -> list[dict[str, Any]]:
    """Return what a Worker hands over in an episode with these rewards."""

    worker = srl.Runner("Grid", settings).worker.worker
    worker.training = True
    worker.on_setup(worker.worker, RunContext())
    added: list[dict[str, Any]] = []
    worker.memory.add = added.append
    worker.on_reset(worker.worker)
    for i, reward in enumerate(rewards):
        is_last = i == len(rewards) - 1
        step = SimpleNamespace(
            state=np.array([i, 0]),
            action=i % 4,
            reward=reward,
            next_state=np.array([i + 1, 0]),
            next_invalid_actions=[],
            done=is_last,
            terminated=is_last and done == "terminated",
        )
        worker.on_step(step)
    return added


def test_transitions_of_one_step() -> None:
    first, last = transitions(config(gamma=0.9), [1.0, 2.0])
    assert (first["state"].tolist(), first["action"], first["reward"]) == ([0, 0], 0, 1.0)
    assert (first["next_state"].tolist(), first["discount"], first["next_valid"].tolist()) == ([1, 0], 0.9, [True] * 4)
    assert (last["reward"], last["discount"]) == (2.0, 0.0)


def test_transitions_of_three_steps_by_hand() -> None:
    added = transitions(config(gamma=0.5, n_step=3), [1.0, 2.0, 4.0, 8.0], done="truncated")
    got = [(t["state"][0], t["action"], t["reward"], t["next_state"][0], t["discount"]) for t in added]
    assert got == [
        (0, 0, 1 + 0.5 * 2 + 0.25 * 4, 3, 0.125),
        (1, 1, 2 + 0.5 * 4 + 0.25 * 8, 4, 0.125),
        (2, 2, 4 + 0.5 * 8, 4, 0.25),  # the episode was cut off: there are values behind its end
        (3, 3, 8, 4, 0.5),
    ]


def test_nothing_follows_a_terminal_state() -> None:
    added = transitions(config(gamma=0.5, n_step=3), [1.0, 2.0])
    assert [(t["reward"], t["discount"]) for t in added] == [(1 + 0.5 * 2, 0.0), (2.0, 0.0)]


def test_valid_actions() -> None:
    worker = srl.Runner("Grid", config()).worker.worker
    worker.on_setup(worker.worker, RunContext())
    assert worker.valid([1]).tolist() == [True, False, True, True]
    assert worker.valid([]).tolist() == worker.valid([0, 1, 2, 3]).tolist() == [True] * 4


def test_it_never_plays_an_invalid_action() -> None:
    runner = srl.Runner("OX", config(epsilon=0.5))
    runner.set_seed(1)
    runner.train(max_episodes=30, players=[None, None], enable_progress=False)
    assert runner.state is not None
    rewards = np.array(runner.evaluate(max_episodes=20, enable_progress=False))
    assert (rewards.sum(axis=1) == 0).all(), "an illegal move costs who made it 1, and the other nothing"


def test_epsilon_falls_with_the_steps() -> None:
    settings = config(test_epsilon=0.125)
    settings.epsilon_scheduler.set_linear(1.0, 0.0, 100)
    runner = srl.Runner("Grid", settings)
    runner.train(max_steps=50, enable_progress=False)
    assert runner.worker.worker.epsilon == pytest.approx(0.5)
    runner.evaluate(max_episodes=1, enable_progress=False)
    assert runner.worker.worker.epsilon == 0.125


# --- learning


def learned(framework: str, steps: int = 2000, **fields: Any) -> Any:
    settings = config(
        framework=framework, **{"batch_size": 16, "target_interval": 100, "lr": 0.003, "gamma": 0.9, **fields}
    )
    settings.memory.warmup_size = 100
    settings.epsilon_scheduler.set_linear(1.0, 0.1, 1000)
    runner = srl.Runner("EasyGrid-layer", settings)
    runner.set_seed(2)
    runner.train(max_steps=steps, enable_progress=False)
    return runner


@pytest.mark.parametrize("fields", [{}, {"double": False}, {"dueling": True, "n_step": 3}])
def test_it_learns_the_way_to_the_goal(fields: dict[str, Any]) -> None:
    rewards = learned("numpy", **fields).evaluate(max_episodes=20, enable_progress=False)
    assert np.mean(rewards) >= 0.9, "the environment's own baseline"


def test_the_same_seed_learns_the_same() -> None:
    first, second = learned("numpy", 400), learned("numpy", 400)
    assert np.array_equal(first.parameter.network.parameters, second.parameter.network.parameters)


def test_both_frameworks_learn_the_same() -> None:
    pytest.importorskip("torch")
    fields = {"dueling": True, "n_step": 2}
    ours, theirs = learned("numpy", 300, **fields), learned("torch", 300, **fields)
    assert ours.state.episode_rewards_list == theirs.state.episode_rewards_list
    assert theirs.parameter.network.parameters == pytest.approx(ours.parameter.network.parameters, abs=1e-3)


# --- parameters and states


def test_a_backup_holds_both_networks_and_does_not_change() -> None:
    trainer = make_trainer()
    backup = trainer.parameter.backup()
    network, target = (data.copy() for data in backup)
    trainer.network.parameters += 1
    trainer.target.parameters += 2
    assert np.array_equal(backup[0], network)
    trainer.parameter.restore(backup)
    assert np.array_equal(trainer.network.parameters, network)
    assert np.array_equal(trainer.target.parameters, target)


def test_actors_get_the_network_alone() -> None:
    parameter = make_trainer().parameter
    (data,) = parameter.backup(serialized=True, to_worker=True)
    other = make_trainer(double=False).parameter
    other.network.parameters += 1
    other.restore(data=[data], from_serialized=True)
    assert np.array_equal(other.network.parameters, parameter.network.parameters)


def test_the_optimizer_goes_on_in_the_next_run() -> None:
    runner = srl.Runner("Grid", config(batch_size=2))
    for expected in (5, 10):
        runner.train(max_train_count=5, enable_progress=False)
        assert runner.trainer.backup()["steps"] == expected


def test_it_shows_its_values(capsys: pytest.CaptureFixture[str]) -> None:
    runner = srl.Runner("Grid", config(hidden_sizes=[1]))
    runner.parameter.network.parameters[:] = 0
    runner.parameter.network.parameters[-1] = 0.5
    runner.render_terminal(max_steps=1)
    assert "*3(↑):  0.50000\n" in capsys.readouterr().out
    runner.model_summary()
    assert "MLP 2-1-4, relu: 11 parameters" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"epsilon": 1.5}, "dqn.Config.epsilon is 1.5; it must be between 0 and 1"),
        ({"test_epsilon": -1}, "dqn.Config.test_epsilon is -1; it must be between 0 and 1"),
        ({"gamma": 2}, "dqn.Config.gamma is 2; it must be between 0 and 1"),
        ({"target_interval": 0}, "dqn.Config.target_interval is 0; it must be 1 or more"),
        ({"n_step": 0}, "dqn.Config.n_step is 0; it must be 1 or more"),
        ({"lr": 0}, "dqn.Config.lr is 0; it must be above 0"),
        ({"max_grad_norm": -1}, "dqn.Config.max_grad_norm is -1; it must be 0 or more"),
        ({"hidden_sizes": [0]}, r"dqn.Config.hidden_sizes is \[0\]; it must be a list of numbers of 1 or more"),
        ({"hidden_sizes": [], "dueling": True}, r"hidden_sizes is \[\]; it must be one layer or more for dueling"),
        ({"batch_size": 9}, r"Config.batch_size is 9; it must be between 1 and memory.warmup_size \(8\)"),
    ],
)
def test_hyperparameters_that_cannot_be(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        srl.Runner("Grid", config(**fields)).make_memory()


def test_an_unknown_framework() -> None:
    with pytest.raises(UsageError, match=r"dqn.Config.framework is 'jax'; it must be 'numpy' or 'torch'"):
        srl.Runner("Grid", config(framework="jax"))


def test_acting_by_a_pytorch_algorithm_needs_no_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("srl.rl.networks.torch")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    runner = srl.Runner("Grid", config(framework="torch"))
    runner.rollout(max_steps=20, enable_progress=False)
    with pytest.raises(UsageError, match=r"framework='torch' needs torch: pip install 'srl-cluster\[torch\]'"):
        runner.train(max_steps=1, enable_progress=False)
