"""Adam in numpy: Kingma and Ba (2015), algorithm 1, arXiv:1412.6980."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from srl.rl.networks.network import Floats, Network, Optimizer

if TYPE_CHECKING:
    from collections.abc import Sequence


class Adam(Optimizer):
    """Steps along the mean of gradients, over the root of the mean of their squares.

    Args:
        networks: what to optimize. Each is one flat array, so a step is a few operations however many its layers.
        lr: learning rate, alpha in the paper.
        betas: decay rates of the two means.
        eps: added to the root.
        max_norm: gradients of all the networks together that are longer are scaled down to this length: Pascanu et
            al. (2013), algorithm 1, arXiv:1211.5063. 0: they are left as they are.
    """

    def __init__(
        self,
        networks: Sequence[Network],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        max_norm: float = 0,
    ) -> None:
        self.lr = lr
        self._networks = networks
        self._betas = betas
        self._eps = eps
        self._max_norm = max_norm
        self._means = [np.zeros_like(network.parameters) for network in networks]
        self._squares = [np.zeros_like(network.parameters) for network in networks]
        self._scratch = [np.empty_like(network.parameters) for network in networks]
        self._steps = 0

    def step(self) -> None:
        """See Optimizer."""
        self._steps += 1
        scale = self._scale()
        for i, network in enumerate(self._networks):
            gradients = network.gradients if scale == 1 else scale * network.gradients
            self._update(network.parameters, gradients, self._means[i], self._squares[i], self._scratch[i])

    def backup(self) -> dict[str, Any]:
        """See Optimizer."""
        return {
            "steps": self._steps,
            "means": [mean.copy() for mean in self._means],
            "squares": [square.copy() for square in self._squares],
        }

    def restore(self, data: dict[str, Any]) -> None:
        """See Optimizer."""
        self._steps = data["steps"]
        for name, arrays in (("means", self._means), ("squares", self._squares)):
            for array, value in zip(arrays, data[name], strict=True):
                array[:] = value

    def _scale(self) -> float:
        if not self._max_norm:
            return 1.0
        norm = math.sqrt(sum(float(network.gradients @ network.gradients) for network in self._networks))
        return min(1.0, self._max_norm / norm) if norm else 1.0

    def _update(self, parameters: Floats, gradients: Floats, mean: Floats, square: Floats, scratch: Floats) -> None:
        beta1, beta2 = self._betas
        np.multiply(gradients, 1 - beta1, out=scratch)
        mean *= beta1
        mean += scratch
        np.multiply(gradients, gradients, out=scratch)
        scratch *= 1 - beta2
        square *= beta2
        square += scratch
        # lr * mean / (1 - beta1^t) / (sqrt(square / (1 - beta2^t)) + eps), with both divisions put into the numbers
        correction = math.sqrt(1 - beta2**self._steps)
        np.sqrt(square, out=scratch)
        scratch += self._eps * correction
        np.divide(mean, scratch, out=scratch)
        scratch *= self.lr * correction / (1 - beta1**self._steps)
        parameters -= scratch
