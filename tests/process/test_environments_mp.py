"""Environments of other packages in the services."""

import subprocess
import sys
import textwrap

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


SCRIPT = """
    import gymnasium
    import srl
    from srl.algorithms import ql

    class Coin(gymnasium.Env):
        action_space = gymnasium.spaces.Discrete(2)
        observation_space = gymnasium.spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return 0, {}

        def step(self, action):
            return 1, float(action), True, False, {}

    gymnasium.register("Coin-v0", Coin)

    if __name__ == "__main__":
        runner = srl.Runner("Coin-v0", ql.Config())
        runner.train_mp(max_train_count=200, timeout=30, enable_progress=False)
        print(runner.evaluate(3, enable_progress=False))
"""


def test_a_script_may_register_one_in_gymnasium(tmp_path):
    (tmp_path / "script.py").write_text(textwrap.dedent(SCRIPT))
    result = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert result.stdout == "[1.0, 1.0, 1.0]\n", result.stderr
