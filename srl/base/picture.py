"""Pictures as arrays: brought to a size, and put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Picture = NDArray[np.uint8]
"""uint8 (height, width, 3), red green blue."""

PAPER = (24, 26, 30)
"""The color around pictures."""
GAP_PX = 4


def scaled(picture: Picture, factor: float) -> Picture:
    """Return the picture `factor` times as large. A whole factor keeps pixels sharp."""
    height, width = picture.shape[:2]
    return _resized(picture, round(width * factor), round(height * factor))


def fitted(picture: Picture, size: tuple[int, int]) -> Picture:
    """Return the picture as large as goes into `size` (width, height); its proportions are kept."""
    height, width = picture.shape[:2]
    return scaled(picture, min(size[0] / width, size[1] / height))


def on_paper(picture: Picture, height: int, width: int) -> Picture:
    """Return the picture in the upper left corner of a sheet of that size."""
    sheet = np.full((height, width, 3), PAPER, dtype=np.uint8)
    sheet[: picture.shape[0], : picture.shape[1]] = picture
    return sheet


def beside(pictures: Sequence[Picture]) -> Picture:
    """Return one picture of several, from left to right."""
    return _joined(pictures, axis=1)


def below(pictures: Sequence[Picture]) -> Picture:
    """Return one picture of several, from top to bottom."""
    return _joined(pictures, axis=0)


def _joined(pictures: Sequence[Picture], axis: int) -> Picture:
    """Return the pictures in a row along `axis`, a gap between each two, on one sheet."""
    size = [max(picture.shape[side] for picture in pictures) for side in (0, 1)]
    size[axis] = sum(picture.shape[axis] for picture in pictures) + GAP_PX * (len(pictures) - 1)
    sheet = np.full((*size, 3), PAPER, dtype=np.uint8)
    at = [0, 0]
    for picture in pictures:
        sheet[at[0] : at[0] + picture.shape[0], at[1] : at[1] + picture.shape[1]] = picture
        at[axis] += picture.shape[axis] + GAP_PX
    return sheet


def _resized(picture: Picture, width: int, height: int) -> Picture:
    from PIL import Image

    size = (max(1, width), max(1, height))
    is_whole = size[0] % picture.shape[1] == 0 and size[1] % picture.shape[0] == 0
    resampling = Image.Resampling.NEAREST if is_whole else Image.Resampling.LANCZOS
    return np.asarray(Image.fromarray(picture).resize(size, resampling), dtype=np.uint8)
