"""The first weights of networks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Initialization = Literal["uniform", "orthogonal"]
"""
"uniform": weights and biases evenly within +-1 / sqrt(inputs), as PyTorch's linear layers begin.
"orthogonal": weights orthogonal, times sqrt(2) in hidden layers, Saxe et al. (2014), arXiv:1312.6120; biases 0.
"""


def initialize(
    weights: Sequence[NDArray[Any]],
    biases: Sequence[NDArray[Any]],
    initialization: Initialization,
    output_gain: float,
    rng: np.random.Generator,
) -> None:
    """Fill weights (inputs, outputs) and biases (outputs,), layer by layer; the last one times `output_gain`.

    Raises ValueError for an unknown way.
    """
    if initialization not in {"uniform", "orthogonal"}:
        raise ValueError(f"initialization is '{initialization}'; it must be 'uniform' or 'orthogonal'")
    for weight, bias in zip(weights, biases, strict=True):
        if initialization == "uniform":
            bound = 1 / math.sqrt(len(weight))
            weight[:] = rng.uniform(-bound, bound, weight.shape)
            bias[:] = rng.uniform(-bound, bound, bias.shape)
        else:
            weight[:] = math.sqrt(2) * orthogonal(weight.shape, rng)
            bias[:] = 0
    if initialization == "orthogonal":
        weights[-1][:] /= math.sqrt(2)
    weights[-1][:] *= output_gain


def orthogonal(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a random matrix whose shorter side's vectors are orthogonal and of length 1."""
    long, short = max(shape), min(shape)
    q, r = np.linalg.qr(rng.normal(size=(long, short)))
    q *= np.sign(np.diag(r))  # evenly distributed: Mezzadri (2007), section 5, arXiv:math-ph/0609050
    return np.asarray(q if shape[0] == long else q.T)
