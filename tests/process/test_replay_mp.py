"""Replay memories between real processes."""

import episode_items
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


@pytest.mark.parametrize("enable_mp_memory", [True, False], ids=["asynchronous", "synchronous"])
@pytest.mark.parametrize("with_schema", [True, False], ids=["columns", "one by one"])
def test_episodes_stay_whole(with_schema, enable_mp_memory):
    runner = srl.Runner("Grid", episode_items.Config(with_schema=with_schema))
    runner.train_mp(max_train_count=100, enable_mp_memory=enable_mp_memory, enable_progress=False)
    assert runner.parameter.seen >= 100
    assert runner.parameter.wrong == 0
