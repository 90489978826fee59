"""Mistakes that the type checkers find: each is named in a comment on its line, first mypy's word, then pyright's.

Nothing imports this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from right_q_learning import Config, Memory, Parameter

from srl.base.define import RLBaseTypes  # noqa: TC001  as an author writes it
from srl.base.rl.algorithms import base_continuous, base_dqn, base_ql, base_vanilla_policy
from srl.base.rl.config import RLConfig
from srl.base.rl.memory import RLMemory
from srl.base.rl.parameter import RLParameter
from srl.base.rl.trainer import RLTrainer
from srl.base.rl.worker_run import WorkerRun  # noqa: TC001  as an author writes it
from srl.base.spaces.array_discrete import ArrayDiscreteSpace
from srl.base.spaces.discrete import DiscreteSpace


@dataclass
class WrongConfig(RLConfig[DiscreteSpace, ArrayDiscreteSpace]):
    lr: float = "0.1"  # wrong: assignment, reportAssignmentType

    def get_name(self) -> str:
        return 3  # wrong: return-value, reportReturnType

    def get_base_action_type(self) -> RLBaseTypes:
        return "DISCRETE"  # wrong: return-value, reportReturnType

    def get_base_observation_type(self) -> str:  # wrong: override, reportIncompatibleMethodOverride
        return "DISCRETE"


class WrongMemory(RLMemory[Config]):
    def setup(self) -> None:
        self.register_worker_func(self.add, b"")  # wrong: arg-type, reportArgumentType
        self.register_trainer_recv_func(self.sample)  # wrong: arg-type, reportArgumentType

    def add(self, item: bytes, serialized: bool = False) -> None:
        print(self.config.epsilon)  # wrong: attr-defined, reportAttributeAccessIssue

    def sample(self, batch_size: int) -> list[bytes]:
        return [b""] * batch_size


class WrongParameter(RLParameter[Config]):
    def call_backup(self, **kwargs: Any) -> list[float]:
        return [0.0] * self.config.action_space.size  # wrong: attr-defined, reportAttributeAccessIssue

    def call_restore(self, data: list[float], **kwargs: Any) -> None:
        self.config.gamma = "0.9"  # wrong: assignment, reportAttributeAccessIssue


class WrongTrainer(RLTrainer[Config, Parameter, Memory]):
    def train(self) -> None:
        for transition in self.memory.sample():  # wrong: union-attr, reportOptionalIterable
            state, action, reward, _, _ = transition
            self.parameter.values(action)  # wrong: arg-type, reportArgumentType
            self.parameter.values(state)[action] += reward + state  # wrong: operator, reportOperatorIssue
        self.parameter.table.clear()  # wrong: attr-defined, reportAttributeAccessIssue
        self.memory.update([1])  # wrong: attr-defined, reportAttributeAccessIssue
        self.train_count = "1"  # wrong: assignment, reportAttributeAccessIssue


class SwappedTrainer(RLTrainer[Config, Memory, Parameter]):  # wrong: type-var, reportInvalidTypeArguments
    def train(self) -> None:
        pass


class WrongQlWorker(base_ql.RLWorker[Config, Parameter, Memory]):
    def policy(self, worker: WorkerRun) -> str:  # wrong: override, reportIncompatibleMethodOverride
        return "left"

    def on_step(self, worker: WorkerRun) -> None:
        self.memory.add("transition")  # wrong: arg-type, reportArgumentType
        self.memory.add((1, 2))  # wrong: arg-type, reportArgumentType
        self.sample_action().upper()  # wrong: attr-defined, reportAttributeAccessIssue
        print(self.action_space.shape)  # wrong: attr-defined, reportAttributeAccessIssue
        print(self.observation_space.n)  # wrong: attr-defined, reportAttributeAccessIssue
        worker.reward.upper()  # wrong: attr-defined, reportAttributeAccessIssue
        print(worker.next_action)  # wrong: attr-defined, reportAttributeAccessIssue


class WrongDqnConfig(base_dqn.RLConfig):
    def get_name(self) -> str:
        return str(self.observation_space.size)  # wrong: attr-defined, reportAttributeAccessIssue


class WrongDqnWorker(base_dqn.RLWorker[WrongDqnConfig, RLParameter[WrongDqnConfig], RLMemory[WrongDqnConfig]]):
    def policy(self, worker: WorkerRun) -> int:
        return np.zeros(2)  # wrong: return-value, reportReturnType


class WrongContinuousConfig(base_continuous.RLConfig):
    def get_name(self) -> str:
        return str(self.action_space.n)  # wrong: attr-defined, reportAttributeAccessIssue


class WrongContinuousWorker(
    base_continuous.RLWorker[WrongContinuousConfig, RLParameter[WrongContinuousConfig], RLMemory[WrongContinuousConfig]]
):
    def policy(self, worker: WorkerRun) -> npt.NDArray[np.str_]:  # wrong: override, reportIncompatibleMethodOverride
        return np.array(["left"])


class WrongVanillaConfig(base_vanilla_policy.RLConfig):
    def get_name(self) -> str:
        return str(self.action_space.n)  # wrong: union-attr, reportAttributeAccessIssue


class ForeignWorker(base_ql.RLWorker[WrongDqnConfig, Parameter, int]):  # wrong: type-var, reportInvalidTypeArguments
    def policy(self, worker: WorkerRun) -> int:
        return 0
