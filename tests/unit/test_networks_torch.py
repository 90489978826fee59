"""The networks in PyTorch are those in numpy: outputs, gradients, steps, memory, backups."""

from __future__ import annotations

import random
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_networks import SEED, shapes, small

from srl.base.define import SpaceTypes
from srl.base.spaces.box import BoxSpace
from srl.rl.networks.frameworks import make_network, make_optimizer, picture_shape, torch_device, trainable
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


# --- pictures


def pictures(shape: tuple[int, ...] = (36, 36, 2), stype: SpaceTypes = SpaceTypes.IMAGE_MAP) -> BoxSpace:
    return BoxSpace(shape, 0, 255, np.uint8, stype)


def conv_network(**arguments: Any) -> Any:
    random.seed(SEED)  # which the first weights come from
    return make_network(pictures(), [8], 3, framework="torch", **arguments)


def test_convolutions_are_those_of_the_paper() -> None:
    network = make_network(pictures((84, 84, 4)), [512], 6, framework="torch")
    assert network.shape.head.inputs == 7 * 7 * 64
    sizes = [8 * 8 * 4 * 32 + 32, 4 * 4 * 32 * 64 + 64, 3 * 3 * 64 * 64 + 64, 3136 * 512 + 512, 512 * 6 + 6]
    assert network.parameters.size == sum(sizes)
    assert str(network) == "ConvNetwork 84x84x4, convolutions 32-64-64, then 3136-512-6, relu"


def test_one_picture_gives_what_a_batch_gives() -> None:
    network = conv_network()
    batch = np.random.default_rng(0).integers(0, 256, (3, 36, 36, 2)).astype(np.uint8)
    assert np.array([network.predict(picture) for picture in batch]) == pytest.approx(network.predict(batch), abs=1e-5)
    assert network.forward(batch) == pytest.approx(network.predict(batch), abs=1e-5)
    assert not np.array_equal(network.predict(batch)[0], network.predict(batch)[1])


def test_convolution_by_hand() -> None:
    """With weights of 1 / size and no biases each unit is the mean of what it sees, here of bytes of 255: 1."""
    network = conv_network()
    network.parameters[:] = 0
    weights, _, head = network.shape.split(network.parameters)
    for weight in weights:
        weight[:] = 1 / weight[0].size
    (hidden, last), *_ = network.shape.head.split(head)
    hidden[:], last[:] = 1 / len(hidden), 1 / len(last)
    assert network.predict(np.full((36, 36, 2), 255, np.uint8)) == pytest.approx([1, 1, 1], rel=1e-5)


def test_gradients_of_convolutions_are_those_of_finite_differences() -> None:
    network = conv_network(dtype="float64", streams=(1, 2))
    rng = np.random.default_rng(0)
    x, dy = rng.integers(0, 256, (2, 36, 36, 2)), rng.normal(size=(2, 3))
    network.forward(x)
    network.backward(dy)
    d_x = network.input_gradient(dy)
    connected = network.shape.mask(np.float64)
    for i in rng.integers(0, network.parameters.size, 30):
        value, losses = network.parameters[i], []
        for step in (1e-5, -1e-5):
            network.parameters[i] = value + step
            losses.append(float((network.predict(x) * dy).sum()))
        network.parameters[i] = value
        assert network.gradients[i] == pytest.approx((losses[0] - losses[1]) / 2e-5 * connected[i], abs=1e-6)
    assert d_x.shape == x.shape
    assert np.any(d_x)


def test_first_weights_of_convolutions() -> None:
    network = conv_network(streams=(1, 2))
    weights, biases, head = network.shape.split(network.parameters)
    assert np.abs(weights[0]).max() == pytest.approx(1 / np.sqrt(8 * 8 * 2), rel=0.01)
    assert np.any(biases[2])
    last = network.shape.head.split(head)[0][-1]
    assert np.array_equal(last != 0, network.shape.head.connections())


def test_a_network_for_pictures_learns_where_a_bar_is() -> None:
    network = conv_network()
    assert trainable(network, "torch", "CPU") is network
    x = np.zeros((4, 36, 36, 2), np.uint8)
    for i in range(4):
        x[i, 9 * i : 9 * i + 9] = 255
    optimizer = make_optimizer([network], 0.003)
    losses = []
    for _ in range(40):
        error = network.forward(x) - np.eye(4, 3)
        losses.append(float(np.square(error).sum()))
        network.backward(2 * error)
        optimizer.step()
    assert losses[-1] < losses[0] / 5


def test_a_network_of_ones_own_trains_itself() -> None:
    from srl.rl.networks.torch_network import TorchNetwork

    class Own(TorchNetwork):
        def _views(self, flat: Any) -> list[Any]:
            return [flat]

        def _compute(self, leaves: list[Any], x: Any) -> Any:
            return x * leaves[0]

    own = Own(np.array([2.0, 3.0], np.float32))
    assert trainable(own, "torch") is own
    assert own.forward(np.ones((1, 2))).tolist() == [[2, 3]]
    own.backward(np.ones((1, 2)))
    make_optimizer([own], 0.5).step()
    assert own.parameters == pytest.approx([1.5, 2.5])


def test_pictures_without_a_bound_are_taken_as_they_are() -> None:
    space = BoxSpace((36, 36, 1), 0, np.inf, np.float32, SpaceTypes.IMAGE_MAP)
    network = make_network(space, [8], 3, framework="torch")
    bright = np.ones((36, 36, 1), np.float32)
    assert not np.array_equal(network.predict(bright), network.predict(2 * bright))


def test_shapes_of_pictures() -> None:
    assert picture_shape(pictures((40, 50), SpaceTypes.GRAY_HW)) == (40, 50, 1)
    assert picture_shape(pictures((40, 50, 1), SpaceTypes.GRAY_HW1)) == (40, 50, 1)
    assert picture_shape(pictures((40, 50, 3), SpaceTypes.RGB)) == (40, 50, 3)
    assert picture_shape(pictures((40, 50, 6), SpaceTypes.FEATURE_MAP)) is None
    assert isinstance(make_network(pictures((4, 5, 6), SpaceTypes.FEATURE_MAP), [8], 3), MLP)


def test_numpy_has_no_network_for_pictures() -> None:
    with pytest.raises(UsageError, match="framework 'numpy' has no network for them: set framework='torch'"):
        make_network(pictures(), [8], 3)


def test_pictures_that_are_too_small() -> None:
    with pytest.raises(UsageError, match="pictures of 35 x 36 are too small for a convolutional network"):
        make_network(pictures((35, 36, 3)), [8], 3, framework="torch")
