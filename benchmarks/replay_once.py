"""One library's replay memory, in a process of its own: prints one JSON line. Run by `benchmarks.replay`.

A class a library has the same few operations, each by the library's public way that is the fastest there. Samples are
arrays (or tensors), a field each; nothing is put in that the others do not get.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np

MANY = 256
ALPHA, BETA = 0.6, 0.4
OBS = np.arange(4, dtype=np.float32)
OBS_MANY = np.tile(OBS, (MANY, 1))
ACTS, REWARDS, DONES = np.ones(MANY, np.int64), np.ones(MANY), np.zeros(MANY, bool)


class Srl:
    """Ours: dicts one by one as a Worker gives them, many as columns, samples as columns."""

    def __init__(self, capacity, prioritized):
        sys.path.insert(0, str(Path(__file__).parent.parent))
        from srl.base.rl.config import DummyRLConfig
        from srl.rl.memories.priority_replay_buffer import PriorityReplayBufferConfig, RLPriorityReplayBuffer
        from srl.rl.memories.replay_buffer import ReplayBufferConfig, RLReplayBuffer

        self.item = {"obs": OBS, "act": 1, "rew": 1.0, "next_obs": OBS, "done": False}
        self.columns = {"obs": OBS_MANY, "act": ACTS, "rew": REWARDS, "next_obs": OBS_MANY, "done": DONES}
        config = DummyRLConfig()
        config.batch_size = 32
        if prioritized:
            config.memory = PriorityReplayBufferConfig(capacity).set_proportional(ALPHA, BETA)
            self.memory = RLPriorityReplayBuffer(config)
        else:
            config.memory = ReplayBufferConfig(capacity)
            self.memory = RLReplayBuffer(config)

    def add_one(self):
        self.memory.add(self.item)

    def add_many(self):
        self.memory.add_columns(self.columns, MANY)

    def sample(self, size):
        return self.memory.sample(size).columns

    def sample_items(self, size):
        return list(self.memory.sample(size))

    def sample_update(self, size, priorities):
        batch, _, args = self.memory.sample(batch_size=size)
        _ = batch.columns
        self.memory.update(args, priorities)


class Cpprb:
    def __init__(self, capacity, prioritized):
        import cpprb

        fields = {
            "obs": {"shape": 4},
            "act": {"dtype": np.int64},
            "rew": {"dtype": np.float64},
            "next_obs": {"shape": 4},
            "done": {"dtype": np.bool_},
        }
        if prioritized:
            self.buffer = cpprb.PrioritizedReplayBuffer(capacity, fields, alpha=ALPHA)
        else:
            self.buffer = cpprb.ReplayBuffer(capacity, fields)

    def add_one(self):
        self.buffer.add(obs=OBS, act=1, rew=1.0, next_obs=OBS, done=False)

    def add_many(self):
        self.buffer.add(obs=OBS_MANY, act=ACTS, rew=REWARDS, next_obs=OBS_MANY, done=DONES)

    def sample(self, size):
        return self.buffer.sample(size)

    def sample_update(self, size, priorities):
        batch = self.buffer.sample(size, beta=BETA)
        self.buffer.update_priorities(batch["indexes"], priorities)


class StableBaselines3:
    def __init__(self, capacity, prioritized):
        import torch
        from gymnasium.spaces import Box, Discrete
        from stable_baselines3.common.buffers import ReplayBuffer

        if prioritized:
            raise NotImplementedError("it has no prioritized memory")
        torch.set_num_threads(1)

        def make(environments):
            spaces = Box(-1, 1, (4,)), Discrete(2)
            return ReplayBuffer(capacity, *spaces, device="cpu", n_envs=environments)  # as its algorithms make it

        self.one = make(1)
        self.many = make(MANY)
        self.row = OBS[None], OBS[None], ACTS[:1], REWARDS[:1], DONES[:1], [{}]
        self.rows = OBS_MANY, OBS_MANY, ACTS, REWARDS, DONES, [{}] * MANY

    def add_one(self):
        self.one.add(*self.row)

    def add_many(self):
        self.many.add(*self.rows)

    def sample(self, size):
        return self.many.sample(size)


class TorchRL:
    def __init__(self, capacity, prioritized):
        import torch
        from tensordict import TensorDict
        from torchrl.data import LazyTensorStorage, TensorDictPrioritizedReplayBuffer, TensorDictReplayBuffer

        torch.set_num_threads(1)
        self.torch = torch
        arrays = {"obs": OBS_MANY, "act": ACTS, "rew": REWARDS, "next_obs": OBS_MANY, "done": DONES}
        self.rows = TensorDict({name: torch.tensor(array) for name, array in arrays.items()}, batch_size=[MANY])
        self.row = self.rows[0].clone()
        storage = LazyTensorStorage(capacity)
        if prioritized:
            self.buffer = TensorDictPrioritizedReplayBuffer(alpha=ALPHA, beta=BETA, storage=storage)
        else:
            self.buffer = TensorDictReplayBuffer(storage=storage)

    def add_one(self):
        self.buffer.add(self.row)

    def add_many(self):
        self.buffer.extend(self.rows)

    def sample(self, size):
        return self.buffer.sample(size)

    def sample_update(self, size, priorities):
        batch = self.buffer.sample(size)
        self.buffer.update_priority(batch["index"], self.torch.from_numpy(priorities))


class Tianshou:
    def __init__(self, capacity, prioritized):
        from tianshou.data import (
            Batch,
            PrioritizedReplayBuffer,
            PrioritizedVectorReplayBuffer,
            ReplayBuffer,
            VectorReplayBuffer,
        )

        options = {"alpha": ALPHA, "beta": BETA} if prioritized else {}
        self.capacity, self.prioritized = capacity, prioritized
        self.one = (PrioritizedReplayBuffer if prioritized else ReplayBuffer)(capacity, **options)
        self.many = (PrioritizedVectorReplayBuffer if prioritized else VectorReplayBuffer)(capacity, MANY, **options)
        self.row = Batch(obs=OBS, act=1, rew=1.0, terminated=False, truncated=False, obs_next=OBS, info={})
        self.rows = Batch(
            obs=OBS_MANY, act=ACTS, rew=REWARDS, terminated=DONES, truncated=DONES, obs_next=OBS_MANY, info=Batch()
        )
        self.places = np.arange(MANY)

    def add_one(self):
        self.one.add(self.row)

    def add_many(self):
        self.many.add(self.rows, buffer_ids=self.places)

    def fill(self):
        # Samples of a memory for many environments at once are slow, and filling a plain one item by item too.
        if self.prioritized:
            fill(self, self.capacity)
        else:
            names = ("obs", "act", "rew", "terminated", "truncated", "done", "obs_next")
            arrays = (OBS_MANY, ACTS, REWARDS, DONES, DONES, DONES, OBS_MANY)
            repeats = self.capacity // MANY + 1
            columns = {n: np.concatenate([a] * repeats)[: self.capacity] for n, a in zip(names, arrays, strict=True)}
            self.many = type(self.one).from_data(**columns)

    def sample(self, size):
        return self.many.sample(size)

    def sample_update(self, size, priorities):
        _, indices = self.many.sample(size)
        self.many.update_weight(indices, priorities)


LIBRARIES = {
    "srl": Srl,
    "cpprb": Cpprb,
    "stable-baselines3": StableBaselines3,
    "torchrl": TorchRL,
    "tianshou": Tianshou,
}


def fill(memory, capacity):
    """Fill a memory by the fast way."""
    for _ in range(capacity // MANY + 1):
        memory.add_many()


def items_per_s(operation, items, seconds):
    """Return items per second of an operation: of ten parts, about so long in all, the fastest one."""
    calls = 1
    while (took := timed(operation, calls)) < seconds / 10:
        calls *= 2
    calls = max(1, int(calls * seconds / 10 / took))
    return items * calls / min(timed(operation, calls) for _ in range(10))


def timed(operation, calls):
    """Return seconds of CPU, which other work on the machine disturbs least: every library has one thread here."""
    begun_s = time.process_time()
    for _ in range(calls):
        operation()
    return time.process_time() - begun_s


def measure(memory, capacity, prioritized, seconds):
    """Return items per second by operation. Samples are taken of a full memory."""
    figures = {"add one": items_per_s(memory.add_one, 1, seconds)}
    if not prioritized:
        figures[f"add {MANY} at a time"] = items_per_s(memory.add_many, MANY, seconds)
    memory.fill() if isinstance(memory, Tianshou) else fill(memory, capacity)
    for size in (32, 256, 512) if prioritized else (32, 256):
        if prioritized:
            name = f"sample + update {size}"
            operation = partial(memory.sample_update, size, np.random.default_rng(1).random(size))
        else:
            name, operation = f"sample {size}", partial(memory.sample, size)
        figures[name] = items_per_s(operation, size, seconds)
    if isinstance(memory, Srl) and not prioritized:
        figures["sample 32 as items"] = items_per_s(lambda: memory.sample_items(32), 32, seconds)
    return figures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", choices=LIBRARIES, required=True)
    parser.add_argument("--capacity", type=int, required=True)
    parser.add_argument("--prioritized", action="store_true")
    parser.add_argument("--seconds", type=float, default=0.3, help="of one measurement")
    args = parser.parse_args()
    memory = LIBRARIES[args.library](args.capacity, args.prioritized)
    print("RESULT " + json.dumps(measure(memory, args.capacity, args.prioritized, args.seconds)))


if __name__ == "__main__":
    main()
