"""What is done to one picture. A trimming and a size are checked where they are applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image

from srl.base.define import SpaceTypes

if TYPE_CHECKING:
    from numpy.typing import NDArray

NormalizeType = Literal["", "0to1", "-1to1"]
Size = tuple[int, int]
"""(width, height) in pixels."""
Trimming = tuple[int, int, int, int]
"""(top, left, bottom, right) in pixels; bottom and right are the first ones left out."""


def image_processor(
    rgb_array: NDArray[Any],
    from_space_type: SpaceTypes,
    to_space_type: SpaceTypes,
    resize: Size | None = None,
    trimming: Trimming | None = None,
    normalize_type: NormalizeType = "",
    shape_order: Literal["HWC", "CHW"] = "HWC",
) -> NDArray[Any]:
    """Trim a picture, change its colours and its size, and scale its numbers, in this order.

    Takes uint8: (height, width) for GRAY_HW, (height, width, 1) for GRAY_HW1, (height, width, 3) for RGB. Returns
    the same of `to_space_type`; float32 with a `normalize_type`; channels first with the `shape_order` "CHW".
    Grey is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601). Raises ValueError for another type, and for a trimming
    that leaves nothing.
    """
    require_picture(from_space_type)
    require_picture(to_space_type)
    pixels = rgb_array[..., 0] if from_space_type is SpaceTypes.GRAY_HW1 else rgb_array
    image = Image.fromarray(np.ascontiguousarray(trimmed(pixels, trimming)))
    image = image.convert("RGB" if to_space_type is SpaceTypes.RGB else "L")
    if resize is not None:
        image = image.resize(resize, Image.Resampling.BILINEAR)
    result = np.array(image)
    if to_space_type is SpaceTypes.GRAY_HW1:
        result = result[..., np.newaxis]
    if shape_order == "CHW" and result.ndim == 3:
        result = result.transpose(2, 0, 1)
    return normalized(result, normalize_type)


def require_picture(stype: SpaceTypes) -> None:
    """Raise ValueError unless a space of this type is one of pictures."""
    if not SpaceTypes.is_image(stype):
        raise ValueError(f"{stype.name} is no type of picture; it must be GRAY_HW, GRAY_HW1 or RGB")


def trimmed(pixels: NDArray[Any], trimming: Trimming | None) -> NDArray[Any]:
    """Return the part of (height, width, ...) within the trimming. Raises ValueError when nothing is left."""
    if trimming is None:
        return pixels
    top, left, bottom, right = trimming
    height, width = pixels.shape[:2]
    if not (0 <= top < bottom <= height and 0 <= left < right <= width):
        raise ValueError(
            f"trimming is {trimming} (top, left, bottom, right); it does not fit a picture {width} wide, {height} high"
        )
    return pixels[top:bottom, left:right]


def normalized(pixels: NDArray[Any], normalize_type: NormalizeType) -> NDArray[Any]:
    """Return 0..255 scaled to 0..1 or -1..1, as float32. Raises ValueError for another type."""
    if normalize_type == "":
        return pixels
    if normalize_type == "0to1":
        return pixels.astype(np.float32) / 255
    if normalize_type == "-1to1":
        return pixels.astype(np.float32) * 2 / 255 - 1
    raise ValueError(f"normalize_type is '{normalize_type}'; it must be '', '0to1' or '-1to1'")
