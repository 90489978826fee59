"""Pictures of another size, colour or range of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from srl.base.define import SpaceTypes
from srl.base.env.processor import EnvProcessor
from srl.base.exception import NotSupportedError
from srl.base.rl.processor import RLProcessor
from srl.base.spaces.box import BoxSpace
from srl.rl.processors.picture import NormalizeType, Size, Trimming, image_processor, require_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from srl.base.spaces.space import SpaceBase

_BOUNDS: dict[str, tuple[float, float]] = {"": (0, 255), "0to1": (0, 1), "-1to1": (-1, 1)}


@dataclass
class ImageProcessor(RLProcessor, EnvProcessor):
    """Trims, recolours, resizes and scales pictures, in this order; other observations it leaves alone.

    It can stand in `RLConfig.processors` and in `EnvConfig.processors`.
    """

    image_type: SpaceTypes = SpaceTypes.GRAY_HW
    """Of the result: GRAY_HW (height, width), GRAY_HW1 (height, width, 1) or RGB (height, width, 3)."""
    resize: Size | None = None
    """(width, height)."""
    normalize_type: NormalizeType = ""
    """"": uint8, 0..255; "0to1" and "-1to1": float32."""
    trimming: Trimming | None = None
    """(top, left, bottom, right): what to keep, in pixels."""

    def remap_observation_space(self, prev_space: SpaceBase[Any], **kwargs: Any) -> SpaceBase[Any] | None:
        """Return the space of the new pictures; None when there are none.

        Raises ValueError for settings that cannot be, NotSupportedError for pictures other than 0..255.
        """
        require_picture(self.image_type)
        if not is_picture_space(prev_space):
            return None
        blank = self.remap_observation(prev_space.get_default(), prev_space, prev_space)
        low, high = _BOUNDS[self.normalize_type]
        return BoxSpace(blank.shape, low, high, blank.dtype, self.image_type)

    def remap_observation(
        self, state: NDArray[Any], prev_space: SpaceBase[Any], new_space: SpaceBase[Any], **kwargs: Any
    ) -> NDArray[Any]:
        """Return the new picture."""
        return image_processor(
            state.astype(np.uint8, copy=False),
            prev_space.stype,
            self.image_type,
            self.resize,
            self.trimming,
            self.normalize_type,
        )


def is_picture_space(space: SpaceBase[Any]) -> bool:
    """Tell whether values are pictures. Raises NotSupportedError for those whose numbers are not 0..255."""
    if not (isinstance(space, BoxSpace) and SpaceTypes.is_image(space.stype)):
        return False
    if not space.is_integer() and space.high.max() <= 1:
        raise NotSupportedError(f"{space} holds pictures that are not of 0..255: put this processor first")
    return True
