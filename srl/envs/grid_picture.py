"""The picture of a grid: grey walls, a green goal, a red hole, and the player as a blue disc."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CELL_PX = 32

_COLORS = {
    ".": (96, 99, 104),
    " ": (250, 250, 247),
    "S": (226, 234, 246),
    "G": (72, 168, 96),
    "X": (208, 76, 68),
}
_LINE = (206, 208, 210)
_LETTER = (255, 255, 255)
_PLAYER = (45, 98, 190)
_PLAYER_INSET_PX = 7


def draw_grid(field: Sequence[str], player: tuple[int, int]) -> NDArray[np.uint8]:
    """Return uint8 (rows * 32, columns * 32, 3). `player` is (column, row)."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (len(field[0]) * CELL_PX, len(field) * CELL_PX))
    draw = ImageDraw.Draw(image)
    for y, row in enumerate(field):
        for x, content in enumerate(row):
            box = _box(x, y)
            draw.rectangle(box, fill=_COLORS[content], outline=None if content == "." else _LINE)
            if content in "GX":
                draw.text(_middle(box), content, fill=_LETTER, anchor="mm", font_size=CELL_PX * 0.55)
    draw.ellipse(_box(*player, inset=_PLAYER_INSET_PX), fill=_PLAYER, outline=_LETTER, width=2)
    return np.array(image, dtype=np.uint8)


def _box(x: int, y: int, inset: int = 0) -> tuple[int, int, int, int]:
    left, top = x * CELL_PX, y * CELL_PX
    return (left + inset, top + inset, left + CELL_PX - 1 - inset, top + CELL_PX - 1 - inset)


def _middle(box: tuple[int, int, int, int]) -> tuple[float, float]:
    return ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
