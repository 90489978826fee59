"""What computes a network: numpy, or PyTorch.

A Parameter holds a network of `make_network`. A multilayer perceptron there is always numpy, and Workers act with it
wherever they are. A Trainer asks `trainable` for a network that trains those same parameters.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, get_args

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
    activation: Activation = "relu",
    streams: tuple[int, ...] = (),
    free_outputs: int = 0,
    initialization: Initialization = "uniform",
    output_gain: float = 1.0,
    dtype: npt.DTypeLike = "float32",
) -> Network:
    """Return a network for the states of a space, for a Parameter to hold and a Worker to act with.

    MLPShape and MLP say what the arguments mean.
    """
    shape = MLPShape(math.prod(space.shape), tuple(hidden_sizes), outputs, activation, streams, free_outputs)
    return MLP(shape, initialization, output_gain, dtype)


def trainable(network: Network, framework: Framework, device: str = "AUTO") -> Network:
    """Return the network that trains the parameters of another one.

    Args:
        network: of the Parameter. With numpy it is what is returned.
        framework: raises UsageError when it is "torch" and PyTorch is missing.
        device: RunContext.device. PyTorch computes an MLP on a CPU, on one thread, unless it names a GPU: it is too
            small for more.
    """
    if framework == "numpy" or not isinstance(network, MLP):
        return network
    from srl.rl.networks.torch_mlp import TorchMLP
    from srl.rl.networks.torch_network import torch

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
