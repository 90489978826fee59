"""A multilayer perceptron in numpy.

On networks as small as those for low-dimensional states it is several times as fast as frameworks that are made for
large ones, and it needs nothing but numpy: acting always uses it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from srl.rl.memories.drawing import new_generator
from srl.rl.networks.initialization import Initialization, initialize
from srl.rl.networks.network import Floats, Network

if TYPE_CHECKING:
    import numpy.typing as npt

Activation = Literal["relu", "tanh"]


@dataclass(frozen=True)
class MLPShape:
    """How many of what: it settles where each weight lies in the flat array of parameters."""

    inputs: int
    hidden: tuple[int, ...]
    """Units of each hidden layer."""
    outputs: int
    """All of them, those of `free_outputs` included."""
    activation: Activation = "relu"
    """Of hidden layers; outputs have none."""
    streams: tuple[int, ...] = ()
    """Outputs of each of several streams, which share all hidden layers but the last: of that, each has one of its own.

    (1, n) makes the dueling architecture: Wang et al. (2016), figure 1, arXiv:1511.06581.
    """
    free_outputs: int = 0
    """The last outputs, that do not depend on the input, such as the log standard deviations of a policy."""

    def layers(self) -> list[tuple[int, int]]:
        """Return (inputs, outputs) of each layer."""
        hidden = list(self.hidden)
        if self.streams:
            hidden[-1] *= len(self.streams)
        widths = [self.inputs, *hidden, self.outputs - self.free_outputs]
        return list(pairwise(widths))

    @property
    def size(self) -> int:
        """The number of parameters."""
        return sum((inputs + 1) * outputs for inputs, outputs in self.layers()) + self.free_outputs

    def split(self, flat: Any) -> tuple[list[Any], list[Any], Any]:
        """Return views of a flat array or tensor: weights (inputs, outputs) and biases by layer, free outputs."""
        weights, biases, start = [], [], 0
        for inputs, outputs in self.layers():
            middle, end = start + inputs * outputs, start + (inputs + 1) * outputs
            weights.append(flat[start:middle].reshape(inputs, outputs))
            biases.append(flat[middle:end])
            start = end
        return weights, biases, flat[start:]

    def connections(self) -> npt.NDArray[np.bool_] | None:
        """Return which units feed which outputs, the shape of the last layer's weights; None when all do."""
        if not self.streams:
            return None
        units = np.repeat(np.arange(len(self.streams)), self.hidden[-1])
        outputs = np.repeat(np.arange(len(self.streams)), self.streams)
        return np.equal(units[:, None], outputs[None, :])

    def mask(self, dtype: npt.DTypeLike) -> Floats | None:
        """Return, for each parameter, 0 where there is no connection and 1 elsewhere; None when all are there."""
        connections = self.connections()
        if connections is None:
            return None
        mask = np.ones(self.size, dtype)
        self.split(mask)[0][-1][:] = connections
        return mask

    def __str__(self) -> str:
        """Return the units of each layer, and the activation."""
        widths = [self.inputs, *(outputs for _, outputs in self.layers())]
        return f"{'-'.join(map(str, widths))}, {self.activation}"

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot be."""
        if min((self.inputs, self.outputs, *self.hidden, *self.streams), default=0) < 1:
            raise ValueError(f"{self!r}: each layer needs 1 unit or more")
        if self.activation not in {"relu", "tanh"}:
            raise ValueError(f"activation is '{self.activation}'; it must be 'relu' or 'tanh'")
        if not 0 <= self.free_outputs < self.outputs:
            raise ValueError(f"free_outputs is {self.free_outputs}; it must be below outputs ({self.outputs})")
        if self.streams and (not self.hidden or sum(self.streams) != self.outputs - self.free_outputs):
            raise ValueError(f"streams {self.streams} need a hidden layer, and {self.outputs} outputs in all")


class MLP(Network):
    """A multilayer perceptron.

    Args:
        shape: of the network.
        initialization: of weights, see srl.rl.networks.initialization.
        output_gain: factor of the first weights of the last layer.
        dtype: of everything.
        rng: draws the first weights; None: one that `srl.utils.common.set_seed` settles.
    """

    def __init__(
        self,
        shape: MLPShape,
        initialization: Initialization = "uniform",
        output_gain: float = 1.0,
        dtype: npt.DTypeLike = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.shape = shape
        self.input_shape = (shape.inputs,)
        self.parameters = np.zeros(shape.size, dtype)
        self._gradients = np.zeros(shape.size, dtype)
        self._weights, self._biases, self._free = shape.split(self.parameters)
        self._weight_gradients, self._bias_gradients, self._free_gradients = shape.split(self._gradients)
        self._dtype = self.parameters.dtype
        self._connections = shape.connections()
        self._is_relu = shape.activation == "relu"
        self._hidden = list(zip(self._weights[:-1], self._biases[:-1], strict=True))
        self._inputs: list[Floats] = []
        """Of each layer, in the last `forward`."""
        initialize(self._weights, self._biases, initialization, output_gain, rng or new_generator())
        if self._connections is not None:
            self._weights[-1] *= self._connections

    @property
    def gradients(self) -> Floats:
        return self._gradients

    def __str__(self) -> str:
        return f"MLP {self.shape}"

    def forward(self, x: Floats) -> Floats:
        """See Network."""
        self._inputs = [np.asarray(x, self._dtype)]
        for weights, biases in self._hidden:
            self._inputs.append(self._activated(self._inputs[-1] @ weights, biases))
        return self._outputs(self._inputs[-1])

    def predict(self, x: Floats) -> Floats:
        """See Network."""
        x = np.asarray(x, self._dtype)
        for weights, biases in self._hidden:
            x = self._activated(x @ weights, biases)
        return self._outputs(x)

    def backward(self, dy: Floats) -> None:
        """See Network."""
        d = self._split_free(dy)
        for layer in range(len(self._weights) - 1, -1, -1):
            np.matmul(self._inputs[layer].T, d, out=self._weight_gradients[layer])
            np.add.reduce(d, axis=0, out=self._bias_gradients[layer])
            if layer:
                d = self._through(layer, d)
        if self._connections is not None:
            self._weight_gradients[-1] *= self._connections

    def input_gradient(self, dy: Floats) -> Floats:
        """See Network."""
        d = np.asarray(dy, self._dtype)[:, : self.shape.outputs - self.shape.free_outputs]
        for layer in range(len(self._weights) - 1, 0, -1):
            d = self._through(layer, d)
        dx: Floats = d @ self._weights[0].T
        return dx

    def blend(self, other: Network, tau: float) -> None:
        """See Network."""
        if tau == 1:
            self.parameters[:] = other.parameters
        else:
            self.parameters += tau * (other.parameters - self.parameters)

    def _activated(self, h: Floats, biases: Floats) -> Floats:
        """Return the values of hidden units; `h` is overwritten."""
        h += biases
        return np.maximum(h, 0, out=h) if self._is_relu else np.tanh(h, out=h)

    def _outputs(self, h: Floats) -> Floats:
        y: Floats = h @ self._weights[-1]
        y += self._biases[-1]
        if not self.shape.free_outputs:
            return y
        return np.concatenate([y, np.broadcast_to(self._free, (*y.shape[:-1], len(self._free)))], axis=-1)

    def _split_free(self, dy: Floats) -> Floats:
        """Take out, and note down, the gradients of free outputs; return the others."""
        dy = np.asarray(dy, self._dtype)
        if not self.shape.free_outputs:
            return dy
        np.add.reduce(dy[:, -self.shape.free_outputs :], axis=0, out=self._free_gradients)
        return np.ascontiguousarray(dy[:, : -self.shape.free_outputs])

    def _through(self, layer: int, d: Floats) -> Floats:
        """Return the gradient before the activation below a layer, from the one at its outputs."""
        h = self._inputs[layer]
        d = d @ self._weights[layer].T
        d *= (h > 0) if self._is_relu else 1 - h * h
        return d
