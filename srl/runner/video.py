"""A run as a video file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from srl.base.picture import on_paper
from srl.utils.optional_package import import_optional
from srl.utils.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from srl.base.picture import Picture

_SUFFIXES = (".avi", ".mkv", ".mp4")
_DEFAULT_CODEC = "XVID"
_NAME_IN_MP4 = "mp4v"
"""The default codec, MPEG-4 Part 2, has another name in .mp4 files."""

_SHORTEST_MS = 1
"""MPEG-4 cannot count much finer."""


def check_video(path: Path, codec: str) -> None:
    """Raise UsageError when opencv is not here, or cannot write such a file with that codec."""
    if path.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"'{path}' does not end in one of {', '.join(_SUFFIXES)}, which say what kind of video it is")
    if len(codec) != 4:
        raise UsageError(f"codec is '{codec}'; it must be a code of four characters such as XVID or MJPG")
    with tempfile.TemporaryDirectory() as folder:
        _open(Path(folder, f"try{path.suffix}"), codec, 1, (64, 64)).release()


def save_video(path: Path, frames: Sequence[Picture], interval_ms: float, codec: str) -> None:
    """Write frames of one size, each uint8 (height, width, 3), after `check_video`.

    An odd size is filled up by a row or column, since codecs want even ones.
    """
    height, width = (side + side % 2 for side in frames[0].shape[:2])
    writer = _open(path, codec, 1000 / max(_SHORTEST_MS, interval_ms), (width, height))
    try:
        for frame in frames:
            writer.write(np.ascontiguousarray(on_paper(frame, height, width)[..., ::-1]))  # blue green red
    finally:
        writer.release()


def _open(path: Path, codec: str, frames_per_s: float, size: tuple[int, int]) -> Any:
    cv2 = import_optional("cv2", "a video", "video")
    fourcc = cv2.VideoWriter_fourcc(*_name_in(path, codec))
    writer = cv2.VideoWriter(str(path), fourcc, frames_per_s, size)
    if not writer.isOpened():
        raise UsageError(
            f"opencv cannot write {path.suffix} files with the codec '{codec}': this build lacks it, or it does not "
            f"go into such files. {_DEFAULT_CODEC} always does"
        )
    return writer


def _name_in(path: Path, codec: str) -> str:
    return _NAME_IN_MP4 if path.suffix.lower() == ".mp4" and codec == _DEFAULT_CODEC else codec
