"""What replay memories sample, and with which weights, against the definition of each mode.

Draws are seeded, so a test passes or fails for good; its level of 0.001 says how likely chance would have failed it
when it was written.
"""

from dataclasses import dataclass, field

import numpy as np
import pytest

from srl.base.rl.config import DummyRLConfig
from srl.rl.memories.priority_replay_buffer import PriorityReplayBufferConfig, RLPriorityReplayBuffer

PRIORITIES = np.array([3.0, 0.0, 1.0, 8.0, 2.0, 5.0])
N = len(PRIORITIES)
RANKS = np.array([3, 6, 5, 1, 4, 2])
DRAWS = 2500
CHI_SQUARE_0_999 = {1: 10.828, 2: 13.816, 3: 16.266, 4: 18.467, 5: 20.515, 29: 58.301, 39: 72.055}
"""0.999 quantiles by degrees of freedom (NIST/SEMATECH e-Handbook of Statistical Methods, table 1.3.6.7.4)."""

# P(i) of each mode. Schaul et al. 2016, "Prioritized Experience Replay": equation 1 and section 3.3.
UNIFORM = np.ones(N) / N
PROPORTIONAL = (PRIORITIES + 1e-4) ** 0.6 / ((PRIORITIES + 1e-4) ** 0.6).sum()
RANK_BASED = (1 / RANKS) ** 0.6 / ((1 / RANKS) ** 0.6).sum()
LINEAR = (1 + 0.6 * (N - RANKS)) / (1 + 0.6 * (N - RANKS)).sum()
DISTINCT = [
    ("set_replay_buffer", {}, UNIFORM),
    ("set_proportional", {"has_duplicate": False}, PROPORTIONAL),
    ("set_proportional_cpp", {"has_duplicate": False}, PROPORTIONAL),
    ("set_rankbased", {}, RANK_BASED),
    ("set_rankbased_linear", {}, LINEAR),
]
WEIGHTED = [
    ("set_proportional", {"has_duplicate": True}, PROPORTIONAL),
    *[mode for mode in DISTINCT if mode[0] != "set_replay_buffer"],
]


@dataclass
class Config(DummyRLConfig):
    batch_size: int = 2
    memory: PriorityReplayBufferConfig = field(default_factory=PriorityReplayBufferConfig)


def filled(mode, kwargs, batch_size=2, priorities=PRIORITIES):
    """Return a memory of the items 0, 1, ... with these priorities, whose draws are seeded."""
    settings = PriorityReplayBufferConfig(capacity=len(priorities), warmup_size=len(priorities))
    getattr(settings, mode)(**kwargs)
    memory = RLPriorityReplayBuffer(Config(batch_size=batch_size, memory=settings))
    memory._rng = np.random.default_rng(20161)
    for number, priority in enumerate(priorities):
        memory.add(number, priority=priority)
    return memory


def samples(memory, draws=DRAWS):
    return np.array([list(memory.sample()[0]) for _ in range(draws)])


def assert_distributed(outcomes, probabilities):
    """Pearson's chi-square test at level 0.001 of outcomes 0, 1, ... against their probabilities."""
    possible = probabilities > 0
    counts = np.bincount(outcomes, minlength=len(probabilities))
    assert not counts[~possible].any()
    expected = probabilities[possible] * len(outcomes)
    statistic = ((counts[possible] - expected) ** 2 / expected).sum()
    assert statistic < CHI_SQUARE_0_999[int(possible.sum()) - 1]


@pytest.mark.parametrize(("mode", "kwargs", "p"), DISTINCT)
def test_without_duplicates_the_second_item_is_drawn_from_those_left(mode, kwargs, p):
    """P(first is i, second is j) = P(i) * P(j) / (1 - P(i)), and never i = j."""
    first, second = samples(filled(mode, kwargs)).T
    pairs = p[:, None] * p[None, :] / (1 - p[:, None])
    np.fill_diagonal(pairs, 0)
    assert_distributed(first, p)
    assert_distributed(first * N + second, pairs.reshape(-1))


def test_proportional_draws_one_item_from_each_stratum_of_the_total():
    """Schaul et al. 2016, appendix B.2.1: the probability in a stratum is the share of it that an item covers."""
    strata = 3
    memory = filled("set_proportional", {}, batch_size=strata)
    ends = PROPORTIONAL.cumsum() * strata
    for stratum, outcomes in enumerate(samples(memory).T):
        covered = np.diff(np.clip(ends, stratum, stratum + 1), prepend=stratum)
        assert_distributed(outcomes, np.where(covered > 1e-9, covered, 0))


def test_proportional_over_all_levels_of_the_tree():
    priorities = np.random.default_rng(3).exponential(size=40_000)
    memory = filled("set_proportional", {"alpha": 1.0, "epsilon": 1e-9}, batch_size=1, priorities=priorities)
    groups = priorities.reshape(40, -1).sum(axis=1) / priorities.sum()
    assert_distributed(samples(memory).reshape(-1) // 1000, groups)


@pytest.mark.parametrize(("mode", "kwargs", "p"), DISTINCT)
def test_updated_priorities_count(mode, kwargs, p):
    memory = filled(mode, kwargs, batch_size=N, priorities=np.ones(N))
    batch, _, args = memory.sample()
    memory.update(args, PRIORITIES[list(batch)])
    assert_distributed(samples(memory)[:, 0], p)


@pytest.mark.parametrize("step", [0, 250, 1000, 5000])
@pytest.mark.parametrize(("mode", "kwargs", "p"), WEIGHTED)
def test_weights_make_up_for_the_probabilities(mode, kwargs, p, step):
    """w = (N * P(i)) ** -beta / max w, and beta grows linearly to 1 (Schaul et al. 2016, section 3.4)."""
    memory = filled(mode, {**kwargs, "beta_initial": 0.4, "beta_steps": 1000}, batch_size=4)
    beta = min(1.0, 0.4 + 0.6 * step / 1000)
    for _ in range(20):
        batch, weights, _ = memory.sample(step=step)
        expected = (N * p[list(batch)]) ** -beta
        assert weights.dtype == np.float32
        assert np.allclose(weights, expected / expected.max(), rtol=1e-5)


def test_the_step_of_an_update_is_that_of_the_next_sample():
    memory = filled("set_proportional", {"beta_steps": 100})
    _, _, args = memory.sample()
    memory.update(args, np.ones(2), step=100)
    batch, weights, _ = memory.sample()
    p = memory.backup()[0][1] + 1e-4
    expected = 1 / p[list(batch)] ** 0.6
    assert np.allclose(weights, expected / expected.max(), rtol=1e-5)


def test_uniform_weights_are_one():
    assert filled("set_replay_buffer", {}).sample()[1].tolist() == [1, 1]
