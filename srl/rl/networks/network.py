"""What an algorithm needs of a network, whatever computes it.

An algorithm is written once, in numpy: it computes the gradient of its loss with respect to the network's outputs, and
the network does the rest.

    y = network.forward(x)
    network.backward(dy)        # dy is dL/dy: the algorithm's own formula
    optimizer.step()

Arrays are numpy's on both sides. Shapes: x (batch, *input_shape), y and dy (batch, outputs).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, TypeAlias

import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[Any]
"""An array of floats, of the network's dtype."""


class Network(ABC):
    """A differentiable function of many parameters."""

    parameters: Floats
    """All of them, in one flat array. Whatever computes the network, changes of it are found here."""
    input_shape: tuple[int, ...]
    """Of one input; an algorithm reshapes its states to it."""

    @property
    @abstractmethod
    def gradients(self) -> Floats:
        """What the last `backward` found, in the order of `parameters`. Read it only."""

    @abstractmethod
    def forward(self, x: Floats) -> Floats:
        """Return the outputs, and remember what the gradients of these outputs need."""

    @abstractmethod
    def backward(self, dy: Floats) -> None:
        """Compute the gradients of the parameters, in place of the ones before.

        Args:
            dy: gradient of the loss with respect to the outputs of the last `forward`, summed or averaged over the
                batch as the loss is.
        """

    @abstractmethod
    def input_gradient(self, dy: Floats) -> Floats:
        """Return the gradient of the loss with respect to the inputs of the last `forward`.

        `gradients` stay as they are.
        """

    @abstractmethod
    def predict(self, x: Floats) -> Floats:
        """Return the outputs for acting, of one input (of `input_shape`) or of a batch. Remembers nothing."""

    @abstractmethod
    def blend(self, other: Network, tau: float) -> None:
        """Move the parameters towards those of another network of the same shape: p <- p + tau (other - p).

        tau 1 makes them equal. Small ones are for target networks: Lillicrap et al. (2016), section 3,
        arXiv:1509.02971.
        """

    def backup(self) -> Floats:
        """Return a copy of the parameters."""
        return self.parameters.copy()

    def restore(self, data: Floats) -> None:
        """Take over the parameters of a backup. Raises ValueError when it is that of another shape of network."""
        if data.shape != self.parameters.shape:
            raise ValueError(
                f"the backup has {data.size} parameters and this network {self.parameters.size}: "
                "it is of another environment, or of other settings of the network"
            )
        self.parameters[:] = data


class Optimizer(ABC):
    """Changes the parameters of networks, against their gradients."""

    lr: float
    """Learning rate; it may be changed between two steps."""

    @abstractmethod
    def step(self) -> None:
        """Make one step with the gradients of the last `backward` of each network."""

    @abstractmethod
    def backup(self) -> dict[str, Any]:
        """Return what further steps depend on, as plain data that any framework's optimizer takes."""

    @abstractmethod
    def restore(self, data: dict[str, Any]) -> None:
        """Take over a backup."""
