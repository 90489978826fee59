"""Tabular Q-learning (Watkins & Dayan 1992), written against the API that both libraries of the comparison have.

The Memory is a queue of pickled transitions, as a beginner would write it: what is measured is the framework around it.
"""

import contextlib
import json
import pickle
import random
from dataclasses import dataclass

import numpy as np

from srl.base.define import RLBaseTypes
from srl.base.rl.config import RLConfig
from srl.base.rl.memory import RLMemory
from srl.base.rl.parameter import RLParameter
from srl.base.rl.registration import register
from srl.base.rl.trainer import RLTrainer
from srl.base.rl.worker import RLWorker


@dataclass
class Config(RLConfig):
    epsilon: float = 0.1
    gamma: float = 0.9
    lr: float = 0.1

    def get_name(self):
        return "BenchmarkQL"

    def get_base_action_type(self):
        return RLBaseTypes.DISCRETE

    def get_base_observation_type(self):
        return RLBaseTypes.DISCRETE


class Memory(RLMemory):
    def setup(self):
        self.queue = []
        if hasattr(self, "register_worker_func_custom"):
            self.register_worker_func_custom(self.add, pickle.dumps)
        else:
            self.register_worker_func(self.add, pickle.dumps)
        self.register_trainer_recv_func(self.sample)

    def length(self):
        return len(self.queue)

    def add(self, transition, serialized=False):
        self.queue.append(pickle.loads(transition) if serialized else transition)

    def sample(self):
        transitions, self.queue = self.queue, []
        return transitions or None

    def call_backup(self, **kwargs):
        return list(self.queue)

    def call_restore(self, data, **kwargs):
        self.queue = list(data)


class Parameter(RLParameter):
    def setup(self):
        self.q = {}

    def call_backup(self, **kwargs):
        return json.dumps(self.q)

    def call_restore(self, data, **kwargs):
        self.q = json.loads(data)

    def values(self, state):
        if state not in self.q:
            self.q[state] = [0.0] * self.config.action_space.n
        return self.q[state]


class Trainer(RLTrainer):
    def train(self):
        transitions = self.memory.sample()
        if transitions is None:
            return
        for t in transitions:
            q = self.parameter.values(t["state"])
            target = t["reward"]
            if not t["done"]:
                target += self.config.gamma * max(self.parameter.values(t["next_state"]))
            q[t["action"]] += self.config.lr * (target - q[t["action"]])
            self.train_count += 1


class Worker(RLWorker):
    def on_reset(self, worker):
        pass

    def policy(self, worker):
        self.state = self.config.observation_space.to_str(worker.state)
        if self.training and random.random() < self.config.epsilon:
            return int(self.sample_action())
        q = np.asarray(self.parameter.values(self.state))
        return int(np.random.choice(np.where(q == q.max())[0]))

    def on_step(self, worker):
        if self.training:
            self.memory.add(
                {
                    "state": self.state,
                    "next_state": self.config.observation_space.to_str(worker.next_state),
                    "action": worker.action,
                    "reward": worker.reward,
                    "done": worker.terminated,
                }
            )


def register_once():
    with contextlib.suppress(AssertionError):  # a child process of the other library has inherited it
        register(Config(), *[f"{__name__}:{name}" for name in ("Memory", "Parameter", "Trainer", "Worker")])


register_once()
