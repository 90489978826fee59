"""A worker of each other `srl.base.rl.algorithms.base_...`: the types of its spaces and of its actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_type

import numpy as np
import numpy.typing as npt

from srl.base.rl.algorithms import base_continuous, base_dqn, base_ppo, base_vanilla_policy
from srl.base.rl.memory import RLMemory
from srl.base.rl.parameter import RLParameter
from srl.base.rl.registration import register
from srl.base.rl.worker_run import WorkerRun  # noqa: TC001  as an author writes it
from srl.base.spaces.array_discrete import ArrayDiscreteSpace
from srl.base.spaces.box import BoxSpace
from srl.base.spaces.continuous import ContinuousSpace
from srl.base.spaces.discrete import DiscreteSpace
from srl.base.spaces.np_array import NpArraySpace

Floats = npt.NDArray[np.floating[Any]]


@dataclass
class DqnConfig(base_dqn.RLConfig):
    def get_name(self) -> str:
        return "TypedDQN"

    def get_framework(self) -> str:
        return "torch"


class DqnWorker(base_dqn.RLWorker[DqnConfig, RLParameter[DqnConfig], RLMemory[DqnConfig]]):
    def policy(self, worker: WorkerRun) -> int:
        assert_type(self.action_space, DiscreteSpace)
        assert_type(self.config.action_space, DiscreteSpace)
        assert_type(self.observation_space, BoxSpace)
        assert_type(self.config.observation_space, BoxSpace)
        assert_type(self.get_invalid_actions(), list[int])
        assert_type(self.sample_action(), int)
        return self.sample_action() % self.action_space.n


@dataclass
class PpoConfig(base_ppo.RLConfig):
    def get_name(self) -> str:
        return "TypedPPO"


class PpoWorker(base_ppo.RLWorker[PpoConfig, RLParameter[PpoConfig], RLMemory[PpoConfig]]):
    def policy(self, worker: WorkerRun) -> int | Floats:
        assert_type(self.action_space, DiscreteSpace | NpArraySpace)
        assert_type(self.config.observation_space, BoxSpace)
        assert_type(self.sample_action(), int | Floats)
        if isinstance(self.action_space, DiscreteSpace):
            return self.action_space.n - 1
        return np.zeros(self.action_space.size)


@dataclass
class ContinuousConfig(base_continuous.RLConfig):
    def get_name(self) -> str:
        return "TypedContinuous"


class ContinuousWorker(
    base_continuous.RLWorker[ContinuousConfig, RLParameter[ContinuousConfig], RLMemory[ContinuousConfig]]
):
    def policy(self, worker: WorkerRun) -> Floats:
        assert_type(self.action_space, NpArraySpace)
        assert_type(self.config.action_space, NpArraySpace)
        assert_type(self.observation_space, BoxSpace)
        assert_type(self.sample_action(), Floats)
        return self.sample_action() * 0.5


@dataclass
class VanillaConfig(base_vanilla_policy.RLConfig):
    def get_name(self) -> str:
        return "TypedVanilla"


class VanillaWorker(base_vanilla_policy.RLWorker[VanillaConfig, RLParameter[VanillaConfig], RLMemory[VanillaConfig]]):
    def policy(self, worker: WorkerRun) -> int | float:
        assert_type(self.action_space, DiscreteSpace | ContinuousSpace)
        assert_type(self.config.observation_space, ArrayDiscreteSpace)
        assert_type(self.sample_action(), int | float)
        return self.action_space.low


CONFIGS = (DqnConfig(), PpoConfig(), ContinuousConfig(), VanillaConfig())
for config in CONFIGS:
    worker_name = type(config).__name__.replace("Config", "Worker")
    register(config, "", "", "", f"{__name__}:{worker_name}", check_duplicate=False)
