"""The five classes from the first hook to the last, in the order that the specification draws."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any, ClassVar

import counting_env
import numpy as np
import pytest

import srl
from srl.base.define import RLBaseTypes
from srl.base.env.registration import register as register_env
from srl.base.rl.config import RLConfig
from srl.base.rl.memory import RLMemory
from srl.base.rl.parameter import RLParameter
from srl.base.rl.processor import RLProcessor
from srl.base.rl.registration import register
from srl.base.rl.trainer import RLTrainer
from srl.base.rl.worker import RLWorker
from srl.base.spaces.box import BoxSpace
from srl.base.spaces.discrete import DiscreteSpace

DIARY: list[str] = []
"""Who was called, in order."""


class Counting(counting_env.Counting):
    def reset(self, **kwargs: Any) -> int:
        DIARY.append("env.reset")
        return super().reset(**kwargs)

    def step(self, action: int) -> Any:
        DIARY.append("env.step")
        return super().step(action)


@dataclass
class Doubled(RLProcessor):
    """Doubles states, or halves pictures."""

    halve: bool = False

    def remap_observation_space(self, prev_space: Any, **_kwargs: Any) -> Any:
        return prev_space if self.halve else DiscreteSpace(2 * prev_space.n)

    def remap_observation(self, state: Any, *_args: Any, **_kwargs: Any) -> Any:
        return state // 2 if self.halve else 2 * state


@dataclass
class Config(RLConfig[DiscreteSpace, DiscreteSpace]):
    least: int = 1
    asked: list[str] = field(default_factory=list)
    with_picture: bool = False

    def get_name(self) -> str:
        return "Diary"

    def get_base_action_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE

    def get_base_observation_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE

    def validate_params(self) -> None:
        super().validate_params()
        self.asked.append("validate_params")
        if self.least < 1:
            raise ValueError(f"least is {self.least}")

    def setup_from_env(self, env: Any) -> None:
        self.asked.append(f"setup_from_env {env.name}: {self.observation_space}, {self.action_space}")

    def get_processors(self, prev_observation_space: Any) -> list[RLProcessor]:
        self.asked.append(f"get_processors {prev_observation_space}")
        return [Doubled()]

    def use_backup_restore(self) -> bool:
        self.asked.append("use_backup_restore")
        return True

    def use_render_image_state(self) -> bool:
        return self.with_picture

    def get_render_image_processors(self, prev_observation_space: Any) -> list[RLProcessor]:
        self.asked.append(f"get_render_image_processors {prev_observation_space.shape}")
        return [Doubled(halve=True)]


class Memory(RLMemory[Config]):
    def setup(self) -> None:
        DIARY.append(f"memory.setup {type(self.config).__name__}")
        self.items: list[Any] = []
        self.updates: list[Any] = []
        self.register_worker_func(self.add)
        self.register_trainer_recv_func(self.sample)
        self.register_trainer_send_func(self.update)

    def add(self, item: Any) -> None:
        self.items.append(item)

    def sample(self) -> Any:
        items, self.items = self.items, []
        return items or None

    def update(self, count: int) -> None:
        self.updates.append(count)

    def length(self) -> int:
        return len(self.items)


class Parameter(RLParameter[Config]):
    def setup(self) -> None:
        DIARY.append(f"parameter.setup {type(self.config).__name__}")

    def call_backup(self, **kwargs: Any) -> Any:
        return None

    def call_restore(self, data: Any, **kwargs: Any) -> None:
        pass


class Trainer(RLTrainer[Config, Parameter, Memory]):
    def on_setup(self) -> None:
        parts = [type(part).__name__ for part in (self.config, self.parameter, self.memory)]
        DIARY.append(f"trainer.on_setup {' '.join(parts)} {self.distributed} {self.train_only}")

    def on_teardown(self) -> None:
        DIARY.append("trainer.on_teardown")

    def train(self) -> None:
        DIARY.append("trainer.train")
        batch = self.memory.sample()
        if batch is not None:
            self.memory.update(len(batch))
            self.train_count += 1
            self.info = {"loss": 0.5}  # type: ignore[assignment]


class Worker(RLWorker[Config, Parameter, Memory]):
    pictures: ClassVar[list[tuple[str, Any]]] = []

    def on_setup(self, worker: Any, context: Any) -> None:
        parts = [type(part).__name__ for part in (self.config, self.parameter, self.memory)]
        DIARY.append(f"worker.on_setup {' '.join(parts)} {self.training} {self.distributed} {self.rendering}")

    def on_teardown(self, worker: Any) -> None:
        DIARY.append("worker.on_teardown")

    def on_reset(self, worker: Any) -> None:
        DIARY.append("worker.on_reset")

    def policy(self, worker: Any) -> int:
        DIARY.append("worker.policy")
        self._look(worker)
        return int(self.sample_action())

    def on_step(self, worker: Any) -> None:
        DIARY.append("worker.on_step")
        self._look(worker)
        self.memory.add((worker.state, worker.next_state))

    def render_terminal(self, worker: Any, **kwargs: Any) -> None:
        DIARY.append("worker.render")

    def _look(self, worker: Any) -> None:
        if self.config.with_picture:
            self.pictures.append((DIARY[-1], int(worker.render_img_state.max())))


register_env("DiaryCounting", f"{__name__}:Counting", {"length": 2})
register(Config(), *(f"{__name__}:{part}" for part in ("Memory", "Parameter", "Trainer", "Worker")))


@pytest.fixture(autouse=True)
def fresh_diary() -> None:
    DIARY.clear()
    Worker.pictures.clear()


def made(**config: Any) -> srl.Runner:
    runner = srl.Runner("DiaryCounting", Config(**config))
    DIARY.clear()  # setting up tried the environment's backup
    return runner


def test_training() -> None:
    runner = made()
    state = runner.train(max_episodes=1, enable_progress=False)
    turn = ["worker.policy", "env.step", "worker.on_step", "trainer.train"]
    assert sorted(DIARY[:2]) == ["memory.setup Config", "parameter.setup Config"]
    assert DIARY[2:] == [
        "worker.on_setup Config Parameter Memory True False False",
        "trainer.on_setup Config Parameter Memory False False",
        "env.reset",
        "worker.on_reset",
        *turn,
        *turn,
        "worker.on_teardown",
        "trainer.on_teardown",
    ]
    assert (state.train_count, runner.memory.updates) == (2, [1, 1])
    assert runner.trainer.info["loss"] == 0.5


def test_rendering() -> None:
    runner = made()
    with contextlib.redirect_stdout(None):
        runner.render_terminal()
    turn = ["worker.policy", "worker.render", "env.step", "worker.on_step"]
    assert DIARY[2:] == [
        "worker.on_setup Config Parameter Memory False False True",
        "env.reset",
        "worker.on_reset",
        *turn,
        *turn,
        "worker.render",  # after the end
        "worker.on_teardown",
    ]


def test_training_only() -> None:
    runner = made()
    runner.rollout(max_episodes=1, enable_progress=False)
    DIARY.clear()
    runner.train_only(max_train_count=1, enable_progress=False)
    assert DIARY == ["trainer.on_setup Config Parameter Memory False True", "trainer.train", "trainer.on_teardown"]


def test_what_a_config_is_asked() -> None:
    config = Config()
    srl.Runner("DiaryCounting", config)
    spaces = "Discrete(100, start=0)", "Discrete(200, start=0)", "Discrete(5, start=0)"
    assert config.asked == [
        "use_backup_restore",
        f"get_processors {spaces[0]}",
        "validate_params",
        f"setup_from_env DiaryCounting: {spaces[1]}, {spaces[2]}",
    ]


def test_a_config_may_refuse() -> None:
    with pytest.raises(ValueError, match="least is 0"):
        made(least=0)


def test_states_come_through_the_processors() -> None:
    runner = made()
    runner.rollout(max_episodes=1, enable_progress=False)
    assert runner.memory.sample() == [(0, 2), (2, 4)]


def test_pictures_come_through_their_processors() -> None:
    runner = made(with_picture=True)
    assert "get_render_image_processors (8, 12, 3)" in runner.rl_config.asked
    assert isinstance(runner.rl_config.obs_render_img_space, BoxSpace)
    runner.rollout(max_episodes=1, enable_progress=False)
    # the picture of state t is full of t, and the processor halves it
    assert Worker.pictures == [
        ("worker.policy", 0),
        ("worker.on_step", 0),
        ("worker.policy", 0),
        ("worker.on_step", 0),
    ]
    assert np.max(runner.worker.next_render_img_state) == 1
