"""Frames of a drawn run: when there is one, and what is on it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from srl.base.run.callback import RunCallback
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from srl.base.context import RunStateActor
    from srl.base.picture import Picture

_LONGEST_STATE = 60
"""Characters; a picture as a state would fill pages."""


class FrameCallback(RunCallback, ABC):
    """Calls `frame` each time an action is chosen, and once more when the episode is over.

    With `skip_steps`, `skipped_frame` is called in the steps of a frameskip.
    """

    def __init__(self, *, skip_steps: bool) -> None:
        self._skip_steps = skip_steps

    @abstractmethod
    def frame(self, state: RunStateActor) -> None:
        """Show or keep the moment."""

    def skipped_frame(self, state: RunStateActor) -> None:
        """Show or keep a moment between two actions."""
        self.frame(state)

    def on_step_action_after(self, state: RunStateActor, **_kwargs: Any) -> None:
        self.frame(state)

    def on_skip_step(self, state: RunStateActor, **_kwargs: Any) -> None:
        if self._skip_steps:
            self.skipped_frame(state)

    def on_episode_end(self, state: RunStateActor, **_kwargs: Any) -> None:
        if state.worker.config.render_last_step:
            self.frame(state)


@dataclass(frozen=True)
class View:
    """What a frame as a picture shows, and of whom."""

    worker_idx: int = 0
    terminal: bool = True
    """Whether the Worker's text is on it..."""
    rgb: bool = True
    """...and its picture..."""
    info_text: bool = True
    """...and `frame_text`."""
    render_kwargs: Mapping[str, Any] = field(default_factory=dict)

    def draw(self, state: RunStateActor) -> Picture:
        """Return the moment as a picture. Raises UsageError for an unknown worker, or when nothing is on it."""
        if not 0 <= self.worker_idx < len(state.workers):
            raise UsageError(f"render_worker is {self.worker_idx}; it must be from 0 to {len(state.workers) - 1}")
        text = frame_text(state) if self.info_text else ""
        worker = state.workers[self.worker_idx]
        return worker.create_render_image(self.terminal, self.rgb, text, **self.render_kwargs)


def frame_text(state: RunStateActor) -> str:
    """Return number, state, action, rewards of the step before, and infos, a line each."""
    env = state.env
    lines = [
        f"### {env.step_num}{_ending(state)}",
        f"state: {state_text(state)}",
        f"action : {_action_text(state)}",
        f"rewards:[{','.join(f'{reward:.3f}' for reward in env.rewards)}]",
        f"env {env.info}",
        f"work{state.worker_idx} {state.workers[state.worker_idx].info}",
    ]
    return "\n".join(lines)


def state_text(state: RunStateActor) -> str:
    """Return the environment's state, cut off where it is long."""
    text = state.env.observation_space.to_str(state.env.state)
    return text if len(text) <= _LONGEST_STATE else f"{text[:_LONGEST_STATE]}..."


def wait_for_enter() -> None:
    """Let the user look at a frame for as long as they like."""
    input("Press Enter for the next step")


def _ending(state: RunStateActor) -> str:
    env = state.env
    if env.done:
        return f", done({env.done_reason})"
    return f", player {env.next_player}" if env.player_num > 1 else ""


def _action_text(state: RunStateActor) -> str:
    number, name = str(state.action), state.env.action_to_str(state.action)
    return number if name == number else f"{number}({name})"
