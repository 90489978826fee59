"""One seed for every random number generator that algorithms use."""

from __future__ import annotations

import random
import sys

import numpy as np


def set_seed(seed: int | None, enable_gpu: bool = False) -> None:
    """Seed `random`, numpy's global generator and, if the program has imported it, torch. None seeds nothing.

    With `enable_gpu` torch also computes in a repeatable, slower way on a GPU.
    """
    if seed is None:
        return
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  author's code uses the global generator
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)
        torch.backends.cudnn.deterministic = enable_gpu
