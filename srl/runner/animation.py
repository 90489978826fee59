"""A run as an animated picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from srl.base.run.callback import RunCallback
from srl.runner.frame import frame_text, wait_for_enter
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PIL.Image import Image

    from srl.base.context import RunStateActor
    from srl.base.render import Picture


class CollectFrames(RunCallback):
    """Keeps a picture of each step, the moment between policy and step, and of the steps of a frameskip."""

    def __init__(
        self,
        worker_idx: int,
        render_kwargs: Mapping[str, Any],
        *,
        terminal: bool,
        rgb: bool,
        info_text: bool,
        step_stop: bool,
        skip_steps: bool,
    ) -> None:
        self._worker_idx = worker_idx
        self._render_kwargs = render_kwargs
        self._terminal = terminal
        self._rgb = rgb
        self._info_text = info_text
        self._step_stop = step_stop
        self._skip_steps = skip_steps
        self.frames: list[Picture] = []

    def on_step_action_after(self, state: RunStateActor, **_kwargs: Any) -> None:
        self._collect(state)
        if self._step_stop:
            wait_for_enter()

    def on_skip_step(self, state: RunStateActor, **_kwargs: Any) -> None:
        if self._skip_steps:
            self._collect(state)

    def _collect(self, state: RunStateActor) -> None:
        text = frame_text(state) if self._info_text else ""
        worker = state.workers[self._worker_idx]
        self.frames.append(worker.create_render_image(self._terminal, self._rgb, text, **self._render_kwargs))


def save_gif(path: str | Path, frames: Sequence[Picture], interval_ms: float, scale: float) -> None:
    """Write frames, each uint8 (height, width, 3), as an endless animation; sizes are `scale` times as large.

    Raises UsageError when there is no frame, or the scale is not above 0.
    """
    if not frames:
        raise UsageError("the run had no step, so there is nothing to draw: check max_steps and timeout")
    if scale <= 0:
        raise UsageError(f"render_scale is {scale}; it must be above 0")
    first, *rest = _images(frames, scale)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    first.save(path, format="GIF", save_all=True, append_images=rest, duration=max(20, round(interval_ms)), loop=0)


def _images(frames: Sequence[Picture], scale: float) -> list[Image]:
    from PIL import Image

    height = max(frame.shape[0] for frame in frames)
    width = max(frame.shape[1] for frame in frames)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return [Image.fromarray(_padded(frame, height, width)).resize(size) for frame in frames]


def _padded(frame: Picture, height: int, width: int) -> Picture:
    return np.pad(frame, ((0, height - frame.shape[0]), (0, width - frame.shape[1]), (0, 0)))
