"""What a frame of a drawn run says of the moment between policy and step."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from srl.base.context import RunStateActor


def frame_text(state: RunStateActor) -> str:
    """Return number, state, action, rewards of the step before, and infos, a line each."""
    env = state.env
    lines = [
        f"### {env.step_num}{_ending(state)}",
        f"state: {env.observation_space.to_str(env.state)}",
        f"action : {_action_text(state)}",
        f"rewards:[{','.join(f'{reward:.3f}' for reward in env.rewards)}]",
        f"env {env.info}",
        f"work{state.worker_idx} {state.workers[state.worker_idx].info}",
    ]
    return "\n".join(lines)


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
