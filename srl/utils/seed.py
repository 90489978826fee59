"""One seed for every random number generator that algorithms use, and the state of them all."""

from __future__ import annotations

import contextlib
import random
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random.mtrand import get_bit_generator

if TYPE_CHECKING:
    from collections.abc import Iterator


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


def shared_generator() -> np.random.Generator:
    """Return a generator that has its state in common with numpy's global one: seeds and checkpoints hold for it."""
    return np.random.Generator(get_bit_generator())


def random_states() -> dict[str, Any]:
    """Return the state of all generators that `set_seed` seeds, as numbers and arrays."""
    states: dict[str, Any] = {"random": random.getstate(), "numpy": np.random.get_state()}  # noqa: NPY002
    torch = sys.modules.get("torch")
    if torch is not None:
        states["torch"] = torch.get_rng_state().numpy()
        if torch.cuda.is_available():
            states["cuda"] = [state.numpy() for state in torch.cuda.get_rng_state_all()]
    return states


def set_random_states(states: dict[str, Any]) -> None:
    """Go back to what `random_states` returned. torch's is left out if the program has not imported it."""
    random.setstate(states["random"])
    np.random.set_state(states["numpy"])  # noqa: NPY002
    torch = sys.modules.get("torch")
    if torch is None or "torch" not in states:
        return
    torch.set_rng_state(torch.from_numpy(states["torch"].copy()))
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state_all([torch.from_numpy(state.copy()) for state in states["cuda"]])


@contextlib.contextmanager
def undisturbed_randomness() -> Iterator[None]:
    """Around what may draw random numbers of its own: afterwards the generators go on as if it had not."""
    states = random_states()
    try:
        yield
    finally:
        set_random_states(states)
