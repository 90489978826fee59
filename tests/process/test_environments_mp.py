"""Environments of other packages in the services."""

import pytest

import srl
from srl.algorithms import ql
from srl.base.env.config import EnvConfig


@pytest.mark.parametrize(
    "env_config",
    [EnvConfig("FrozenLake-v1", {"is_slippery": False}), EnvConfig("pettingzoo:classic/tictactoe_v3")],
    ids=["gymnasium", "pettingzoo"],
)
def test_actors_play_them_by_id(env_config):
    runner = srl.Runner(env_config, ql.Config())
    runner.train_mp(max_train_count=200, timeout=30, enable_progress=False)
    assert runner.state.train_count >= 200
    assert len(runner.parameter.q) > 1
