"""Processors of `worker.render_image_state`: the algorithm's own, then the user's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import counting_env  # noqa: F401  registers "Counting"
import probe_rl

import srl
from srl.base.define import SpaceTypes
from srl.base.spaces.box import BoxSpace
from srl.rl.processors.image_processor import ImageProcessor

if TYPE_CHECKING:
    from srl.base.rl.processor import RLProcessor
    from srl.base.spaces.space import SpaceBase


@dataclass
class Grey(probe_rl.Config):
    picture: bool = True

    def get_render_image_processors(self, prev_observation_space: SpaceBase[Any]) -> list[RLProcessor]:
        assert isinstance(prev_observation_space, BoxSpace)
        assert prev_observation_space.stype == SpaceTypes.RGB
        return [ImageProcessor(image_type=SpaceTypes.GRAY_HW)]


def set_up(**settings: Any) -> tuple[Grey, Any]:
    config = Grey(**settings)
    env = srl.make_env("Counting")
    config.setup(env)
    env.setup(render_mode="rgb_array")
    env.reset()
    return config, env


def test_processors_of_pictures() -> None:
    config, env = set_up()
    assert config.obs_render_img_space.shape == (8, 12)
    assert config.render_image_state_encode_one_step(env).shape == (8, 12)


def test_the_users_come_after_the_algorithms_own() -> None:
    config, env = set_up(render_image_processors=[ImageProcessor(image_type=SpaceTypes.GRAY_HW, resize=(6, 4))])
    assert config.render_image_state_encode_one_step(env).shape == (4, 6)


def test_the_algorithms_own_can_be_switched_off() -> None:
    config, env = set_up(enable_rl_processors=False)
    assert config.render_image_state_encode_one_step(env).shape == (8, 12, 3)
