"""The job of a cluster that nobody has given another: DQN learns to balance the pole of CartPole-v1.

Its networks are numpy's, so that the services need neither PyTorch nor a GPU. It is a job file like any other.
"""

from __future__ import annotations

import srl
from srl.algorithms import dqn

TIMEOUT_S = 3600


def job() -> srl.JobConfig:
    """Return the job. Its learning rate comes down, so that what has been learned stays."""
    config = dqn.Config(lr=5e-4, batch_size=128, target_interval=400, n_step=3)
    config.lr_scheduler.set_cosine(50_000, 2e-5)
    config.memory.warmup_size = 500
    config.epsilon_scheduler.set_linear(1.0, 0.04, 5_000)
    return srl.JobConfig("CartPole-v1", config, timeout=TIMEOUT_S, name="dqn in CartPole-v1 (the default job)")
