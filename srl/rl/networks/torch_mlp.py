"""The multilayer perceptron by PyTorch: the same function, over the same memory, as the one in numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srl.rl.networks.torch_network import TorchNetwork, torch

if TYPE_CHECKING:
    from srl.rl.networks.mlp import MLP, MLPShape


class TorchMLP(TorchNetwork):
    """Trains the parameters of an MLP.

    Args:
        mlp: whose shape and parameters it has.
        device: as PyTorch names it.
    """

    def __init__(self, mlp: MLP, device: str = "cpu") -> None:
        self.shape, self.input_shape = mlp.shape, mlp.input_shape
        super().__init__(mlp.parameters, mlp.shape.mask(mlp.parameters.dtype), device)

    def _views(self, flat: Any) -> list[Any]:
        return mlp_parts(self.shape, flat)

    def _compute(self, leaves: list[Any], x: Any) -> Any:
        return mlp_outputs(self.shape, leaves, x)


def mlp_parts(shape: MLPShape, flat: Any) -> list[Any]:
    """Return the parts of a flat tensor: the weights of all layers, their biases, the free outputs."""
    weights, biases, free = shape.split(flat)
    return [*weights, *biases, free]


def mlp_outputs(shape: MLPShape, parts: list[Any], x: Any) -> Any:
    """Return what a multilayer perceptron of these parts makes of x (batch, inputs)."""
    layers = len(shape.layers())
    weights, biases, free = parts[:layers], parts[layers:-1], parts[-1]
    activate = torch.relu if shape.activation == "relu" else torch.tanh
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        x = activate(x @ weight + bias)
    y = x @ weights[-1] + biases[-1]
    return torch.cat([y, free.expand(*y.shape[:-1], -1)], dim=-1) if shape.free_outputs else y
