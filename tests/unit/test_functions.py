from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srl.rl import functions as f

moderate = st.floats(-50, 50)
PAIRS = [
    (f.rescaling, f.inverse_rescaling),
    (f.symlog, f.symexp),
    (f.signed_sqrt, f.inverse_signed_sqrt),
    (f.sqrt_symlog, f.inverse_sqrt_symlog),
    (f.linear_symlog, f.inverse_linear_symlog),
]


@pytest.mark.parametrize(("squash", "expand"), PAIRS, ids=lambda function: function.__name__)
@given(x=moderate)
def test_inverses(squash: Any, expand: Any, x: float) -> None:
    assert float(expand(squash(x))) == pytest.approx(x, rel=1e-6, abs=1e-6)
    assert float(squash(-x)) == pytest.approx(-float(squash(x)))


@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [
        (f.rescaling, 3, 1 + 0.003),
        (f.symlog, math.e - 1, 1),
        (f.symexp, -1, 1 - math.e),
        (f.signed_sqrt, -9, -3),
        (f.inverse_signed_sqrt, -3, -9),
        (f.sqrt_symlog, 0.25, 0.5),
        (f.sqrt_symlog, -math.e, -2),
        (f.linear_symlog, 0.25, 0.25),
        (f.linear_symlog, math.e, 2),
        (f.sigmoid, 0, 0.5),
        (f.sigmoid, math.log(3), 0.75),
        (f.sigmoid, -1e9, 0),
    ],
)
def test_closed_forms(function: Any, x: float, expected: float) -> None:
    assert float(function(x)) == pytest.approx(expected)
    assert function(np.full((2, 3), x)) == pytest.approx(np.full((2, 3), expected))


def test_softmax() -> None:
    assert f.softmax([math.log(1), math.log(3)]) == pytest.approx([0.25, 0.75])
    assert f.softmax([[1000.0, 1000.0], [-1000.0, 1000.0]]) == pytest.approx(np.array([[0.5, 0.5], [0, 1]]))
    assert f.softmax([[0.0, 5.0], [0.0, 5.0]], axis=0) == pytest.approx(np.full((2, 2), 0.5))


def test_unimix() -> None:
    assert f.unimix([1.0, 0, 0, 0], 0.1) == pytest.approx([0.925, 0.025, 0.025, 0.025])


def test_one_hot() -> None:
    assert f.one_hot([[0, 2]], 3).tolist() == [[[1, 0, 0], [0, 0, 1]]]
    assert f.one_hot(1, 2, np.int8).dtype == np.int8
    with pytest.raises(ValueError, match="one_hot: 3 is not within 0 and 2"):
        f.one_hot(3, 3)


def test_twohot() -> None:
    assert f.twohot_encode(0.3, 5, -2, 2) == pytest.approx([0, 0, 0.7, 0.3, 0])
    assert f.twohot_encode([9, -9], 3, -2, 2).tolist() == [[0, 0, 1], [1, 0, 0]]
    with pytest.raises(ValueError, match="size is 1; it must be 2 or more"):
        f.twohot_encode(0, 1, -1, 1)


@given(st.lists(st.floats(-2, 5), min_size=1, max_size=5), st.integers(2, 20))
def test_twohot_is_decoded(values: list[float], size: int) -> None:
    weights = f.twohot_encode(values, size, -2, 5, np.float64)
    assert weights.sum(axis=-1) == pytest.approx(1)
    assert f.twohot_decode(weights, size, -2, 5) == pytest.approx(np.array(values))


def test_random_choice_by_probs() -> None:
    assert {f.random_choice_by_probs([0, 1, 0]) for _ in range(50)} == {1}
    assert f.random_choice_by_probs([1, 0], total=1 + 1e-9) == 0
    random.seed(0)
    counts = Counter(f.random_choice_by_probs([1, 3]) for _ in range(4000))
    assert counts[1] / 4000 == pytest.approx(0.75, abs=0.03)
    with pytest.raises(ValueError, match="the sum of probabilities is 0"):
        f.random_choice_by_probs([0, 0])


def test_random_choice_when_rounding_leaves_a_little_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "random", lambda: 1.0)
    assert f.random_choice_by_probs([0.5, 0.5, 0]) == 1


def test_calc_epsilon_greedy_probs() -> None:
    probs = f.calc_epsilon_greedy_probs([1, 2, 2, 5], [3], 0.3, 4)
    assert probs == pytest.approx([0.1, 0.45, 0.45, 0])
    assert f.calc_epsilon_greedy_probs([1, 2], [], 0, 2) == [0, 1]
    with pytest.raises(ValueError, match="all 2 actions are invalid"):
        f.calc_epsilon_greedy_probs([1, 2], [0, 1], 0.1, 2)


def test_get_random_max_index() -> None:
    assert {f.get_random_max_index([1, 3, 3, 2]) for _ in range(50)} == {1, 2}
    assert f.get_random_max_index(np.array([1, 3, 3, 5]), [1, 3]) == 2
    assert f.get_random_max_index([-math.inf, -math.inf], [0]) == 1
    with pytest.raises(ValueError, match="all 2 actions are invalid"):
        f.get_random_max_index([1, 2], [0, 1])


def test_get_random_idx_by_rankbase() -> None:
    random.seed(1)
    counts = Counter(f.get_random_idx_by_rankbase(2) for _ in range(3000))
    assert counts[1] / 3000 == pytest.approx(2 / 3, abs=0.03)
    with pytest.raises(ValueError, match="sum of probabilities is 0"):
        f.get_random_idx_by_rankbase(0)


def test_fancy_index() -> None:
    q = np.zeros((3, 3))
    q[f.create_fancy_index_for_invalid_actions([[1, 2], [], [0]])] = 1
    assert q.tolist() == [[0, 1, 1], [0, 0, 0], [1, 0, 0]]


def test_normal_logprob() -> None:
    density = math.exp(-0.5 * (0.2 / 2) ** 2) / (2 * math.sqrt(2 * math.pi))
    assert f.compute_normal_logprob(0.3, 0.1, math.log(2)) == pytest.approx(math.log(density))


def test_logprob_of_a_squashed_normal_integrates_to_one() -> None:
    x = np.linspace(-6, 6, 20_001)[:, np.newaxis]
    density = np.exp(f.compute_normal_logprob_sgp(x, 0.3, math.log(0.7)))
    y = np.tanh(x)
    area = float(((density[1:] + density[:-1]) / 2 * np.diff(y, axis=0)).sum())
    assert density.shape == (20_001, 1)
    assert area == pytest.approx(1, abs=1e-3)


def test_beta_list() -> None:
    assert f.create_beta_list(1) == [0]
    assert f.create_beta_list(2) == [0, 0.3]
    betas = f.create_beta_list(8)
    assert betas == sorted(betas)
    assert betas[3] == pytest.approx(0.15)
    assert (betas[0], betas[-1], len(betas)) == (0, 0.3, 8)


@pytest.mark.parametrize("policy_num", [1, 2, 7, 8, 9, 10, 16])
def test_discount_list(policy_num: int) -> None:
    discounts = f.create_discount_list(policy_num)
    assert len(discounts) == policy_num
    assert discounts == sorted(discounts, reverse=True)
    assert discounts[0] == 0.9999
    assert all(math.isfinite(discount) for discount in discounts)
    if policy_num >= 8:
        assert discounts[3] == pytest.approx((0.9999 + 0.997) / 2)
        assert discounts[7] == 0.997
    if policy_num > 8:
        assert discounts[-1] == pytest.approx(0.99)


def test_epsilon_list() -> None:
    assert f.create_epsilon_list(1) == [0.4]
    assert f.create_epsilon_list(3) == pytest.approx([0.4, 0.4**5, 0.4**9])


def test_image_processor_is_one_of_them() -> None:
    from srl.base.define import SpaceTypes

    picture = np.full((2, 2, 3), 255, np.uint8)
    assert f.image_processor(picture, SpaceTypes.RGB, SpaceTypes.GRAY_HW).tolist() == [[255, 255], [255, 255]]
