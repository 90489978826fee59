"""The tabular algorithms through the services, with the Memory on its own and in the learner."""

import pytest

from srl.algorithms import dynaq, mcts, ql, vanilla_policy
from srl.test import rl as kit

CONFIGS = [ql.Config(), dynaq.Config(), vanilla_policy.Config(), mcts.Config(simulations=5)]


@pytest.mark.parametrize("enable_mp_memory", [True, False], ids=["asynchronous", "synchronous"])
@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.get_name())
def test_it_passes_the_kit(config, enable_mp_memory):
    kit.test_rl(
        config,
        ["OX"],
        test_mode="mp",
        enable_mp_memory=enable_mp_memory,
        test_render_terminal=False,
        test_render_window=False,
    )
