"""The picture of a board with round pieces on its cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Color = tuple[int, int, int]
"""Red, green, blue: 0 to 255."""

CELL_PX = 40
_INSET_PX = 4
_LINE: Color = (70, 72, 76)


def draw_discs(rows: Sequence[Sequence[Color | None]], paper: Color) -> NDArray[np.uint8]:
    """Return uint8 (rows * 40, columns * 40, 3): a disc of its color in each cell, None is an empty one."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (len(rows[0]) * CELL_PX, len(rows) * CELL_PX))
    draw = ImageDraw.Draw(image)
    for y, row in enumerate(rows):
        for x, color in enumerate(row):
            draw.rectangle(_box(x, y, 0), fill=paper, outline=_LINE)
            if color is not None:
                draw.ellipse(_box(x, y, _INSET_PX), fill=color, outline=_LINE)
    return np.array(image, dtype=np.uint8)


def _box(x: int, y: int, inset: int) -> tuple[int, int, int, int]:
    left, top = x * CELL_PX, y * CELL_PX
    return (left + inset, top + inset, left + CELL_PX - 1 - inset, top + CELL_PX - 1 - inset)
