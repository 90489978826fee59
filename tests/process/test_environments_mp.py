"""Environments of other packages, and players of one's own, in the services."""

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


def run(script, folder):
    (folder / "script.py").write_text(textwrap.dedent(script))
    result = subprocess.run([sys.executable, "script.py"], cwd=folder, capture_output=True, text=True, timeout=100)
    assert result.returncode == 0, result.stderr
    return result.stdout


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
    assert run(SCRIPT, tmp_path) == "[1.0, 1.0, 1.0]\n"


SCRIPT_WITH_A_PLAYER = """
    import srl
    from srl.algorithms import ql
    from srl.base.rl.registration import register_rulebase
    from srl.base.rl.worker import DummyRLWorker

    class Lowest(DummyRLWorker):
        def policy(self, worker):
            return min(worker.get_valid_actions())

    register_rulebase("lowest", __name__ + ":Lowest")

    if __name__ == "__main__":
        runner = srl.Runner("OX", ql.Config())
        runner.train_mp(max_train_count=200, players=[None, "lowest"], timeout=30, enable_progress=False)
        print(runner.state.train_count >= 200)
"""


def test_a_script_may_register_a_player(tmp_path):
    assert run(SCRIPT_WITH_A_PLAYER, tmp_path) == "True\n"
