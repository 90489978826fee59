"""Replay memories against a list: whatever is done to them, they hold the newest items and sample only those."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from srl.base.rl.config import DummyRLConfig
from srl.rl.memories.priority_replay_buffer import PriorityReplayBufferConfig, RLPriorityReplayBuffer

CAPACITY = 7
MODES = ["replay_buffer", "proportional", "rankbased", "rankbased_linear"]
PRIORITY = st.none() | st.floats(0, 1e6)
OPERATION = st.one_of(
    st.tuples(st.just("add"), PRIORITY),
    st.tuples(st.just("add_packed"), PRIORITY),
    st.tuples(st.just("add_columns"), st.integers(1, 2 * CAPACITY)),
    st.tuples(st.just("sample"), st.integers(1, 3)),
    st.tuples(st.just("update"), st.floats(0, 1e6)),
    st.tuples(st.just("restore"), st.integers(3, CAPACITY)),
    st.tuples(st.just("clear"), st.none()),
)


@dataclass
class Config(DummyRLConfig):
    batch_size: int = 3
    memory: PriorityReplayBufferConfig = field(default_factory=PriorityReplayBufferConfig)


def made(mode, capacity=CAPACITY, max_bytes=0):
    memory = PriorityReplayBufferConfig(capacity, warmup_size=3, compress=False, max_bytes=max_bytes)
    getattr(memory, "set_" + mode)()
    return RLPriorityReplayBuffer(Config(memory=memory))


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=25, deadline=None)
@given(operations=st.lists(OPERATION, max_size=20))
def test_the_newest_items_are_held_and_sampled(mode, operations):
    memory, held, capacity, number, stale = made(mode), [], CAPACITY, 0, None
    for name, value in operations:
        if name == "add":
            memory.add({"n": number}, value)
        elif name == "add_packed":
            memory.add(*memory.serialize({"n": number}, value), serialized=True)
        elif name == "add_columns":
            memory.add_columns({"n": np.arange(number, number + value)}, value)
        elif name == "update" and stale is not None:
            memory.update(stale, np.full(len(stale), value))
        elif name == "restore":
            backup, capacity = memory.backup(), value
            memory, stale = made(mode, capacity), None
            memory.restore(backup)
        elif name == "clear":
            memory.clear()
            held = []
        added = {"add": 1, "add_packed": 1, "add_columns": value}.get(name, 0)
        held = [*held, *range(number, number + added)][-capacity:]
        number += added
        assert memory.length() == len(held)
        sample = memory.sample(batch_size=value if name == "sample" else 3)
        assert (sample is None) == (len(held) < 3)
        if sample is not None:
            batch, weights, stale = sample
            assert {item["n"] for item in batch} <= set(held)
            assert np.isfinite(weights).all()
            assert weights.max() == 1


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=15, deadline=None)
@given(sizes=st.lists(st.integers(0, 300), min_size=1, max_size=20))
@example(sizes=[0, 0, 0, 0, 0, 0, 241, 300, 0, 241, 0])  # one came and went between two samples
def test_items_that_went_for_their_bytes_are_never_sampled(mode, sizes):
    memory = made(mode, max_bytes=600)
    for number, size in enumerate(sizes):
        memory.add((number, "x" * size))
        sample = memory.sample()
        if sample is not None:
            assert {item[0] for item in sample[0]} <= set(range(number + 1 - memory.length(), number + 1))
