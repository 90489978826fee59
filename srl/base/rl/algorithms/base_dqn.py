"""Types of an algorithm with discrete actions and array states.

from srl.base.rl.algorithms.base_dqn import RLConfig, RLWorker
"""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import Any, Generic

import numpy as np
import numpy.typing as npt

from srl.base.define import RLBaseTypes
from srl.base.rl import config
from srl.base.rl.worker import RLWorkerGeneric, TConfig, TMemory, TParameter
from srl.base.spaces.box import BoxSpace
from srl.base.spaces.discrete import DiscreteSpace


@dataclass
class RLConfig(config.RLConfig[DiscreteSpace, BoxSpace], ABC):
    """Asks for discrete actions and array states."""

    def get_base_action_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE

    def get_base_observation_type(self) -> RLBaseTypes:
        return RLBaseTypes.BOX


class RLWorker(
    RLWorkerGeneric[TConfig, TParameter, TMemory, DiscreteSpace, int, BoxSpace, npt.NDArray[np.floating[Any]]],
    Generic[TConfig, TParameter, TMemory],
):
    """Gets states as float arrays, returns an int."""
