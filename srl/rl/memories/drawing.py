"""Random draws that several memories use."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]

FEW = 100
"""Up to about here a set finds equal numbers faster than sorting does."""


def new_generator() -> np.random.Generator:
    """Return a generator that is seeded from `random`, so that `srl.utils.common.set_seed` settles its draws."""
    return np.random.default_rng(random.getrandbits(64))


def draw_distinct(rng: np.random.Generator, count: int, size: int) -> Ints:
    """Return `size` different numbers below `count`; every choice is equally likely."""
    drawn: Ints = (rng.random(size) * count).astype(np.int64)
    return rng.choice(count, size, replace=False) if _has_equal(drawn) else drawn


def _has_equal(numbers: Ints) -> bool:
    if len(numbers) < FEW:
        return len(set(numbers.tolist())) < len(numbers)
    ordered = np.sort(numbers)
    return bool(np.count_nonzero(ordered[1:] == ordered[:-1]))


def draw_distinct_weighted(
    rng: np.random.Generator, draw: Callable[[int], Ints], weights: Callable[[], npt.NDArray[Any]], size: int
) -> Ints:
    """Return `size` different numbers, drawn one after the other in proportion to the weights of those left.

    That is the same as drawing with replacement and passing over what came before. Where that would take long, the
    rest is drawn at once, by Efraimidis and Spirakis (2006): the smallest of exponential variables over weights.

    Args:
        rng: where random numbers come from.
        draw: returns so many numbers, drawn independently in proportion to the weights.
        weights: returns the weights, by number; at least `size` of them are positive.
        size: how many numbers are wanted.
    """
    drawn = draw(2 * size)
    _, firsts = np.unique(drawn, return_index=True)
    distinct = drawn[np.sort(firsts)][:size]
    missing = size - len(distinct)
    if not missing:
        return distinct
    left = np.array(weights(), np.float64)
    left[distinct] = 0
    positive = np.flatnonzero(left)
    keys = rng.exponential(size=len(positive)) / left[positive]
    return np.concatenate([distinct, positive[np.argsort(keys)[:missing]]])
