"""The networks in PyTorch are those in numpy: outputs, gradients, steps, memory, backups."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_networks import shapes, small

from srl.rl.networks.frameworks import make_optimizer, torch_device, trainable
from srl.rl.networks.mlp import MLP, MLPShape
from srl.utils.usage import UsageError

torch = pytest.importorskip("torch")


def pair(shape: MLPShape, seed: int = 0) -> tuple[MLP, Any, MLP]:
    """Return a numpy network, a torch one with the same values, and the numpy network that shares its memory."""
    mlp, twin = MLP(shape, rng=np.random.default_rng(seed)), MLP(shape, rng=np.random.default_rng(seed))
    return mlp, trainable(twin, "torch"), twin


@settings(max_examples=40, deadline=None)
@given(shapes(), st.integers(0, 1000))
def test_outputs_and_gradients_are_equal(shape: MLPShape, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mlp, network, _ = pair(shape, seed)
    x, dy = rng.normal(size=(5, shape.inputs)), rng.normal(size=(5, shape.outputs))
    assert network.forward(x) == pytest.approx(mlp.forward(x), abs=1e-5)
    assert network.predict(x) == pytest.approx(mlp.predict(x), abs=1e-5)
    assert network.input_gradient(dy) == pytest.approx(mlp.input_gradient(dy), abs=1e-5)
    for _ in range(2):  # the second one replaces the first
        network.backward(dy)
        mlp.backward(dy)
    assert network.gradients == pytest.approx(mlp.gradients, abs=1e-5)


@pytest.mark.parametrize("max_norm", [0, 0.1])
@pytest.mark.parametrize("streams", [(), (1, 2)])
def test_steps_of_adam_are_equal(max_norm: float, streams: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    networks = pair(MLPShape(3, (16, 16), 3, "tanh", streams))[:2]
    optimizers = [make_optimizer([network], 0.01, max_norm=max_norm) for network in networks]
    for step in range(50):
        x, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 3))
        for network, optimizer in zip(networks, optimizers, strict=True):
            optimizer.lr = 0.01 / (1 + step)
            network.backward((network.forward(x) - y) / 8)
            optimizer.step()
    assert networks[0].parameters == pytest.approx(networks[1].parameters, abs=1e-5)


def test_acting_sees_what_training_does() -> None:
    _, network, twin = pair(MLPShape(2, (4,), 1))
    before = twin.predict(np.ones(2))
    network.forward(np.ones((1, 2)))
    network.backward(np.ones((1, 1)))
    make_optimizer([network], 0.1).step()
    assert twin.predict(np.ones(2)) != before
    assert twin.predict(np.ones(2)) == pytest.approx(network.predict(np.ones((1, 2)))[0], rel=1e-6)
    twin.restore(np.zeros_like(twin.parameters))
    assert network.forward(np.ones((1, 2))).tolist() == [[0]]


def test_blend_is_equal() -> None:
    mlp, network, _ = pair(MLPShape(2, (4,), 1))
    other, torch_other, _ = pair(MLPShape(2, (4,), 1), seed=1)
    for tau in (0.1, 1):
        mlp.blend(other, tau)
        network.blend(torch_other, tau)
        assert network.parameters == pytest.approx(mlp.parameters, abs=1e-7)
    network.restore(np.ones_like(network.parameters))
    assert network.predict(np.zeros((1, 2))).tolist() == [[4 * 1 + 1]]


def test_optimizers_take_each_others_backups() -> None:
    mlp, network, _ = pair(MLPShape(2, (4,), 1))
    ours, theirs = make_optimizer([mlp], 0.01), make_optimizer([network], 0.01)
    for _ in range(3):
        mlp.forward(np.ones((2, 2)))
        mlp.backward(np.ones((2, 1)))
        ours.step()
    network.restore(mlp.backup())
    theirs.restore(ours.backup())
    for each, optimizer in ((mlp, ours), (network, theirs)):
        each.forward(np.ones((2, 2)))
        each.backward(np.ones((2, 1)))
        optimizer.step()
    assert network.parameters == pytest.approx(mlp.parameters, abs=1e-6)
    ours.restore(theirs.backup())
    assert ours.backup()["steps"] == 4


def test_arrays_that_are_read_only_are_inputs_too() -> None:
    _, network, _ = pair(MLPShape(2, (4,), 1))
    x = np.ones((1, 2), np.float32)
    x.flags.writeable = False
    assert network.forward(x).shape == (1, 1)


@pytest.mark.parametrize(
    ("device", "name"),
    [("AUTO", "cpu"), ("", "cpu"), ("CPU", "cpu"), ("GPU", "cuda"), ("GPU:1", "cuda:1"), ("cuda:0", "cuda:0")],
)
def test_device_names(device: str, name: str) -> None:
    assert torch_device(device) == name


def test_without_pytorch_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("srl.rl.networks.torch")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UsageError, match=r"framework='torch' needs torch: pip install 'srl-cluster\[torch\]'"):
        trainable(small(MLPShape(1, (), 1)), "torch")
