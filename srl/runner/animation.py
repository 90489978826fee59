"""A run as an animated picture."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from srl.base.picture import Picture

_SHORTEST_MS = 20
"""Viewers show shorter frames slower, not faster."""


def gif(frames: Iterable[Picture], interval_ms: float) -> bytes:
    """Return frames of one size, of which there is at least one, as an endless animation."""
    from PIL import Image

    images = (Image.fromarray(frame) for frame in frames)
    data = io.BytesIO()
    duration = max(_SHORTEST_MS, round(interval_ms))
    next(images).save(data, format="GIF", save_all=True, append_images=images, duration=duration, loop=0)
    return data.getvalue()
