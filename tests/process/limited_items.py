"""An algorithm with a replay memory that only counts: actors as fast as they can be, and a learner that may be slow.

The Parameter keeps for each update how many items had been inserted when its batch was made.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from srl.base.define import RLBaseTypes
from srl.base.rl.config import RLConfig
from srl.base.rl.memory import RLMemory
from srl.base.rl.parameter import RLParameter
from srl.base.rl.rate_limit import RateLimit
from srl.base.rl.registration import register
from srl.base.rl.trainer import RLTrainer
from srl.base.rl.worker import RLWorker


@dataclass
class Config(RLConfig[Any, Any]):
    ratio: float = 1.0
    """Batches for each item inserted; 0: no limit."""
    tolerance: float = 500.0
    train_s: float = 0.0
    """How long an update takes."""
    step_s: float = 0.0
    """How long a step takes."""

    def get_name(self) -> str:
        return "limited_items"

    def get_rate_limit(self) -> RateLimit | None:
        if not self.ratio:
            return None
        return RateLimit(samples_per_insert=self.ratio, batch_items=1, minimum_items=10, tolerance_items=self.tolerance)

    def get_base_action_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE

    def get_base_observation_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE


class Memory(RLMemory[Config]):
    def setup(self) -> None:
        self.inserted = 0
        self.register_worker_func(self.add)
        self.register_trainer_recv_func(self.sample, consumes=False)

    def length(self) -> int:
        return self.inserted

    def add(self, item: Any) -> None:
        self.inserted += 1

    def sample(self) -> Any:
        return self.inserted or None

    def call_backup(self, **_kwargs: Any) -> Any:
        return self.inserted

    def call_restore(self, data: Any, **_kwargs: Any) -> None:
        self.inserted = data or 0


class Parameter(RLParameter[Config]):
    def setup(self) -> None:
        self.seen: list[int] = []

    def call_backup(self, **_kwargs: Any) -> Any:
        return json.dumps(self.seen)

    def call_restore(self, data: Any, **_kwargs: Any) -> None:
        self.seen = json.loads(data)


class Trainer(RLTrainer[Config, Parameter, Memory]):
    def train(self) -> None:
        inserted = self.memory.sample()
        if inserted is None:
            return
        self.parameter.seen.append(inserted)
        self.train_count += 1
        time.sleep(self.config.train_s)


class Worker(RLWorker[Config, Parameter, Memory]):
    def policy(self, worker: Any) -> int:
        return int(self.sample_action())

    def on_step(self, worker: Any) -> None:
        if self.training:
            self.memory.add(0)
            time.sleep(self.config.step_s)


register(Config(), __name__ + ":Memory", __name__ + ":Parameter", __name__ + ":Trainer", __name__ + ":Worker")
