"""An algorithm whose prioritized memory gets items by columns and, now and then, with a priority."""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from srl.base.define import RLBaseTypes
from srl.base.rl.config import RLConfig
from srl.base.rl.parameter import RLParameter
from srl.base.rl.registration import register
from srl.base.rl.trainer import RLTrainer
from srl.base.rl.worker import RLWorker
from srl.rl.memories.priority_replay_buffer import PriorityReplayBufferConfig, RLPriorityReplayBuffer


@dataclass
class Config(RLConfig[Any, Any]):
    batch_size: int = 8
    with_priority: bool = False
    memory: PriorityReplayBufferConfig = field(
        default_factory=lambda: PriorityReplayBufferConfig(capacity=500, warmup_size=50).set_proportional()
    )

    def get_name(self):
        return "replay_items"

    def get_base_action_type(self):
        return RLBaseTypes.DISCRETE

    def get_base_observation_type(self):
        return RLBaseTypes.DISCRETE


class Memory(RLPriorityReplayBuffer[Config]):
    pass


class Parameter(RLParameter[Config]):
    def setup(self):
        self.seen, self.wrong = 0, 0

    def call_restore(self, data, **kwargs):
        self.seen, self.wrong = json.loads(data)

    def call_backup(self, **kwargs):
        return json.dumps([self.seen, self.wrong])


class Trainer(RLTrainer[Config, Parameter, Memory]):
    def train(self):
        sample = self.memory.sample()
        if sample is None:
            return
        batch, weights, args = sample
        columns = batch.columns
        fits = len(weights) == 8 and (columns["state"] == columns["number"][:, None]).all()
        self.parameter.wrong += not fits
        self.parameter.seen += 1
        self.memory.update(args, np.ones(8), step=self.train_count)
        self.train_count += 1


class Worker(RLWorker[Config, Parameter, Memory]):
    def on_setup(self, worker, context):
        self.number = 0

    def policy(self, worker):
        return int(self.sample_action())

    def on_step(self, worker):
        item = {"number": self.number, "state": np.full(2, self.number, np.float32)}
        if self.config.with_priority:
            self.memory.add(item, priority=1.0)
        else:
            self.memory.add(item)
        self.number += 1


register(
    Config(), *(f"replay_items:{name}" for name in ("Memory", "Parameter", "Trainer", "Worker")), check_duplicate=False
)
