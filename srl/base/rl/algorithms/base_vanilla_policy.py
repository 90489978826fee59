"""Types of an algorithm with discrete or continuous actions and states of whole numbers.

from srl.base.rl.algorithms.base_vanilla_policy import RLConfig, RLWorker
"""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import Generic

from srl.base.define import RLBaseTypes
from srl.base.rl import config
from srl.base.rl.worker import RLWorkerGeneric, TConfig, TMemory, TParameter
from srl.base.spaces.array_discrete import ArrayDiscreteSpace
from srl.base.spaces.continuous import ContinuousSpace
from srl.base.spaces.discrete import DiscreteSpace


@dataclass
class RLConfig(config.RLConfig[DiscreteSpace | ContinuousSpace, ArrayDiscreteSpace], ABC):
    """Asks for discrete or continuous actions and states of whole numbers."""

    def get_base_action_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE | RLBaseTypes.CONTINUOUS

    def get_base_observation_type(self) -> RLBaseTypes:
        return RLBaseTypes.ARRAY_DISCRETE


class RLWorker(
    RLWorkerGeneric[
        TConfig,
        TParameter,
        TMemory,
        DiscreteSpace | ContinuousSpace,
        int | float,
        ArrayDiscreteSpace,
        list[int],
    ],
    Generic[TConfig, TParameter, TMemory],
):
    """Gets states as lists of int, returns an int or a float."""
