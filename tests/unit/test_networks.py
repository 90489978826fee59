"""The networks in numpy: gradients against finite differences, Adam against its equations, shapes, backups."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srl.rl.networks.adam import Adam
from srl.rl.networks.frameworks import check_framework, make_optimizer, trainable
from srl.rl.networks.initialization import orthogonal
from srl.rl.networks.mlp import MLP, MLPShape
from srl.utils.usage import UsageError

SEED = 7


def small(shape: MLPShape, **kwargs: Any) -> MLP:
    return MLP(shape, rng=np.random.default_rng(SEED), **kwargs)


@st.composite
def shapes(draw: st.DrawFn) -> MLPShape:
    hidden = tuple(draw(st.lists(st.integers(1, 5), max_size=3)))
    streams = tuple(draw(st.lists(st.integers(1, 3), min_size=2, max_size=3))) if hidden and draw(st.booleans()) else ()
    free = draw(st.integers(0, 2))
    outputs = (sum(streams) or draw(st.integers(1, 4))) + free
    return MLPShape(draw(st.integers(1, 4)), hidden, outputs, draw(st.sampled_from(["relu", "tanh"])), streams, free)


def slopes(function: Any, at: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """Return finite differences of a function of an array, which it changes in place and back."""
    result = np.zeros(at.size)
    flat = at.reshape(-1)
    for i, value in enumerate(flat.copy()):
        flat[i] = value + step
        above = function()
        flat[i] = value - step
        result[i] = (above - function()) / (2 * step)
        flat[i] = value
    return result.reshape(at.shape)


@settings(max_examples=40, deadline=None)
@given(shapes(), st.integers(0, 1000))
def test_gradients_are_those_of_finite_differences(shape: MLPShape, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mlp = MLP(shape, dtype=np.float64, rng=rng)
    mlp.parameters += 0.1 * rng.normal(size=mlp.parameters.size)  # free outputs begin at 0
    mlp._weights[-1] *= 1 if shape.connections() is None else shape.connections()
    x, dy = rng.normal(size=(3, shape.inputs)), rng.normal(size=(3, shape.outputs))

    def loss() -> float:
        return float((mlp.predict(x) * dy).sum())

    connected = np.ones(mlp.parameters.size)
    if shape.streams:
        shape.split(connected)[0][-1][:] *= shape.connections()
    expected = slopes(loss, mlp.parameters) * connected
    mlp.forward(x)
    mlp.backward(dy)
    assert mlp.gradients == pytest.approx(expected, abs=1e-6)
    before = mlp.gradients.copy()
    assert mlp.input_gradient(dy) == pytest.approx(slopes(loss, x), abs=1e-6)
    assert np.array_equal(mlp.gradients, before)


def test_forward_by_hand() -> None:
    mlp = small(MLPShape(2, (2,), 1))
    mlp.parameters[:] = [1, -1, 2, 3, 0.5, -4, 10, 20, 1]  # weights by input, then biases, layer by layer
    # hidden: relu(1*1 + 2*2 + 0.5, -1*1 + 3*2 - 4) = (5.5, 1)
    assert mlp.predict(np.array([1.0, 2.0])).tolist() == [10 * 5.5 + 20 * 1 + 1]
    assert mlp.forward(np.array([[1.0, 2.0]])).tolist() == [[76.0]]


def test_tanh_by_hand() -> None:
    mlp = small(MLPShape(1, (1,), 1, "tanh"))
    mlp.parameters[:] = [2, 0, 3, 1]
    assert mlp.predict(np.array([0.5]))[0] == pytest.approx(3 * math.tanh(1) + 1)


def test_one_state_gives_what_a_batch_gives() -> None:
    mlp = small(MLPShape(3, (8, 8), 4, free_outputs=1))
    batch = np.random.default_rng(0).normal(size=(5, 3))
    assert np.array([mlp.predict(x) for x in batch]) == pytest.approx(mlp.predict(batch), rel=1e-6)
    assert mlp.forward(batch) == pytest.approx(mlp.predict(batch), rel=1e-6)
    assert mlp.predict(batch).dtype == np.float32


def test_acting_between_forward_and_backward_changes_nothing() -> None:
    mlp, x = small(MLPShape(2, (4,), 2)), np.ones((3, 2))
    mlp.forward(x)
    mlp.backward(np.ones((3, 2)))
    expected = mlp.gradients.copy()
    mlp.forward(x)
    mlp.predict(5 * x)
    mlp.backward(np.ones((3, 2)))
    assert np.array_equal(mlp.gradients, expected)


def test_streams_share_all_but_their_last_hidden_layer() -> None:
    shape = MLPShape(2, (3, 4), 3, streams=(1, 2))
    assert shape.layers() == [(2, 3), (3, 8), (8, 3)]
    mlp = small(shape)
    last = mlp._weights[-1]
    assert np.array_equal(last != 0, [[True, False, False]] * 4 + [[False, True, True]] * 4)
    optimizer = Adam([mlp], 0.1)
    for _ in range(3):
        mlp.forward(np.ones((2, 2)))
        mlp.backward(np.ones((2, 3)))
        optimizer.step()
    assert np.array_equal(last != 0, [[True, False, False]] * 4 + [[False, True, True]] * 4)


def test_free_outputs_do_not_depend_on_the_input() -> None:
    mlp = small(MLPShape(2, (3,), 3, free_outputs=2))
    mlp._free[:] = [5, 6]
    assert mlp.forward(np.random.default_rng(0).normal(size=(4, 2)))[:, 1:].tolist() == [[5, 6]] * 4
    assert mlp.predict(np.ones(2))[1:].tolist() == [5, 6]
    mlp.backward(np.array([[0, 1, 2]] * 4))
    assert mlp._free_gradients.tolist() == [4, 8]


def test_parameters_are_views_of_one_array() -> None:
    mlp = small(MLPShape(2, (3,), 1))
    assert mlp.parameters.size == mlp.shape.size == 2 * 3 + 3 + 3 + 1
    mlp.parameters[:] = 0
    assert mlp.predict(np.ones(2)).tolist() == [0]
    assert all(np.shares_memory(part, mlp.parameters) for part in mlp._weights + mlp._biases)


def test_a_backup_does_not_change() -> None:
    mlp = small(MLPShape(2, (3,), 1))
    x = np.ones(2)
    before, backup, memory = mlp.predict(x), mlp.backup(), mlp.parameters
    mlp.parameters += 1
    assert mlp.predict(x) != before
    mlp.restore(backup)
    assert mlp.predict(x) == before
    assert mlp.parameters is memory


def test_a_backup_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the backup has 13 parameters and this network 17: it is of another env"):
        small(MLPShape(2, (4,), 1)).restore(small(MLPShape(2, (3,), 1)).backup())


def test_blend_moves_towards_the_other_network() -> None:
    a, b = small(MLPShape(1, (), 1)), small(MLPShape(1, (), 1))
    a.parameters[:], b.parameters[:] = [0, 1], [1, 3]
    a.blend(b, 0.25)
    assert a.parameters.tolist() == [0.25, 1.5]
    a.blend(b, 1)
    assert a.parameters.tolist() == [1, 3]
    assert not np.shares_memory(a.parameters, b.parameters)


def test_uniform_weights_are_within_the_bound() -> None:
    mlp = small(MLPShape(100, (50,), 1))
    assert 0.09 < np.abs(mlp._weights[0]).max() <= 0.1
    assert 0.08 < np.abs(mlp._biases[0]).max() <= 0.1


def test_orthogonal_weights_are_orthogonal() -> None:
    mlp = small(MLPShape(6, (4,), 2), initialization="orthogonal", output_gain=0.01, dtype=np.float64)
    hidden, last = mlp._weights
    assert hidden.T @ hidden == pytest.approx(2 * np.eye(4), abs=1e-12)
    assert last.T @ last == pytest.approx(1e-4 * np.eye(2), abs=1e-12)
    assert not np.any(mlp._biases[0])
    wide = orthogonal((2, 5), np.random.default_rng(0))
    assert wide @ wide.T == pytest.approx(np.eye(2), abs=1e-12)


def test_the_same_seed_gives_the_same_weights() -> None:
    random.seed(3)
    first = MLP(MLPShape(2, (3,), 1)).parameters
    random.seed(3)
    assert np.array_equal(first, MLP(MLPShape(2, (3,), 1)).parameters)
    assert not np.array_equal(first, MLP(MLPShape(2, (3,), 1)).parameters)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"hidden": (3, 0)}, "each layer needs 1 unit or more"),
        ({"inputs": 0}, "each layer needs 1 unit or more"),
        ({"activation": "gelu"}, "activation is 'gelu'; it must be 'relu' or 'tanh'"),
        ({"free_outputs": 2}, r"free_outputs is 2; it must be below outputs \(2\)"),
        ({"streams": (1, 2)}, r"streams \(1, 2\) need a hidden layer, and 2 outputs in all"),
        ({"streams": (1, 1), "hidden": ()}, "need a hidden layer"),
    ],
)
def test_shapes_that_cannot_be(arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        MLPShape(**{"inputs": 2, "hidden": (3,), "outputs": 2, **arguments})


def test_an_unknown_initialization() -> None:
    with pytest.raises(ValueError, match="initialization is 'zeros'; it must be 'uniform' or 'orthogonal'"):
        small(MLPShape(1, (), 1), initialization="zeros")


def step_with(gradients: list[float], steps: int = 1, **settings: Any) -> np.ndarray:
    """Return the change of parameters by steps of Adam with these gradients."""
    mlp = small(MLPShape(1, (), 1), dtype=np.float64)
    before, optimizer = mlp.backup(), Adam([mlp], **{"lr": 0.1, **settings})
    mlp._gradients[:] = gradients
    for _ in range(steps):
        optimizer.step()
    return mlp.parameters - before


def test_adam_by_its_equations() -> None:
    lr, beta1, beta2, eps = 0.1, 0.9, 0.999, 0.01
    gradient, mean, square, change = np.array([0.5, -2.0]), np.zeros(2), np.zeros(2), np.zeros(2)
    for t in (1, 2, 3):
        mean = beta1 * mean + (1 - beta1) * gradient
        square = beta2 * square + (1 - beta2) * gradient**2
        change -= lr * (mean / (1 - beta1**t)) / (np.sqrt(square / (1 - beta2**t)) + eps)
    assert step_with(gradient.tolist(), 3, eps=eps) == pytest.approx(change, rel=1e-12)


def test_long_gradients_are_scaled_down() -> None:
    # eps as large as this makes the first step about lr / eps * gradient, so that its length shows
    assert step_with([3, 4], eps=1e6, max_norm=1) == pytest.approx([-0.6e-7, -0.8e-7], rel=1e-4)
    assert step_with([3, 4], eps=1e6, max_norm=10) == pytest.approx([-3e-7, -4e-7], rel=1e-4)
    assert not np.any(step_with([0, 0], max_norm=1))


def test_the_norm_is_that_of_all_networks_together() -> None:
    networks = [small(MLPShape(1, (), 1), dtype=np.float64) for _ in range(2)]
    for network, gradients in zip(networks, ([3, 0], [0, 4]), strict=True):
        network.parameters[:], network._gradients[:] = 0, gradients
    Adam(networks, 0.1, eps=1e6, max_norm=1).step()
    assert networks[0].parameters == pytest.approx([-0.6e-7, 0], rel=1e-4)
    assert networks[1].parameters == pytest.approx([0, -0.8e-7], rel=1e-4)


def test_an_optimizer_goes_on_from_its_backup() -> None:
    def steps(optimizer: Any, mlp: MLP, count: int) -> None:
        for i in range(count):
            mlp.forward(np.full((2, 2), i + 1.0))
            mlp.backward(np.ones((2, 1)))
            optimizer.step()

    mlp = small(MLPShape(2, (3,), 1))
    optimizer = make_optimizer([mlp], 0.01)
    steps(optimizer, mlp, 3)
    weights, backup = mlp.backup(), optimizer.backup()
    steps(optimizer, mlp, 3)
    expected = mlp.backup()
    again = small(MLPShape(2, (3,), 1))
    again.restore(weights)
    other = make_optimizer([again], 0.01)
    other.restore(backup)
    steps(other, again, 3)
    assert np.array_equal(again.parameters, expected)


def test_it_fits_a_curve() -> None:
    mlp = small(MLPShape(1, (32,), 1))
    optimizer = make_optimizer([mlp], 0.01)
    x = np.linspace(-2, 2, 64, dtype=np.float32)[:, None]
    for _ in range(1000):
        error = mlp.forward(x) - np.sin(x)
        mlp.backward(2 * error / len(x))
        optimizer.step()
    assert np.square(mlp.predict(x) - np.sin(x)).mean() < 1e-3


def test_numpy_trains_the_very_network() -> None:
    mlp = small(MLPShape(1, (), 1))
    assert trainable(mlp, "numpy") is mlp


def test_an_unknown_framework() -> None:
    check_framework("torch", "dqn.Config.framework")
    with pytest.raises(UsageError, match=r"dqn.Config.framework is 'jax'; it must be 'numpy' or 'torch'"):
        check_framework("jax", "dqn.Config.framework")
