"""An environment whose state is a picture, for tests."""

from __future__ import annotations

import counting_env
import numpy as np

from srl.base.define import SpaceTypes
from srl.base.env.registration import register
from srl.base.spaces.box import BoxSpace


class PictureOfTime(counting_env.Counting):
    """The grey of the picture is the number of steps made."""

    @property
    def observation_space(self):
        return BoxSpace((8, 12, 3), 0, 255, np.uint8, SpaceTypes.RGB)

    def reset(self, *, seed=None, **kwargs):
        super().reset(seed=seed, **kwargs)
        return self.render_rgb_array()

    def step(self, action):
        _, *rest = super().step(action)
        return self.render_rgb_array(), *rest


register("PictureOfTime", "picture_env:PictureOfTime", check_duplicate=False)
