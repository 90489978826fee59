"""Callbacks as plain data that write down which hooks were called, one file a process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srl.base.run.callback import RunCallback


@dataclass
class Recorder(RunCallback):
    folder: str
    stops_in: str = ""
    """The hook that asks the run to stop."""

    def _note(self, hook: str, context: Any) -> bool:
        with (Path(self.folder) / f"{context.run_name}-{context.actor_id}").open("a") as file:
            file.write(f"{hook}\n")
        return hook == self.stops_in

    def on_start(self, context, **kwargs):
        self._note("on_start", context)

    def on_end(self, context, **kwargs):
        self._note("on_end", context)

    def on_episodes_begin(self, context, state, **kwargs):
        self._note("on_episodes_begin", context)

    def on_episodes_end(self, context, state, **kwargs):
        self._note("on_episodes_end", context)

    def on_step_end(self, context, state):
        return state.total_step > 20 and self._note("on_step_end", context)

    def on_trainer_start(self, context, state, **kwargs):
        self._note("on_trainer_start", context)

    def on_trainer_end(self, context, state, **kwargs):
        self._note("on_trainer_end", context)

    def on_train_after(self, context, state):
        return state.train_count > 20 and self._note("on_train_after", context)

    def on_memory_start(self, context, info, **kwargs):
        assert info["inserted"] == info["memory_length"] == info["memory"].length() == 0
        self._note("on_memory_start", context)

    def on_memory(self, context, info):
        return info["inserted"] > 20 and self._note("on_memory", context)

    def on_memory_end(self, context, info, **kwargs):
        self._note("on_memory_end", context)
