"""Settings of prioritized memories that cannot be, each refused by name."""

import pytest

from srl.base.rl.config import DummyRLConfig
from srl.rl.memories.batch import PackedBatch
from srl.rl.memories.packed import pack
from srl.rl.memories.priority_replay_buffer import PriorityReplayBufferConfig
from srl.rl.memories.replay_buffer import RLReplayBuffer
from srl.utils.usage import UsageError


@pytest.mark.parametrize("name", ["alpha", "beta_initial", "beta_steps", "epsilon"])
def test_arguments(name):
    with pytest.raises(ValueError, match=name):
        PriorityReplayBufferConfig().set_proportional(**{name: -1}).validate_params()


@pytest.mark.parametrize("values", [{"select_memory": "x"}, {"select_memory": "demo"}, {"demo_ratio": 0}])
def test_demonstrations(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        PriorityReplayBufferConfig(**values).validate_params()


def test_a_config_without_the_fields():
    with pytest.raises(UsageError, match="memory: ReplayBufferConfig"):
        RLReplayBuffer(DummyRLConfig())


def test_items_that_differ_have_no_columns():
    with pytest.raises(ValueError, match="differ"):
        _ = PackedBatch([pack(1), pack((1,))]).columns


def test_a_class_of_ones_own_is_loaded():
    config = PriorityReplayBufferConfig().set_custom("srl.rl.memories.priority_memories.uniform:Uniform", {})
    assert type(config.create_memory(3)).__name__ == "Uniform"
    assert config.requires_priority()
