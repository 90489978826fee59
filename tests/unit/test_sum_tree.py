"""The sum tree and the weights against the formulas, over several levels."""

import numpy as np

from srl.rl.memories.priority_memories.importance import importance_weights
from srl.rl.memories.priority_memories.proportional import Proportional
from srl.rl.memories.priority_memories.sum_tree import SumTree


def test_it_finds_what_a_running_sum_finds():
    values = np.random.default_rng(1).integers(0, 5, 3000).astype(float)
    tree = SumTree(3000)
    tree.set(np.arange(3000), np.ones(3000))
    tree.set(np.arange(3000), values)
    points = np.arange(0, values.sum(), 0.5)
    assert tree.total() == values.sum()
    assert np.array_equal(tree.find(points), np.searchsorted(values.cumsum(), points, side="right"))
    assert values[tree.find(np.array([values.sum()]))] > 0


def test_weights_follow_the_formula():
    weights = importance_weights(np.array([0.1, 0.4]), 5, 0.5)
    assert np.allclose(weights, [1, 0.5])


def test_without_duplicates_there_are_none():
    sampler = Proportional(8, alpha=3, has_duplicate=False)
    sampler.set(np.arange(8), np.array([1e6, 1, 1, 1, 1, 1, 1, 1]))
    numbers, _ = sampler.sample(range(8), 8, 0, np.random.default_rng(1))
    assert sorted(numbers.tolist()) == list(range(8))
