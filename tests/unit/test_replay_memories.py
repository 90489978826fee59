"""The replay memories: what comes out, how often, with which weight, and which settings are refused."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from srl.base.rl.config import DummyRLConfig
from srl.rl.memories.priority_replay_buffer import PriorityReplayBufferConfig, RLPriorityReplayBuffer
from srl.rl.memories.replay_buffer import ReplayBufferConfig, RLReplayBuffer

MODES = ["replay_buffer", "proportional", "proportional_cpp", "rankbased", "rankbased_linear"]


@dataclass
class Config(DummyRLConfig):
    batch_size: int = 2
    memory: ReplayBufferConfig = field(default_factory=lambda: ReplayBufferConfig(warmup_size=2))


def uniform(batch_size=2, **memory):
    return RLReplayBuffer(Config(batch_size=batch_size, memory=ReplayBufferConfig(**{"warmup_size": 2, **memory})))


def priority(mode="proportional", batch_size=2, kwargs=None, **memory):
    settings = PriorityReplayBufferConfig(**{"warmup_size": batch_size, **memory})
    getattr(settings, "set_" + mode)(**(kwargs or {}))
    return RLPriorityReplayBuffer(Config(batch_size=batch_size, memory=settings))


def held(memory):
    return sorted(memory.sample(batch_size=memory.length()))


@pytest.mark.parametrize("item", [1, 0.5, (1, 2.0), [1, 2], {"a": 1, "s": np.ones(2)}, "text", {"x": {1}}, None])
def test_items_come_back_as_they_were(item):
    memory = uniform()
    memory.add(item)
    assert memory.sample() is None
    memory.add(item)
    assert memory.sample() == [item, item]


@pytest.mark.parametrize(
    "value",
    [
        np.zeros((0,)),
        np.zeros((2, 0, 3)),
        np.arange(6, dtype=">i4").reshape(2, 3)[:, ::2],
        np.array(["2020-01-01"], "M8[D]"),
        np.datetime64("2020-01-01"),
        np.float32(0.5),
        np.array([True, False]),
    ],
    ids=str,
)
def test_arrays_of_any_kind_come_back_as_they_were(value):
    memory = uniform()
    for number in range(2):
        memory.add({"value": value, "number": number})
    columns = memory.sample().columns
    assert columns["value"].dtype == value.dtype
    assert columns["value"].tolist() == [value.tolist()] * 2
    assert sorted(columns["number"].tolist()) == [0, 1]


def test_the_newest_stay_and_no_item_comes_twice():
    memory = uniform(capacity=4, warmup_size=4)
    for number in range(10):
        memory.add(number)
    assert held(memory) == [6, 7, 8, 9]


def test_a_change_of_schema_loses_nothing():
    memory = uniform(warmup_size=4)
    for item in (1, 0.5, "x", (1, 2)):
        memory.add(item)
    assert {str(item) for item in memory.sample(batch_size=4)} == {"1.0", "0.5", "x", "(1, 2)"}


def test_columns_are_stacked_and_copies():
    memory = uniform()
    state = np.zeros(2)
    memory.add({"s": state, "r": 1})
    state[:] = 9
    memory.add_columns({"s": np.ones((3, 2)), "r": np.array([2, 3, 4])}, 3)
    columns = memory.sample().columns
    assert columns["s"].shape == (2, 2)
    assert columns["s"].max() <= 1


def test_bytes_are_bounded():
    memory = uniform(max_bytes=32)
    for number in range(10):
        memory.add(number)
    assert memory.length() == 4


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("capacity", {"capacity": 0}),
        ("warmup_size", {"warmup_size": 0}),
        ("compress_level", {"compress_level": 10}),
        ("max_bytes", {"max_bytes": -1}),
        ("batch_size", {"batch_size": 3}),
    ],
)
def test_settings_that_cannot_be_are_named(name, values):
    with pytest.raises(ValueError, match=name):
        uniform(**values)


@pytest.mark.parametrize("compress", [True, False])
def test_restore_across_capacity_and_compression(compress):
    memory, other = uniform(compress=compress), uniform(capacity=2, compress=not compress)
    for item in "abcd":
        memory.add(memory.serialize(item), serialized=True)
    other.restore(memory.backup())
    assert held(other) == ["c", "d"]


@pytest.mark.parametrize("mode", MODES)
def test_equal_priorities_no_priorities_and_no_updates_lose_nothing(mode):
    memory = priority(mode, capacity=4)
    for number in range(10):
        memory.add(number)
    for _ in range(20):
        batch, weights, args = memory.sample()
        assert set(batch) <= {6, 7, 8, 9}
        assert weights.max() == 1
        assert weights.dtype == np.float32
    assert memory.length() == 4
    memory.update(args, np.array([1, 2]), step=1)
    small = priority(mode, capacity=3)
    small.restore(memory.backup())
    assert small.length() == 3
    assert set(small.sample()[0]) <= {7, 8, 9}


def test_a_late_update_does_not_touch_the_item_that_took_the_slot():
    memory = priority(capacity=2)
    for number in range(2):
        memory.add(number)
    _, _, args = memory.sample()
    for number in range(2, 4):
        memory.add(number)
    memory.update(args, np.array([1e9, 1e9]))
    assert memory.backup()[0][1].tolist() == [1, 1]


@pytest.mark.parametrize("bad", [[1.0], [1.0, np.nan], [1.0, np.inf]])
def test_priorities_that_cannot_be_are_refused(bad):
    memory = priority()
    memory.add(1)
    memory.add(2)
    with pytest.raises(ValueError, match="priorit"):
        memory.update(memory.sample()[2], bad)


def test_the_travelling_form_gives_the_same_batch():
    memory = priority()
    memory.add({"a": 1})
    memory.add({"a": 2})
    batch, weights, args = memory.decode(memory.sample_encoded())
    assert sorted(item["a"] for item in batch) == [1, 2]
    assert len(weights) == len(args) == 2
