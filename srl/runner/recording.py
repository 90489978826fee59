"""The frames of a run, kept until they are shown or written."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

import numpy as np

from srl.base.picture import on_paper, scaled
from srl.runner.frame import FrameCallback, View, wait_for_enter
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from srl.base.context import RunStateActor
    from srl.base.picture import Picture

_FASTEST = 1
"""Level of zlib: pictures of few colors get very small anyway."""


class Recording(Sequence["Picture"]):
    """Frames that all have the size of the largest, times `scale`. They are kept compressed."""

    def __init__(self, scale: float = 1.0) -> None:
        self._scale = scale
        self._frames: list[tuple[tuple[int, ...], bytes]] = []
        self._height = self._width = 0

    def append(self, frame: Picture) -> None:
        """Take in uint8 (height, width, 3) of any size."""
        self._height = max(self._height, frame.shape[0])
        self._width = max(self._width, frame.shape[1])
        self._frames.append((frame.shape, zlib.compress(frame.tobytes(), _FASTEST)))

    def require_frames(self) -> None:
        """Raise UsageError when there is no frame."""
        if not self._frames:
            raise UsageError("the run had no step, so there is nothing to draw: check max_steps and timeout")

    def __len__(self) -> int:
        return len(self._frames)

    @overload
    def __getitem__(self, index: int) -> Picture: ...

    @overload
    def __getitem__(self, index: slice) -> list[Picture]: ...

    def __getitem__(self, index: int | slice) -> Picture | list[Picture]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        shape, data = self._frames[index]
        frame = np.frombuffer(zlib.decompress(data), np.uint8).reshape(shape)
        return scaled(on_paper(frame, self._height, self._width), self._scale)


class RecordFrames(FrameCallback):
    """Records a picture of each frame."""

    def __init__(self, recording: Recording, view: View, *, step_stop: bool, skip_steps: bool, shows_end: bool) -> None:
        super().__init__(skip_steps=skip_steps, shows_end=shows_end)
        self._recording = recording
        self._view = view
        self._step_stop = step_stop

    def frame(self, state: RunStateActor) -> None:
        self.skipped_frame(state)
        if self._step_stop:
            wait_for_enter()

    def skipped_frame(self, state: RunStateActor) -> None:
        self._recording.append(self._view.draw(state))
