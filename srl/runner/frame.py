"""Frames of a drawn run: when there is one, and what is on it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from srl.base.run.callback import RunCallback
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from srl.base.context import RunStateActor
    from srl.base.env.env_run import EnvRun
    from srl.base.picture import Picture

_LONGEST_STATE = 40
"""Characters; a picture as a state would fill pages."""
_FURTHER_DECIMALS = re.compile(r"(\.\d{3})\d+")


class FrameCallback(RunCallback, ABC):
    """Calls `frame` each time an action is chosen, and once more when the episode is over, if `shows_end`.

    With `skip_steps`, `skipped_frame` is called in the steps of a frameskip.
    """

    def __init__(self, *, skip_steps: bool, shows_end: bool = True) -> None:
        self._skip_steps = skip_steps
        self._shows_end = shows_end

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
        if self._shows_end and state.worker.config.render_last_step:
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
    number, seen, rewards, info = situation(env)
    return "\n".join(
        [
            number,
            seen,
            f"action : {action_text(env, state.action)}",
            rewards,
            info,
            f"work{state.worker_idx} {state.workers[state.worker_idx].info}",
        ]
    )


def situation(env: EnvRun) -> list[str]:
    """Return where the episode stands: number, state, rewards of the step before, and infos, a line each."""
    return [
        f"### {env.step_num}{_ending(env)}",
        f"state: {_state_text(env)}",
        f"rewards:[{','.join(f'{reward:.3f}' for reward in env.rewards)}]",
        f"env {env.info}",
    ]


def action_text(env: EnvRun, action: Any) -> str:
    """Return an action, and its name if that is another text."""
    number, name = str(action), env.action_to_str(action)
    return number if name == number else f"{number}({name})"


def wait_for_enter() -> None:
    """Let the user look at a frame for as long as they like."""
    input("Press Enter for the next step")


def _state_text(env: EnvRun) -> str:
    text = _FURTHER_DECIMALS.sub(r"\1", env.observation_space.to_str(env.state))
    return text if len(text) <= _LONGEST_STATE else f"{text[:_LONGEST_STATE]}..."


def _ending(env: EnvRun) -> str:
    if env.done:
        return f", done({env.done_reason})"
    return f", player {env.next_player}" if env.player_num > 1 else ""
