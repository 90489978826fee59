"""An algorithm that notes down what its hooks see, for tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from srl.base.define import RLBaseTypes
from srl.base.rl.config import RLConfig
from srl.base.rl.registration import register
from srl.base.rl.trainer import RLTrainer
from srl.base.rl.worker import RLWorker
from srl.rl.memories.single_use_buffer import RLSingleUseBuffer

SEEN = (
    "state", "prev_state", "next_state", "action", "prev_action",
    "invalid_actions", "prev_invalid_actions", "next_invalid_actions",
    "reward", "done", "terminated", "player_index",
)  # fmt: skip


@dataclass
class Config(RLConfig[Any, Any]):
    base: str = "DISCRETE"
    picture: bool = False
    give_up_at: int = -1

    def get_name(self) -> str:
        return "Probe"

    def get_base_action_type(self) -> RLBaseTypes:
        return RLBaseTypes.DISCRETE

    def get_base_observation_type(self) -> RLBaseTypes:
        return RLBaseTypes.from_str(self.base)

    def use_render_image_state(self) -> bool:
        return self.picture


class Memory(RLSingleUseBuffer[Config]):
    pass


class Trainer(RLTrainer[Config, Any, Memory]):
    def on_setup(self) -> None:
        self.calls = ["setup"]

    def on_teardown(self) -> None:
        self.calls.append("teardown")

    def train(self) -> None:
        batch = self.memory.sample()
        if batch is not None:
            self.train_count += len(batch)


class Worker(RLWorker[Config, Any, Memory]):
    """Plays 4, and notes (hook, values)."""

    notes: list[tuple[str, dict[str, Any]]]

    def on_setup(self, worker: Any, context: Any) -> None:
        self.notes = []
        self.hooks = ["on_setup"]

    def on_teardown(self, worker: Any) -> None:
        self.hooks.append("on_teardown")

    def on_reset(self, worker: Any) -> None:
        self._note("on_reset", worker)

    def policy(self, worker: Any) -> int:
        self._note("policy", worker)
        if worker.env.step_num == self.config.give_up_at:
            self.terminated()
        return 4

    def on_step(self, worker: Any) -> None:
        self._note("on_step", worker)
        self.memory.add(worker.reward)

    def render_terminal(self, worker: Any, **_kwargs: Any) -> None:
        self._note("render", worker)
        print("probe")

    def render_rgb_array(self, worker: Any, **_kwargs: Any) -> Any:
        return np.full((5, 5, 3), 200, dtype=np.uint8)

    def _note(self, hook: str, worker: Any) -> None:
        self.notes.append((hook, {name: getattr(worker, name) for name in SEEN}))


register(Config(), "probe_rl:Memory", "", "probe_rl:Trainer", "probe_rl:Worker", check_duplicate=False)
