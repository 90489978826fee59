"""What `benchmarks.learning` measures: hyperparameters, equal on both sides, and when an algorithm has learned.

No import of either library, so that a process of either one can read it.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """One algorithm in one environment of gymnasium."""

    env: str
    threshold: float
    """Learned: the mean return of `EPISODES` evaluation episodes is at least this."""
    interval: int
    """Env steps between two evaluations."""
    max_steps: int
    """Env steps after which a run gives up."""
    ours: dict[str, Any] = field(default_factory=dict)
    """Fields of our Config..."""
    theirs: dict[str, Any] = field(default_factory=dict)
    """...and the same as arguments of stable-baselines3."""
    net_arch: tuple[int, ...] = (64, 64)
    warmup: int = 0
    """Transitions before the first update (off-policy algorithms)."""
    capacity: int = 0
    """Of the replay memory."""
    exploration_steps: int = 0
    """In which epsilon falls from 1 to `final_epsilon`."""
    final_epsilon: float = 0.04
    train_interval: int = 1


EPISODES = 100
"""The last word on whether a threshold is reached..."""
SCREENING = 10
"""...is asked for when so many episodes of an evaluation reach it."""

CASES = {
    # found by a few runs of ours on CartPole, not taken from a publication
    "dqn": Case(
        env="CartPole-v1",
        threshold=475,
        interval=1000,
        max_steps=80_000,
        ours={"lr": 5e-4, "batch_size": 128, "target_interval": 100, "n_step": 3, "double": False},
        theirs={"learning_rate": 5e-4, "batch_size": 128, "target_update_interval": 200, "n_steps": 3},
        warmup=500,
        capacity=50_000,
        exploration_steps=5000,
        train_interval=2,
    ),
    # stable-baselines3's defaults: Schulman et al. (2017), table 3, with an entropy bonus of 0
    "ppo": Case(
        env="CartPole-v1",
        threshold=475,
        interval=2048,
        max_steps=150_000,
        ours={"rollout_size": 2048, "horizon": 2048, "epochs": 10, "batch_size": 64, "lr": 3e-4, "gae_lambda": 0.95},
        theirs={"n_steps": 2048, "n_epochs": 10, "batch_size": 64, "learning_rate": 3e-4, "gae_lambda": 0.95},
    ),
    # rl-baselines3-zoo's settings for Pendulum-v1: learning rate 0.001, the rest stable-baselines3's defaults. Until
    # the warm-up is over theirs acts evenly at random, ours by its first policy.
    "sac": Case(
        env="Pendulum-v1",
        threshold=-200,
        interval=500,
        max_steps=20_000,
        ours={"lr": 1e-3, "batch_size": 256, "tau": 0.005},
        theirs={"learning_rate": 1e-3, "batch_size": 256, "tau": 0.005},
        net_arch=(256, 256),
        warmup=256,
        capacity=20_000,
    ),
}


@dataclass(frozen=True)
class TableCase:
    """One algorithm without a network in one of our environments."""

    env: str
    threshold: float
    train_steps: int
    """Env steps of training; 0: none."""
    episodes: int
    """Of the evaluation."""
    fields: dict[str, Any] = field(default_factory=dict)
    """Of the Config."""
    opponent: str = ""
    """Who plays the other player. The figure is then the part of episodes that were not lost."""


TABLE_CASES = {
    "ql": TableCase("Grid", 0.70, 200_000, 2000, {"lr": 0.01}),
    "vanilla_policy": TableCase("Grid", 0.70, 300_000, 2000),
    "dynaq": TableCase("Grid", 0.70, 20_000, 2000, {"lr": 0.02}),
    "mcts": TableCase("OX", 0.95, 0, 100, opponent="random"),
}
