"""A run as an animated picture."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from srl.base.picture import same_size, scaled
from srl.runner.frame import FrameCallback, View, wait_for_enter
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from srl.base.context import RunStateActor
    from srl.base.picture import Picture

_SHORTEST_MS = 20
"""Viewers show shorter frames slower, not faster."""


class CollectFrames(FrameCallback):
    """Keeps a picture of each frame."""

    def __init__(self, view: View, *, step_stop: bool, skip_steps: bool) -> None:
        super().__init__(skip_steps=skip_steps)
        self._view = view
        self._step_stop = step_stop
        self.frames: list[Picture] = []

    def frame(self, state: RunStateActor) -> None:
        self.skipped_frame(state)
        if self._step_stop:
            wait_for_enter()

    def skipped_frame(self, state: RunStateActor) -> None:
        self.frames.append(self._view.draw(state))


def same_size_frames(frames: Sequence[Picture], scale: float) -> list[Picture]:
    """Return the frames `scale` times as large, all of one size. Raises UsageError when there is none."""
    if not frames:
        raise UsageError("the run had no step, so there is nothing to draw: check max_steps and timeout")
    return [scaled(frame, scale) for frame in same_size(frames)]


def check_scale(scale: float) -> None:
    """Raise UsageError unless the scale is above 0."""
    if not scale > 0:
        raise UsageError(f"render_scale is {scale}; it must be above 0")


def writable(path: str | Path) -> Path:
    """Make the folder of a file to be written. Raises UsageError when the file cannot be written there."""
    target = Path(path)
    existed = target.exists()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("ab"):
            pass
        if not existed:
            target.unlink()
    except OSError as error:
        raise UsageError(f"'{path}' cannot be written: {error.strerror}. Choose another path") from error
    return target


def gif(frames: Sequence[Picture], interval_ms: float) -> bytes:
    """Return frames of one size as an endless animation."""
    from PIL import Image

    first, *rest = [Image.fromarray(frame) for frame in frames]
    data = io.BytesIO()
    duration = max(_SHORTEST_MS, round(interval_ms))
    first.save(data, format="GIF", save_all=True, append_images=rest, duration=duration, loop=0)
    return data.getvalue()
