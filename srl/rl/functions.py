"""Mathematics that several algorithms use. Arrays may have any shape unless said otherwise."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

import numpy as np

from srl.rl.processors.picture import image_processor as image_processor  # noqa: PLC0414  one of the functions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, DTypeLike, NDArray

Floats = Any
"""A float, or an array of floats: what comes in is what comes out."""

# --- squashing large values


def rescaling(x: Floats, eps: float = 0.001) -> Floats:
    """Return h(x) = sign(x) (sqrt(|x| + 1) - 1) + eps x.

    Pohlen et al. (2018), proposition A.2, arXiv:1805.11593.
    """
    return np.sign(x) * (np.sqrt(np.abs(x) + 1) - 1) + eps * np.asarray(x)


def inverse_rescaling(x: Floats, eps: float = 0.001) -> Floats:
    """Return the x whose `rescaling` is given, for eps > 0.

    Pohlen et al. (2018), proposition A.2, arXiv:1805.11593.
    """
    root = np.sqrt(1 + 4 * eps * (np.abs(x) + 1 + eps))
    return np.sign(x) * (((root - 1) / (2 * eps)) ** 2 - 1)


def symlog(x: Floats) -> Floats:
    """Return sign(x) ln(|x| + 1). Hafner et al. (2023), equation 9, arXiv:2301.04104."""
    return np.sign(x) * np.log1p(np.abs(x))


def symexp(x: Floats) -> Floats:
    """Return sign(x) (exp(|x|) - 1), the inverse of symlog. Hafner et al. (2023), arXiv:2301.04104."""
    return np.sign(x) * np.expm1(np.abs(x))


def signed_sqrt(x: Floats) -> Floats:
    """Return sign(x) sqrt(|x|)."""
    return np.sign(x) * np.sqrt(np.abs(x))


def inverse_signed_sqrt(x: Floats) -> Floats:
    """Return sign(x) x^2."""
    return np.sign(x) * np.square(x)


def sqrt_symlog(x: Floats) -> Floats:
    """Return signed_sqrt within +-1, and sign(x) (ln|x| + 1) outside, where it grows more slowly."""
    return np.where(np.abs(x) <= 1, signed_sqrt(x), _signed_log(x))


def inverse_sqrt_symlog(x: Floats) -> Floats:
    """Return the x whose `sqrt_symlog` is given."""
    return np.where(np.abs(x) <= 1, inverse_signed_sqrt(x), _signed_exp(x))


def linear_symlog(x: Floats) -> Floats:
    """Return x within +-1, and sign(x) (ln|x| + 1) outside."""
    return np.where(np.abs(x) <= 1, x, _signed_log(x))


def inverse_linear_symlog(x: Floats) -> Floats:
    """Return the x whose `linear_symlog` is given."""
    return np.where(np.abs(x) <= 1, x, _signed_exp(x))


def _signed_log(x: Floats) -> Floats:
    return np.sign(x) * (np.log(np.maximum(np.abs(x), 1)) + 1)


def _signed_exp(x: Floats) -> Floats:
    return np.sign(x) * np.exp(np.maximum(np.abs(x), 1) - 1)


# --- probabilities


def sigmoid(x: Floats, a: float = 1) -> Floats:
    """Return 1 / (1 + exp(-a x)), without overflow."""
    return (1 + np.tanh(a * np.asarray(x) / 2)) / 2


def softmax(x: ArrayLike, axis: int = -1) -> NDArray[Any]:
    """Return exp(x) / sum(exp(x)) along an axis, without overflow."""
    x = np.asarray(x)
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True))


def unimix(probs: ArrayLike, unimix: float) -> NDArray[Any]:
    """Mix probabilities (..., classes) with a part `unimix` (0 to 1) of equal ones.

    Hafner et al. (2023), section "Robust predictions", arXiv:2301.04104.
    """
    probs = np.asarray(probs)
    return np.asarray((1 - unimix) * probs + unimix / probs.shape[-1])


def random_choice_by_probs(probs: Sequence[float], total: float | None = None) -> int:
    """Return an index, drawn in proportion to `probs`, whose sum is `total` where it is known.

    Raises ValueError unless their sum is above 0.
    """
    total = sum(probs) if total is None else total
    if not total > 0:
        raise ValueError(f"the sum of probabilities is {total}; it must be above 0")
    left = random.random() * total
    for index, prob in enumerate(probs):
        left -= prob
        if left < 0:
            return index
    return max(index for index, prob in enumerate(probs) if prob > 0)  # rounding has left a little over


def calc_epsilon_greedy_probs(
    q: Sequence[float], invalid_actions: Sequence[int], epsilon: float, action_num: int
) -> list[float]:
    """Return the probability of each action: epsilon is shared by all valid ones, the rest by the best of them.

    Sutton and Barto (2018), section 2.2. Raises ValueError when no action is valid.
    """
    valid = [action for action in range(action_num) if action not in set(invalid_actions)]
    if not valid:
        raise ValueError(f"all {action_num} actions are invalid")
    best_value = max(q[action] for action in valid)
    best = {action for action in valid if q[action] == best_value}
    probs = [0.0] * action_num
    for action in valid:
        probs[action] = epsilon / len(valid) + (1 - epsilon) / len(best) * (action in best)
    return probs


def get_random_max_index(arr: ArrayLike, invalid_actions: Sequence[int] = ()) -> int:
    """Return the index of the largest value of (n,), a random one of several; `invalid_actions` never.

    Raises ValueError when nothing is valid.
    """
    values = np.array(arr, dtype=np.float64)
    valid = np.setdiff1d(np.arange(len(values)), np.asarray(invalid_actions, dtype=np.int64))
    if not len(valid):
        raise ValueError(f"all {len(values)} actions are invalid")
    best = valid[values[valid] == values[valid].max()]
    return int(random.choice(best))


def get_random_idx_by_rankbase(arr_size: int, alpha: float = 1.0) -> int:
    """Return an index of an ascending list: the last has rank 1, and the probability is (1 / rank) ** alpha.

    Schaul et al. (2016), section 3.3, arXiv:1511.05952. Raises ValueError for an empty list.
    """
    return random_choice_by_probs([rank**-alpha for rank in range(arr_size, 0, -1)])


def create_fancy_index_for_invalid_actions(idx_list: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """Return (rows, columns) that index the invalid actions of a batch: q[rows, columns] = -inf."""
    rows = [row for row, actions in enumerate(idx_list) for _ in actions]
    columns = [action for actions in idx_list for action in actions]
    return rows, columns


def compute_normal_logprob(x: Floats, loc: Floats, scale: Floats) -> Floats:
    """Return the logarithm of the normal density at x; `scale` is the LOGARITHM of the standard deviation."""
    z = (np.asarray(x) - loc) / np.exp(scale)
    return -0.5 * (np.square(z) + math.log(2 * math.pi)) - scale


def compute_normal_logprob_sgp(x: ArrayLike, loc: Floats, scale: Floats, epsilon: float = 1e-10) -> NDArray[Any]:
    """Return the logarithm of the density of tanh(x), where x (batch, n) is normal: shape (batch, 1).

    `x` is the value before tanh, `scale` the LOGARITHM of the standard deviation. Haarnoja et al. (2018),
    appendix C, equation 21, arXiv:1801.01290.
    """
    log_change = np.log(1 - np.square(np.tanh(x)) + epsilon)
    return np.asarray((compute_normal_logprob(x, loc, scale) - log_change).sum(axis=-1, keepdims=True))


# --- categories


def one_hot(x: ArrayLike, size: int, dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """Return (..., size): 1 at the index x (...), 0 elsewhere. Raises ValueError outside 0..size-1."""
    indices = np.asarray(x)
    if np.any((indices < 0) | (indices >= size)):
        raise ValueError(f"one_hot: {x!r} is not within 0 and {size - 1}")
    return np.asarray(np.eye(size, dtype=dtype)[indices])


def twohot_encode(x: ArrayLike, size: int, low: float, high: float, dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """Return (..., size): x (...) as weights of the two nearest of `size` points from low to high.

    Values outside count as the nearer bound. Hafner et al. (2023), equation 11, arXiv:2301.04104.
    Raises ValueError for fewer than two points.
    """
    if size < 2:
        raise ValueError(f"twohot_encode: size is {size}; it must be 2 or more")
    position = (np.clip(x, low, high) - low) / (high - low) * (size - 1)
    distance = np.abs(np.arange(size) - position[..., np.newaxis])
    return np.asarray(np.maximum(0, 1 - distance), dtype)


def twohot_decode(x: NDArray[Any], size: int, low: float, high: float) -> NDArray[Any]:
    """Return the values (...) of weights (..., size): the mean of the points, by their weights."""
    return np.asarray(x @ np.linspace(low, high, size))


# --- policies of several actors


def create_beta_list(policy_num: int, max_beta: float = 0.3) -> list[float]:
    """Return the weight of the intrinsic reward of each policy, from 0 to `max_beta`.

    Badia et al. (2020), Never Give Up, appendix A, arXiv:2002.06038.
    """
    between = [max_beta * sigmoid(10 * (2 * i - (policy_num - 2)) / (policy_num - 2)) for i in range(1, policy_num - 1)]
    return [float(beta) for beta in [0.0, *between, max_beta][:policy_num]]


def create_discount_list(
    policy_num: int, gamma0: float = 0.9999, gamma1: float = 0.997, gamma2: float = 0.99
) -> list[float]:
    """Return the discount of each policy: from gamma0 to gamma1 along a sigmoid, then to gamma2 by logarithms.

    Badia et al. (2020), Agent57, appendix G, arXiv:2003.13350: the first 8 policies are on the way to gamma1, the
    rest on the way from gamma1 to gamma2; a single one of these has gamma2.
    """
    sigmoids = [gamma1 + (gamma0 - gamma1) * float(sigmoid(10 * (6 - 2 * i) / 6)) for i in range(1, 7)]
    logarithms = np.geomspace(1 - gamma1, 1 - gamma2, max(2, policy_num - 8))
    rest = [1 - float(x) for x in logarithms[-max(1, policy_num - 8) :]]
    return [gamma0, *sigmoids, gamma1, *rest][:policy_num]


def create_epsilon_list(policy_num: int, epsilon: float = 0.4, alpha: float = 8.0) -> list[float]:
    """Return the exploration rate of each actor i: epsilon ** (1 + alpha i / (policy_num - 1)).

    Horgan et al. (2018), Ape-X, section 4.1, arXiv:1803.00933. A single actor has `epsilon`.
    """
    return [epsilon ** (1 + alpha * i / max(1, policy_num - 1)) for i in range(policy_num)]
