"""A convolutional network for pictures, by PyTorch, which acts and trains with it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from srl.rl.memories.drawing import new_generator
from srl.rl.networks.initialization import Initialization, initialize
from srl.rl.networks.torch_mlp import mlp_outputs, mlp_parts
from srl.rl.networks.torch_network import TorchNetwork, torch
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    import numpy.typing as npt

    from srl.rl.networks.mlp import MLPShape
    from srl.rl.networks.network import Floats

LAYERS = ((32, 8, 4), (64, 4, 2), (64, 3, 1))
"""Filters, width and stride of each convolution: Mnih et al. (2015), Methods, "Model architecture"."""


@dataclass(frozen=True)
class ConvShape:
    """Convolutions, and a multilayer perceptron that takes what they find: it settles where each weight lies."""

    picture: tuple[int, int, int]
    """Height, width and channels."""
    head: MLPShape

    def filters(self) -> list[tuple[int, int, int, int]]:
        """Return the shape of each convolution's weights: filters, channels, height, width."""
        channels = [self.picture[2], *(filters for filters, *_ in LAYERS[:-1])]
        return [(filters, before, width, width) for before, (filters, width, _) in zip(channels, LAYERS, strict=True)]

    @property
    def size(self) -> int:
        """The number of parameters."""
        return sum(math.prod(shape) + shape[0] for shape in self.filters()) + self.head.size

    def split(self, flat: Any) -> tuple[list[Any], list[Any], Any]:
        """Return views of a flat array or tensor: weights and biases by convolution, and the part of the head."""
        weights, biases, start = [], [], 0
        for shape in self.filters():
            middle = start + math.prod(shape)
            weights.append(flat[start:middle].reshape(shape))
            biases.append(flat[middle : middle + shape[0]])
            start = middle + shape[0]
        return weights, biases, flat[start:]

    def mask(self, dtype: npt.DTypeLike) -> Floats | None:
        """Return, for each parameter, 0 where there is no connection and 1 elsewhere; None when all are there."""
        head = self.head.mask(dtype)
        return None if head is None else np.concatenate([np.ones(self.size - head.size, dtype), head])

    def new_parameters(
        self, initialization: Initialization, output_gain: float, dtype: npt.DTypeLike, rng: np.random.Generator | None
    ) -> Floats:
        """Return first parameters; arguments are those of MLP."""
        parameters = np.zeros(self.size, dtype)
        convolutions, conv_biases, head = self.split(parameters)
        weights, biases, _ = self.head.split(head)
        by_input = [weight.reshape(len(weight), -1).T for weight in convolutions]
        initialize([*by_input, *weights], [*conv_biases, *biases], initialization, output_gain, rng or new_generator())
        mask = self.mask(dtype)
        return parameters if mask is None else parameters * mask

    def __str__(self) -> str:
        """Return the size of pictures, the filters of each convolution, and the head."""
        filters = "-".join(str(shape[0]) for shape in self.filters())
        return f"{'x'.join(map(str, self.picture))}, convolutions {filters}, then {self.head}"


class ConvNetwork(TorchNetwork):
    """A convolutional network.

    Args:
        shape: of the network.
        parameters: its flat array.
        scale: factor of the inputs; 1 / 255 for bytes.
        device: as PyTorch names it.
    """

    def __init__(self, shape: ConvShape, parameters: Floats, scale: float = 1.0, device: str = "cpu") -> None:
        self.shape, self.input_shape = shape, shape.picture
        self._scale = scale
        super().__init__(parameters, shape.mask(parameters.dtype), device)

    def on(self, device: str) -> ConvNetwork:
        """Return the network of the same parameters on a device: itself, if it is there."""
        if torch.device(device) == self.flat.device:
            return self
        return ConvNetwork(self.shape, self.parameters, self._scale, device)

    def predict(self, x: Floats) -> Floats:
        """See Network."""
        return super().predict(x[np.newaxis])[0] if x.ndim == 3 else super().predict(x)

    def _views(self, flat: Any) -> list[Any]:
        weights, biases, head = self.shape.split(flat)
        return [*weights, *biases, *mlp_parts(self.shape.head, head)]

    def _compute(self, leaves: list[Any], x: Any) -> Any:
        count = len(LAYERS)
        x = (x * self._scale).permute(0, 3, 1, 2)  # PyTorch has channels before height and width
        for weight, bias, (*_, stride) in zip(leaves[:count], leaves[count : 2 * count], LAYERS, strict=True):
            x = torch.relu(torch.nn.functional.conv2d(x, weight, bias, stride))
        return mlp_outputs(self.shape.head, leaves[2 * count :], x.flatten(1))

    def __str__(self) -> str:
        return f"ConvNetwork {self.shape}"


def conv_features(picture: tuple[int, int, int]) -> int:
    """Return how many numbers the convolutions make of a picture. Raises UsageError when it is too small for them."""
    height, width, _ = picture
    for _, size, stride in LAYERS:
        height, width = (height - size) // stride + 1, (width - size) // stride + 1
    if min(height, width) < 1:
        raise UsageError(
            f"pictures of {picture[0]} x {picture[1]} are too small for a convolutional network, which needs 36 x 36: "
            "enlarge them by an ImageProcessor in RLConfig.processors, or set "
            "RLConfig.override_env_observation_type to SpaceTypes.FEATURE_MAP to take their numbers as they are"
        )
    return height * width * LAYERS[-1][0]
