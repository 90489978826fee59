"""An environment and an algorithm that do nothing, written against the API that both libraries of the comparison have.

What remains of a run's time is the framework around them.
"""

import contextlib
from dataclasses import dataclass

import numpy as np

from srl.base.define import RLBaseTypes
from srl.base.env import registration as env_registration
from srl.base.env.base import EnvBase
from srl.base.rl import registration as rl_registration
from srl.base.rl.config import RLConfig
from srl.base.rl.trainer import RLTrainer
from srl.base.rl.worker import RLWorker
from srl.base.spaces.box import BoxSpace
from srl.base.spaces.discrete import DiscreteSpace

EPISODE_STEPS = 200


class Nowhere(EnvBase):
    """Always the same state; two actions without effect; episodes of 200 steps."""

    def __init__(self):
        super().__init__()
        self.t = 0

    @property
    def action_space(self):
        return DiscreteSpace(2)

    @property
    def max_episode_steps(self):
        return 10 * EPISODE_STEPS

    @property
    def player_num(self):
        return 1

    def reset(self, **kwargs):
        self.t = 0
        return self.STATE

    def step(self, action):
        self.t += 1
        return self.STATE, 1.0, self.t >= EPISODE_STEPS, False

    def backup(self, **kwargs):
        return self.t

    def restore(self, data, **kwargs):
        self.t = data


class DiscreteNowhere(Nowhere):
    STATE = 3

    @property
    def observation_space(self):
        return DiscreteSpace(10)


class BoxNowhere(Nowhere):
    STATE = np.array([0.1, -0.2, 0.3, -0.4], np.float32)

    @property
    def observation_space(self):
        return BoxSpace((4,), -1, 1)


@dataclass
class Config(RLConfig):
    """Takes discrete and box observations as they are."""

    def get_name(self):
        return "DoNothing"

    def get_base_action_type(self):
        return RLBaseTypes.DISCRETE

    def get_base_observation_type(self):
        return RLBaseTypes.DISCRETE | RLBaseTypes.BOX


class Trainer(RLTrainer):
    def train(self):
        self.train_count += 1


class Worker(RLWorker):
    def policy(self, worker):
        return 1


def register_once():
    with contextlib.suppress(AssertionError):  # a child process of the other library has inherited it
        env_registration.register("DiscreteNowhere", f"{__name__}:DiscreteNowhere")
        env_registration.register("BoxNowhere", f"{__name__}:BoxNowhere")
        rl_registration.register(Config(), "", "", f"{__name__}:Trainer", f"{__name__}:Worker")


register_once()
