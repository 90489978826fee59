"""The multilayer perceptron by PyTorch: the same function, over the same memory, as the one in numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srl.rl.networks.torch_network import TorchNetwork, torch

if TYPE_CHECKING:
    from srl.rl.networks.mlp import MLP
    from srl.rl.networks.network import Floats


class TorchMLP(TorchNetwork):
    """Trains the parameters of an MLP.

    Args:
        mlp: whose shape and parameters it has.
        device: as PyTorch names it.
    """

    def __init__(self, mlp: MLP, device: str = "cpu") -> None:
        self.shape, self.input_shape = mlp.shape, mlp.input_shape
        connections = mlp.shape.connections()
        self._connections = None if connections is None else torch.from_numpy(connections).to(device)
        super().__init__(mlp.parameters, device)

    def _views(self, flat: Any) -> list[Any]:
        weights, biases, free = self.shape.split(flat)
        return [*weights, *biases, free]

    def _compute(self, leaves: list[Any], x: Any) -> Any:
        layers = len(self.shape.layers())
        weights, biases, free = leaves[:layers], leaves[layers:-1], leaves[-1]
        activate = torch.relu if self.shape.activation == "relu" else torch.tanh
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            x = activate(x @ weight + bias)
        y = x @ weights[-1] + biases[-1]
        return torch.cat([y, free.expand(*y.shape[:-1], -1)], dim=-1) if self.shape.free_outputs else y

    def backward(self, dy: Floats) -> None:
        """See Network."""
        super().backward(dy)
        if self._connections is not None:
            self._views(self.flat.grad)[len(self.shape.layers()) - 1].mul_(self._connections)
