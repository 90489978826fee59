"""RunCallback: what a user can hang into a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from srl.base.context import RunContext, RunState

Hook = Callable[..., Any]


class RunCallback:
    """Base of callbacks. Hooks are called with keywords: `context` and `state` (in the memory: `info`).

    In distributed training a callback is a dataclass, and each process has one of its own: actors call the hooks of
    episodes and steps, the learner those of training, the memory service those of the memory.

    A subclass may further define these hooks, which are called only if defined:

    | hook                                        | when                                                |
    |---------------------------------------------|-----------------------------------------------------|
    | on_episode_begin, on_episode_end            | after the reset; after an episode's last step       |
    | on_step_begin, on_step_end                  | around an environment step; end: True stops the run |
    | on_step_action_before, on_step_action_after | around the policy; the step is still to be done     |
    | on_skip_step                                | after each further environment step of a frameskip  |
    | on_train_before, on_train_after             | around an update when only training; after: True    |
    |                                             | stops the run                                       |
    | on_memory                                   | now and then, in a memory that runs by itself; True |
    |                                             | stops the run                                       |
    """

    def on_start(self, context: RunContext, **kwargs: Any) -> None:
        """Once, before anything of the run."""

    def on_end(self, context: RunContext, **kwargs: Any) -> None:
        """Once, when everything of the run is over, also after an error."""

    def on_episodes_begin(self, context: RunContext, state: RunState, **kwargs: Any) -> None:
        """Before the first episode; everything is set up."""

    def on_episodes_end(self, context: RunContext, state: RunState, **kwargs: Any) -> None:
        """After the last step."""

    def on_trainer_start(self, context: RunContext, state: RunState, **kwargs: Any) -> None:
        """Before the first update of a run that only trains."""

    def on_trainer_end(self, context: RunContext, state: RunState, **kwargs: Any) -> None:
        """After the last update of a run that only trains."""

    def on_memory_start(self, context: RunContext, info: dict[str, Any], **kwargs: Any) -> None:
        """When a memory that runs by itself begins.

        `info` holds the author's Memory as "memory", its length as "memory_length", and as "inserted" how many items
        have come in.
        """

    def on_memory_end(self, context: RunContext, info: dict[str, Any], **kwargs: Any) -> None:
        """When a memory that runs by itself ends."""


class Hooks:
    """The hooks of some callbacks, looked up once, so that an absent one costs nothing in the loop."""

    def __init__(self, callbacks: Sequence[RunCallback]) -> None:
        self.start = _hooks(callbacks, "on_start")
        self.end = _hooks(callbacks, "on_end")
        self.episodes_begin = _hooks(callbacks, "on_episodes_begin")
        self.episodes_end = _hooks(callbacks, "on_episodes_end")
        self.trainer_start = _hooks(callbacks, "on_trainer_start")
        self.trainer_end = _hooks(callbacks, "on_trainer_end")
        self.episode_begin = _hooks(callbacks, "on_episode_begin")
        self.episode_end = _hooks(callbacks, "on_episode_end")
        self.before_policy = [
            *_hooks(callbacks, "on_step_begin"),
            *_hooks(callbacks, "on_step_action_before"),
        ]
        self.after_policy = _hooks(callbacks, "on_step_action_after")
        self.skip_step = _hooks(callbacks, "on_skip_step")
        self.step_end = _hooks(callbacks, "on_step_end")
        self.train_before = _hooks(callbacks, "on_train_before")
        self.train_after = _hooks(callbacks, "on_train_after")
        self.memory_start = _hooks(callbacks, "on_memory_start")
        self.memory = _hooks(callbacks, "on_memory")
        self.memory_end = _hooks(callbacks, "on_memory_end")


def call_all(hooks: list[Hook], context: RunContext, state: RunState) -> bool:
    """Call hooks in order; return whether one returned True, which asks the run to stop."""
    stop = False
    for hook in hooks:
        stop |= hook(context=context, state=state) is True
    return stop


def call_memory_hooks(hooks: list[Hook], context: RunContext, info: dict[str, Any]) -> bool:
    """Call hooks of a memory in order; return whether one returned True, which asks the run to stop."""
    stop = False
    for hook in hooks:
        stop |= hook(context=context, info=info) is True
    return stop


def _hooks(callbacks: Sequence[RunCallback], name: str) -> list[Hook]:
    return [getattr(callback, name) for callback in callbacks if hasattr(callback, name)]
