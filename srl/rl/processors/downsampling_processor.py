"""Pictures so coarse that alike ones become the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from srl.base.define import SpaceTypes
from srl.base.rl.processor import RLProcessor
from srl.base.spaces.box import BoxSpace
from srl.rl.processors.image_processor import is_picture_space
from srl.rl.processors.picture import Size, image_processor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from srl.base.spaces.space import SpaceBase


@dataclass
class DownSamplingProcessor(RLProcessor):
    """Makes small grey pictures of few levels: a cell of Go-Explore.

    Ecoffet et al. (2019), section 2.1, arXiv:1901.10995. Each number is the mean grey of its part of the picture,
    floor(grey * max_level / 255).
    """

    resize: Size = (11, 8)
    """(width, height)."""
    max_level: int = 8

    def remap_observation_space(self, prev_space: SpaceBase[Any], **kwargs: Any) -> SpaceBase[Any] | None:
        """Return the space of the small pictures, uint8 (height, width); None when there are no pictures.

        Raises ValueError for settings that cannot be, NotSupportedError for pictures other than 0..255.
        """
        width, height = self.resize
        if width < 1 or height < 1:
            raise ValueError(f"resize is {self.resize} (width, height); both must be 1 or more")
        if not 1 <= self.max_level <= 255:
            raise ValueError(f"max_level is {self.max_level}; it must be between 1 and 255")
        if not is_picture_space(prev_space):
            return None
        return BoxSpace((height, width), 0, self.max_level, np.uint8, SpaceTypes.GRAY_HW)

    def remap_observation(
        self, state: NDArray[Any], prev_space: SpaceBase[Any], new_space: SpaceBase[Any], **kwargs: Any
    ) -> NDArray[Any]:
        """Return the small picture."""
        grey = image_processor(state.astype(np.uint8, copy=False), prev_space.stype, SpaceTypes.GRAY_HW)
        means = np.asarray(Image.fromarray(grey).resize(self.resize, Image.Resampling.BOX), np.int64)
        return (means * self.max_level // 255).astype(np.uint8)
