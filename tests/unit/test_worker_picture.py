"""What a picture of a worker shows, and where."""

import counting_env  # noqa: F401  registers the environments
import numpy as np
import picture_env
import probe_rl
import pytest

import srl
from srl.base.define import SpaceTypes
from srl.base.env.registration import register
from srl.base.picture import GAP_PX
from srl.base.spaces.box import BoxSpace
from srl.utils.usage import UsageError

SPACES = {
    "uint8": BoxSpace((8, 12, 3), 0, 255, np.uint8, SpaceTypes.RGB),
    "0 to 1": BoxSpace((8, 12, 3), 0, 1, np.float32, SpaceTypes.RGB),
    "-1 to 1": BoxSpace((8, 12), -1, 1, np.float32, SpaceTypes.GRAY_HW),
    "no bounds": BoxSpace((8, 12, 1), stype=SpaceTypes.GRAY_HW1),
}


class OneColor(picture_env.PictureOfTime):
    """The state is one color everywhere."""

    def __init__(self, space="uint8", value=0):
        super().__init__()
        self._space = SPACES[space]
        self._value = value

    @property
    def observation_space(self):
        return self._space

    def reset(self, *, seed=None, **kwargs):
        return np.full(self._space.shape, self._value, self._space.dtype)


register("OneColor", __name__ + ":OneColor", check_duplicate=False)


def worker_of(space="uint8", value=0, **config):
    runner = srl.Runner(srl.EnvConfig("OneColor", {"space": space, "value": value}), probe_rl.Config(**config))
    runner.env.setup(render_mode="rgb_array")
    runner.env.reset()
    runner.worker.setup()
    runner.worker.reset(0)
    runner.worker.policy()
    return runner.worker


@pytest.mark.parametrize(
    ("space", "value", "color"),
    [
        ("uint8", 77, 77),
        ("0 to 1", 0.2, 51),
        ("0 to 1", 3, 255),
        ("-1 to 1", 1, 255),
        ("-1 to 1", -1, 0),
        ("no bounds", 77, 77),
        ("no bounds", 1e9, 255),
    ],
)
def test_the_state_as_a_picture_is_black_to_white_within_its_bounds(space, value, color):
    picture = worker_of(space, value, base="BOX").render_rl_image()
    assert (picture.shape, picture.dtype) == ((8, 12, 3), np.uint8)
    assert (picture == color).all()


def test_the_state_is_at_the_right_and_keeps_its_proportions():
    worker = worker_of(value=77, base="BOX", render_rl_image_size=(60, 60))
    picture = worker.create_render_image(add_terminal=False, add_rgb_array=False)
    assert picture.shape == (40, 12 + GAP_PX + 60, 3)
    assert (picture[:, 12 + GAP_PX :] == 77).all()
    assert (picture[:8, :12] == 0).all()


def test_the_state_can_be_left_out():
    worker = worker_of(base="BOX", render_rl_image=False)
    assert worker.create_render_image(add_terminal=False, add_rgb_array=False).shape == (8, 12, 3)


def test_the_picture_of_the_worker_is_below_its_text():
    worker = worker_of(base="BOX", render_rl_image=False)
    text = worker.create_render_image(add_rgb_array=False)
    both = worker.create_render_image()
    assert both.shape[0] == text.shape[0] + GAP_PX + 5
    assert (both[-5:, 12 + GAP_PX : 17 + GAP_PX] == 200).all()


def test_nothing_to_draw(monkeypatch):
    monkeypatch.setattr(OneColor, "render_rgb_array", lambda _self, **_: None)
    monkeypatch.setattr(OneColor, "render_terminal", lambda _self, **_: None)
    worker = worker_of(base="BOX", render_rl_image=False)
    assert worker.create_render_image(add_terminal=False, add_rgb_array=False, info_text="hello").any()
    with pytest.raises(UsageError, match="there is nothing to draw: environment 'OneColor'"):
        worker.create_render_image(add_terminal=False, add_rgb_array=False)
