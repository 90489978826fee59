"""Networks and Adam by PyTorch. Import it only where training is to use PyTorch: it raises UsageError without."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from srl.rl.networks.network import Floats, Network, Optimizer
from srl.utils.optional_package import import_optional

if TYPE_CHECKING:
    from collections.abc import Sequence

torch: Any = import_optional("torch", "framework='torch'", "torch")


class TorchNetwork(Network):
    """A network over a flat array of parameters that others, such as the network for acting, also look at.

    On a CPU the tensors are that very memory. On another device the array is a copy, renewed after each change.

    Args:
        parameters: the flat array.
        mask: of the same shape, 0 for parameters that are to stay as they are; None: none.
        device: as PyTorch names it.
    """

    def __init__(self, parameters: Floats, mask: Floats | None = None, device: str = "cpu") -> None:
        self.parameters = parameters
        self._mask = None if mask is None else torch.from_numpy(mask).to(device)
        self._array = torch.from_numpy(parameters)
        self.flat = self._array.to(device)
        """All parameters in one tensor, for an optimizer."""
        self.flat.grad = torch.zeros_like(self.flat)
        self._leaves = [view.detach().requires_grad_() for view in self._views(self.flat)]
        for leaf, gradient in zip(self._leaves, self._views(self.flat.grad), strict=True):
            leaf.grad = gradient  # into which PyTorch adds
        self._x: Any = None
        self._y: Any = None

    @abstractmethod
    def _views(self, flat: Any) -> list[Any]:
        """Return the parts of a flat tensor that `_compute` works with."""

    @abstractmethod
    def _compute(self, leaves: list[Any], x: Any) -> Any:
        """Return the outputs, a tensor, from the parts and the inputs."""

    @property
    def gradients(self) -> Floats:
        return self._numpy(self.flat.grad)

    def forward(self, x: Floats) -> Floats:
        """See Network."""
        self._x = self._tensor(x).requires_grad_()
        self._y = self._compute(self._leaves, self._x)
        return self._numpy(self._y.detach())

    def predict(self, x: Floats) -> Floats:
        """See Network."""
        with torch.no_grad():
            return self._numpy(self._compute(self._leaves, self._tensor(x)))

    def backward(self, dy: Floats) -> None:
        """See Network."""
        self.flat.grad.zero_()
        torch.autograd.backward(self._y, self._tensor(dy), inputs=self._leaves, retain_graph=True)
        if self._mask is not None:
            self.flat.grad.mul_(self._mask)

    def input_gradient(self, dy: Floats) -> Floats:
        """See Network."""
        return self._numpy(torch.autograd.grad(self._y, self._x, self._tensor(dy), retain_graph=True)[0])

    def blend(self, other: Network, tau: float) -> None:
        """See Network. The other one must be on the same device."""
        self.flat.lerp_(cast("TorchNetwork", other).flat, tau)
        self.publish()

    def restore(self, data: Floats) -> None:
        """See Network."""
        super().restore(data)
        self.flat.copy_(self._array)

    def publish(self) -> None:
        """Let the array have the parameters' values."""
        if self.flat.device.type != "cpu":
            self._array.copy_(self.flat)

    def _tensor(self, x: Floats) -> Any:
        writable = np.require(x, None, ["C", "W"])  # PyTorch warns of arrays that are not
        return torch.from_numpy(writable).to(self.flat.device).to(self.flat.dtype)

    @staticmethod
    def _numpy(tensor: Any) -> Floats:
        return np.asarray(tensor.cpu().numpy())


class TorchAdam(Optimizer):
    """Adam by PyTorch; arguments and backups are those of srl.rl.networks.adam.Adam."""

    def __init__(
        self,
        networks: Sequence[TorchNetwork],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        max_norm: float = 0,
    ) -> None:
        self.lr = lr
        self._networks = networks
        self._max_norm = max_norm
        self._adam = torch.optim.Adam([network.flat for network in networks], lr, betas, eps)
        self.restore(
            {
                "steps": 0,
                "means": [np.zeros_like(network.parameters) for network in networks],
                "squares": [np.zeros_like(network.parameters) for network in networks],
            }
        )

    def step(self) -> None:
        """See Optimizer."""
        if self._max_norm:
            self._clip()
        self._adam.param_groups[0]["lr"] = self.lr
        self._adam.step()
        for network in self._networks:
            network.publish()

    def backup(self) -> dict[str, Any]:
        """See Optimizer."""
        states = [self._adam.state[network.flat] for network in self._networks]
        return {
            "steps": int(states[0]["step"]),
            "means": [state["exp_avg"].cpu().numpy().copy() for state in states],
            "squares": [state["exp_avg_sq"].cpu().numpy().copy() for state in states],
        }

    def restore(self, data: dict[str, Any]) -> None:
        """See Optimizer."""
        for network, mean, square in zip(self._networks, data["means"], data["squares"], strict=True):
            self._adam.state[network.flat] = {
                "step": torch.tensor(float(data["steps"])),
                "exp_avg": torch.tensor(mean, device=network.flat.device),
                "exp_avg_sq": torch.tensor(square, device=network.flat.device),
            }

    def _clip(self) -> None:
        gradients = [network.flat.grad for network in self._networks]
        norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
        scale = torch.clamp(self._max_norm / norm, max=1)  # a norm of 0 gives 1
        for gradient in gradients:
            gradient.mul_(scale)
