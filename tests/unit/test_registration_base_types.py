"""The typed base classes srl.base.rl.algorithms.base_XX."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import pytest

from srl.base.define import RLBaseTypes as Types


@pytest.mark.parametrize(
    ("module", "action", "observation"),
    [
        ("base_ql", Types.DISCRETE, Types.ARRAY_DISCRETE),
        ("base_dqn", Types.DISCRETE, Types.BOX),
        ("base_ppo", Types.DISCRETE | Types.NP_ARRAY, Types.BOX),
        ("base_continuous", Types.NP_ARRAY, Types.BOX),
        ("base_vanilla_policy", Types.DISCRETE | Types.CONTINUOUS, Types.ARRAY_DISCRETE),
    ],
)
def test_types(module: str, action: Types, observation: Types) -> None:
    base = importlib.import_module(f"srl.base.rl.algorithms.{module}")

    @dataclass
    class Config(base.RLConfig):  # type: ignore[misc, name-defined]
        def get_name(self) -> str:
            return module

    class Worker(base.RLWorker[Config, Any, Any]):  # type: ignore[misc, name-defined]
        def policy(self, worker: Any) -> int:
            return 1

    assert Config().get_base_action_type() == action
    assert Config().get_base_observation_type() == observation
    assert Worker(Config()).policy(None) == 1
