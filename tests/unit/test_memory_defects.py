"""Defects that another implementation of this interface has: ours passes each test. Numbers are those of the list."""

import subprocess
from dataclasses import dataclass, field

import numpy as np
import pytest

from srl.base.rl.config import DummyRLConfig
from srl.rl.memories.priority_replay_buffer import PriorityReplayBufferConfig, RLPriorityReplayBuffer

MODES = ["replay_buffer", "proportional", "proportional_cpp", "rankbased", "rankbased_linear"]


@dataclass
class Config(DummyRLConfig):
    batch_size: int = 2
    memory: PriorityReplayBufferConfig = field(default_factory=PriorityReplayBufferConfig)


def made(mode, batch_size=2, kwargs=None, **settings):
    memory = PriorityReplayBufferConfig(**{"warmup_size": batch_size, **settings})
    getattr(memory, "set_" + mode)(**(kwargs or {}))
    return RLPriorityReplayBuffer(Config(batch_size=batch_size, memory=memory))


def held(memory):
    """Return all items, in order, by the backup's way out."""
    other = made("replay_buffer", batch_size=memory.length())
    other.restore(memory.backup())
    return sorted(other.sample()[0])


@pytest.mark.parametrize("mode", ["rankbased", "rankbased_linear"])
def test_1_an_item_without_priority_ranks_first_and_not_last_for_ever(mode):
    memory = made(mode, batch_size=4, kwargs={"alpha": 40})
    memory._rng = np.random.default_rng(1)
    for number in range(4):
        memory.add(number, priority=number)
    memory.update(memory.sample()[2], [0.5] * 4)
    memory.add(9)
    assert np.isfinite(memory.backup()[0][1]).all()
    drawn = [memory.sample(batch_size=1)[0][0] for _ in range(200)]
    assert drawn.count(9) > 60  # P is 1 and 161 / 405; of the last rank, 0 and 1 / 405


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("mode", MODES)
def test_2_equal_priorities_never_compare_the_items(mode, compress):
    memory = made(mode, compress=compress)
    for number in range(6):
        memory.add({"state": np.full(2, number), "note": object if number == 3 else "x"}, priority=1)
    for _ in range(10):
        _, weights, args = memory.sample()
        memory.update(args, [1, 1])
        assert weights.tolist() == pytest.approx([1, 1], rel=0.7)
    assert memory.length() == 6


@pytest.mark.parametrize("mode", MODES)
def test_3_the_oldest_go_at_capacity_whatever_their_priority(mode):
    memory = made(mode, capacity=4)
    for number in range(10):
        memory.add(number, priority=10 - number)
    assert held(memory) == [6, 7, 8, 9]
    assert set(np.concatenate([list(memory.sample()[0]) for _ in range(50)])) == {6, 7, 8, 9}


@pytest.mark.parametrize("mode", MODES)
def test_4_sampled_items_stay_when_no_update_comes(mode):
    memory = made(mode, batch_size=4)
    for number in range(8):
        memory.add(number, priority=number)
    for _ in range(20):
        memory.sample()
    assert held(memory) == list(range(8))


def test_5_the_cpp_mode_starts_no_compiler(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(subprocess, "Popen", None)
    memories = made("proportional"), made("proportional_cpp", kwargs={"force_build": True})
    for memory in memories:
        memory._rng = np.random.default_rng(1)
        for number in range(20):
            memory.add(number, priority=number)
    one, other = (memory.sample() for memory in memories)
    assert one[0] == other[0]
    assert one[1].tolist() == other[1].tolist()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("batch_size", "ratio", "demos"), [(32, 0.25, 8), (32, 1 / 256, 1), (1, 0.5, 1)])
def test_14_demonstrations_have_a_weight_and_a_place_in_update_each(mode, batch_size, ratio, demos):
    memory = made(mode, batch_size=batch_size, warmup_size=32, enable_demo_memory=True, demo_ratio=ratio)
    memory._settings.select_memory = "demo"
    for number in range(100, 110):
        memory.add(number)
    memory._settings.select_memory = "main"
    for number in range(40):
        memory.add(number)
    batch, weights, args = memory.sample()
    assert len(batch) == len(weights) == len(args) == batch_size
    assert sum(item >= 100 for item in batch) == demos
    assert (weights[-demos:] == 1).all()
    memory.update(args, np.full(batch_size, 2.0))
    assert memory.length() == 50


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("capacity", [3, 30])
def test_17_a_backup_of_another_capacity_is_restored_in_the_right_size(mode, capacity):
    memory, other = made(mode, capacity=10), made(mode, capacity=capacity)
    for number in range(10):
        memory.add(number, priority=number)
    other.restore(memory.backup())
    assert held(other) == list(range(10))[-capacity:]
    for number in range(10, 14):
        other.add(number)
    assert held(other) == list(range(14))[-capacity:]
    batch, _, args = other.sample()
    other.update(args, [1, 2])
    assert len(batch) == 2
