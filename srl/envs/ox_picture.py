"""The picture of a tic-tac-toe board."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CELL_PX = 64

_PAPER = (250, 250, 247)
_LINE = (150, 153, 157)
_O = (45, 98, 190)
_X = (208, 76, 68)
_INSET_PX = 13
_STROKE_PX = 7


def draw_board(board: Sequence[int]) -> NDArray[np.uint8]:
    """Return uint8 (192, 192, 3). `board` holds 9 places row by row: 1 is O, -1 is X, 0 is free."""
    from PIL import Image, ImageDraw

    side = 3 * CELL_PX
    image = Image.new("RGB", (side, side), _PAPER)
    draw = ImageDraw.Draw(image)
    for at in (CELL_PX, 2 * CELL_PX):
        draw.line((at, 0, at, side), _LINE, 2)
        draw.line((0, at, side, at), _LINE, 2)
    for place, piece in enumerate(board):
        left, top, right, bottom = _box(place)
        if piece == 1:
            draw.ellipse((left, top, right, bottom), outline=_O, width=_STROKE_PX)
        elif piece == -1:
            draw.line((left, top, right, bottom), _X, _STROKE_PX)
            draw.line((left, bottom, right, top), _X, _STROKE_PX)
    return np.array(image, dtype=np.uint8)


def _box(place: int) -> tuple[int, int, int, int]:
    row, column = divmod(place, 3)
    left, top = column * CELL_PX + _INSET_PX, row * CELL_PX + _INSET_PX
    extent = CELL_PX - 2 * _INSET_PX
    return (left, top, left + extent, top + extent)
