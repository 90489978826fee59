"""What computes a network: numpy, or PyTorch.

A Parameter holds a network of `make_network`. A multilayer perceptron there is always numpy, and Workers act with it
wherever they are; a network for pictures is PyTorch's. A Trainer asks `trainable` for a network that trains those same
parameters.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, get_args

from srl.base.define import SpaceTypes
from srl.rl.networks.adam import Adam
from srl.rl.networks.mlp import MLP, Activation, MLPShape
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from srl.base.spaces.box import BoxSpace
    from srl.rl.networks.initialization import Initialization
    from srl.rl.networks.network import Network, Optimizer

Framework = Literal["numpy", "torch"]


def check_framework(framework: str, field: str) -> None:
    """Raise UsageError, which names the field of a config, unless it is one of Framework."""
    if framework not in get_args(Framework):
        raise UsageError(f"{field} is '{framework}'; it must be 'numpy' or 'torch'")


def make_network(
    space: BoxSpace,
    hidden_sizes: Sequence[int],
    outputs: int,
    *,
    framework: Framework = "numpy",
    activation: Activation = "relu",
    streams: tuple[int, ...] = (),
    free_outputs: int = 0,
    initialization: Initialization = "uniform",
    output_gain: float = 1.0,
    dtype: npt.DTypeLike = "float32",
) -> Network:
    """Return a network for the states of a space, for a Parameter to hold and a Worker to act with.

    Of pictures it is a convolutional one, and `hidden_sizes` are those of the layers behind. MLPShape and MLP say what
    the other arguments mean. Raises UsageError for pictures with numpy, without PyTorch, or that are too small.
    """
    picture = picture_shape(space)
    if picture is not None:
        require_torch(space, framework)
        from srl.rl.networks.torch_conv import ConvNetwork, ConvShape, conv_features

        head = MLPShape(conv_features(picture), tuple(hidden_sizes), outputs, activation, streams, free_outputs)
        conv_shape = ConvShape(picture, head)
        parameters = conv_shape.new_parameters(initialization, output_gain, dtype, None)
        brightest = float(space.high.max())
        return ConvNetwork(conv_shape, parameters, 1 / brightest if 0 < brightest < math.inf else 1)
    shape = MLPShape(math.prod(space.shape), tuple(hidden_sizes), outputs, activation, streams, free_outputs)
    return MLP(shape, initialization, output_gain, dtype)


def picture_shape(space: BoxSpace) -> tuple[int, int, int] | None:
    """Return (height, width, channels) of a space of pictures, or of stacks of them; None for others."""
    if not (SpaceTypes.is_image(space.stype) or space.stype is SpaceTypes.IMAGE_MAP):
        return None
    height, width, *channels = space.shape
    return height, width, math.prod(channels)


def require_torch(space: BoxSpace, framework: Framework) -> None:
    """Raise UsageError unless the framework has a network for pictures."""
    if framework != "torch":
        raise UsageError(
            f"states are pictures ({space}), and framework 'numpy' has no network for them: set framework='torch', or "
            "RLConfig.override_env_observation_type to SpaceTypes.FEATURE_MAP to take their numbers as they are"
        )


def trainable(network: Network, framework: Framework, device: str = "AUTO") -> Network:
    """Return the network that trains the parameters of another one.

    Args:
        network: of the Parameter. With numpy it is what is returned, and so is one that is not of `make_network`.
        framework: raises UsageError when it is "torch" and PyTorch is missing.
        device: RunContext.device. Where it is "AUTO", PyTorch computes an MLP on the CPU, on one thread, for which it
            is small enough, and a convolutional network on a GPU, if there is one.
    """
    if framework == "numpy":
        return network
    from srl.rl.networks.torch_conv import ConvNetwork
    from srl.rl.networks.torch_mlp import TorchMLP
    from srl.rl.networks.torch_network import torch

    if isinstance(network, ConvNetwork):
        return network.on(torch_device(device, auto="cuda" if torch.cuda.is_available() else "cpu"))
    if not isinstance(network, MLP):
        return network
    name = torch_device(device)
    if name == "cpu":
        torch.set_num_threads(1)
    return TorchMLP(network, name)


def make_optimizer(networks: Sequence[Network], lr: float, *, eps: float = 1e-8, max_norm: float = 0) -> Optimizer:
    """Return Adam for networks that all came from `trainable`; see Adam for the arguments."""
    if all(isinstance(network, MLP) for network in networks):
        return Adam(networks, lr, eps=eps, max_norm=max_norm)
    from srl.rl.networks.torch_network import TorchAdam

    torch_networks: Any = networks
    return TorchAdam(torch_networks, lr, eps=eps, max_norm=max_norm)


def torch_device(device: str, auto: str = "cpu") -> str:
    """Return PyTorch's name of RunContext.device, such as "AUTO" (which is `auto`), "CPU", "GPU:1" or "cuda"."""
    name = device.lower().replace("gpu", "cuda")
    return auto if name in {"", "auto"} else name
