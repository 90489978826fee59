"""An algorithm whose memory gets whole episodes, and whose Trainer takes slices, steps and sequences of them."""

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
from srl.rl.memories.episode_replay_buffer import EpisodeReplayBufferConfig, RLEpisodeReplayBuffer


@dataclass
class Config(RLConfig[Any, Any]):
    batch_size: int = 4
    with_schema: bool = True
    memory: EpisodeReplayBufferConfig = field(
        default_factory=lambda: EpisodeReplayBufferConfig(capacity=2000, warmup_size=50, prefix_size=1, suffix_size=1)
    )

    def get_name(self):
        return "episode_items"

    def get_base_action_type(self):
        return RLBaseTypes.DISCRETE

    def get_base_observation_type(self):
        return RLBaseTypes.DISCRETE


class Memory(RLEpisodeReplayBuffer[Config]):
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
        slices, steps, sequence = self.memory.sample(), self.memory.sample_steps(), self.memory.sample_sequential()
        self.parameter.wrong += slices is not None and not self._successive(slices)
        self.parameter.wrong += steps is not None and len(steps) != 4
        self.parameter.wrong += sequence is not None and not (self._successive(sequence[0]) and len(sequence[1]) == 4)
        if slices is not None and sequence is not None:
            self.parameter.seen += 1
            self.train_count += 1

    def _successive(self, slices):
        """Tell whether each of the four slices has three successive steps of one episode."""
        if len(slices) != 4:
            return False
        if self.config.with_schema:
            columns = slices.columns
            return (np.diff(columns["step"], axis=1) == 1).all() and np.ptp(columns["episode"], axis=1).max() == 0
        return all(
            [step["step"] for step in piece] == list(range(piece[0]["step"], piece[0]["step"] + 3))
            and len({step["episode"] for step in piece}) == 1
            for piece in slices
        )


class Worker(RLWorker[Config, Parameter, Memory]):
    def on_setup(self, worker, context):
        self.episode = 0

    def on_reset(self, worker):
        self.episode += 1
        self.steps = []

    def policy(self, worker):
        return int(self.sample_action())

    def on_step(self, worker):
        step = {"episode": self.episode, "step": len(self.steps), "state": np.zeros(2, np.float32)}
        self.steps.append(step if self.config.with_schema else {**step, "note": "no column for text"})
        if worker.done:
            self.memory.add(self.steps)


register(
    Config(), *(f"episode_items:{name}" for name in ("Memory", "Parameter", "Trainer", "Worker")), check_duplicate=False
)
