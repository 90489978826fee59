"""A prioritized memory between real processes."""

import pytest
import replay_items

import srl


@pytest.mark.parametrize("enable_mp_memory", [True, False], ids=["asynchronous", "synchronous"])
@pytest.mark.parametrize("with_priority", [False, True], ids=["columns", "one by one"])
def test_batches_arrive_whole_and_updates_are_taken(with_priority, enable_mp_memory):
    runner = srl.Runner("Grid", replay_items.Config(with_priority=with_priority))
    runner.train_mp(max_train_count=100, enable_mp_memory=enable_mp_memory, enable_progress=False)
    assert runner.parameter.seen >= 100
    assert runner.parameter.wrong == 0
