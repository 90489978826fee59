"""Types of an algorithm with continuous actions and array states.

from srl.base.rl.algorithms.base_continuous import RLConfig, RLWorker
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
from srl.base.spaces.np_array import NpArraySpace


@dataclass
class RLConfig(config.RLConfig[NpArraySpace, BoxSpace], ABC):
    """Asks for continuous actions and array states."""

    def get_base_action_type(self) -> RLBaseTypes:
        return RLBaseTypes.NP_ARRAY

    def get_base_observation_type(self) -> RLBaseTypes:
        return RLBaseTypes.BOX


class RLWorker(
    RLWorkerGeneric[
        TConfig,
        TParameter,
        TMemory,
        NpArraySpace,
        npt.NDArray[np.floating[Any]],
        BoxSpace,
        npt.NDArray[np.floating[Any]],
    ],
    Generic[TConfig, TParameter, TMemory],
):
    """Gets states as arrays, returns a 1-D array."""
