from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import srl
from srl.algorithms import ql
from srl.base.define import SpaceTypes
from srl.base.exception import NotSupportedError
from srl.base.spaces import (
    ArrayContinuousSpace,
    ArrayDiscreteSpace,
    BoxSpace,
    ContinuousSpace,
    DiscreteSpace,
    NpArraySpace,
    TextSpace,
)
from srl.rl.processors.downsampling_processor import DownSamplingProcessor
from srl.rl.processors.image_processor import ImageProcessor
from srl.rl.processors.normalize_processor import NormalizeProcessor
from srl.rl.processors.picture import image_processor
from srl.utils.plain_data import from_plain, to_plain

RGB = BoxSpace((20, 30, 3), 0, 255, np.uint8, SpaceTypes.RGB)
GRAY = BoxSpace((20, 30), 0, 255, np.uint8, SpaceTypes.GRAY_HW)
GRAY1 = BoxSpace((20, 30, 1), 0, 255, np.uint8, SpaceTypes.GRAY_HW1)


def remapped(processor: Any, space: Any, value: Any) -> tuple[Any, Any]:
    new_space = processor.remap_observation_space(space, env_run=None, rl_config=None)
    new_value = processor.remap_observation(value, space, new_space, env_run=None, rl_config=None)
    assert new_space.check_val(new_value), (new_space, new_value)
    return new_space, new_value


@pytest.mark.parametrize("space", [RGB, GRAY, GRAY1], ids=lambda space: space.stype.name)
@pytest.mark.parametrize(
    ("image_type", "shape"),
    [(SpaceTypes.GRAY_HW, (4, 8)), (SpaceTypes.GRAY_HW1, (4, 8, 1)), (SpaceTypes.RGB, (4, 8, 3))],
    ids=lambda value: getattr(value, "name", ""),
)
def test_colours_and_size(space: BoxSpace, image_type: SpaceTypes, shape: tuple[int, ...]) -> None:
    picture = np.full(space.shape, 100, np.uint8)
    new_space, new = remapped(ImageProcessor(image_type, resize=(8, 4)), space, picture)
    assert (new_space.shape, new_space.stype, new.dtype) == (shape, image_type, np.uint8)
    assert set(new.reshape(-1).tolist()) == {100}


def test_grey_is_luminance() -> None:
    picture = np.zeros((1, 3, 3), np.uint8)
    picture[0, 0, 0] = picture[0, 1, 1] = picture[0, 2, 2] = 255
    assert image_processor(picture, SpaceTypes.RGB, SpaceTypes.GRAY_HW).tolist() == [[76, 150, 29]]


@pytest.mark.parametrize(("kind", "low"), [("0to1", 0), ("-1to1", -1)])
def test_scaled_pictures(kind: Any, low: int) -> None:
    picture = np.zeros((20, 30), np.uint8)
    picture[0, 0] = 255
    space, new = remapped(ImageProcessor(normalize_type=kind), GRAY, picture)
    assert (space.dtype, space.low.min(), space.high.max()) == (np.float32, low, 1)
    assert (new[0, 0], new[1, 1]) == (1, low)


def test_trimming() -> None:
    picture = np.arange(600, dtype=np.uint16).reshape(20, 30).astype(np.uint8)
    _, new = remapped(ImageProcessor(trimming=(2, 3, 10, 20)), GRAY, picture)
    assert new.tolist() == picture[2:10, 3:20].tolist()


def test_channels_first() -> None:
    picture = np.zeros((20, 30, 3), np.uint8)
    assert image_processor(picture, SpaceTypes.RGB, SpaceTypes.RGB, shape_order="CHW").shape == (3, 20, 30)


@pytest.mark.parametrize(
    ("processor", "error", "message"),
    [
        (ImageProcessor(SpaceTypes.TEXT), ValueError, "TEXT is no type of picture"),
        (ImageProcessor(normalize_type="0to2"), ValueError, "normalize_type is '0to2'"),  # type: ignore[arg-type]
        (ImageProcessor(trimming=(0, 0, 21, 5)), ValueError, "does not fit a picture 30 wide, 20 high"),
        (ImageProcessor(trimming=(5, 5, 5, 9)), ValueError, "does not fit"),
        (NormalizeProcessor((1, 1)), ValueError, r"feature_range is \(1, 1\)"),
        (DownSamplingProcessor(max_level=0), ValueError, "max_level is 0"),
        (DownSamplingProcessor((0, 8)), ValueError, r"resize is \(0, 8\)"),
    ],
)
def test_settings_that_cannot_be(processor: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        processor.remap_observation_space(RGB)


@pytest.mark.parametrize("processor", [ImageProcessor(), DownSamplingProcessor()])
def test_no_pictures(processor: Any) -> None:
    assert processor.remap_observation_space(ArrayDiscreteSpace(2, 0, 5)) is None
    assert processor.remap_observation_space(BoxSpace((20, 30), 0, 255)) is None
    scaled = BoxSpace((20, 30), 0, 1, np.float32, SpaceTypes.GRAY_HW)
    with pytest.raises(NotSupportedError, match="put this processor first"):
        processor.remap_observation_space(scaled)


@pytest.mark.parametrize(
    ("space", "value", "expected_space", "expected"),
    [
        (BoxSpace((2,), 0, 10), np.array([0, 7.5], np.float32), "Box(2,), range[-1.0, 1.0]", [-1, 0.5]),
        (BoxSpace((2,), [0, 5], [10, 5]), np.array([10, 5], np.float32), "Box(2,)", [1, -1]),
        (RGB, np.full((20, 30, 3), 255, np.uint8), "Box(20, 30, 3)", np.ones((20, 30, 3)).tolist()),
        (NpArraySpace(2, 0, 4), np.array([0, 1], np.float32), "NpArray", [-1, -0.5]),
        (ArrayDiscreteSpace(2, 0, 4), [4, 1], "NpArray", [1, -0.5]),
        (ArrayContinuousSpace(2, 0, 4), [4.0, 1.0], "ArrayContinuous", [1, -0.5]),
        (DiscreteSpace(5, start=1), 2, "Continuous", -0.5),
        (ContinuousSpace(0, 4), 3.0, "Continuous", 0.5),
    ],
)
def test_normalized(space: Any, value: Any, expected_space: str, expected: Any) -> None:
    new_space, new = remapped(NormalizeProcessor(), space, value)
    assert str(new_space).startswith(expected_space)
    assert (new.tolist() if isinstance(new, np.ndarray) else new) == expected


def test_normalized_to_another_range() -> None:
    _, new = remapped(NormalizeProcessor((0, 10)), ContinuousSpace(-1, 1), 0.0)
    assert new == 5


@pytest.mark.parametrize("space", [BoxSpace((2,), -np.inf, 1), ContinuousSpace(), TextSpace(5)])
def test_nothing_to_normalize(space: Any) -> None:
    assert NormalizeProcessor().remap_observation_space(space) is None


def test_downsampling() -> None:
    picture = np.zeros((16, 22), np.uint8)
    picture[:2, :2] = 255
    picture[:2, 2] = 128  # half of a part that is 2 wide: 64 on average
    space = BoxSpace((16, 22), 0, 255, np.uint8, SpaceTypes.GRAY_HW)
    new_space, new = remapped(DownSamplingProcessor(), space, picture)
    assert (new_space.shape, new_space.high.max(), new.dtype) == ((8, 11), 8, np.uint8)
    assert (new[0, :3].tolist(), int(new.sum())) == ([8, 2, 0], 10)


def test_an_image_processor_before_the_algorithm() -> None:
    config = ql.Config(observation_mode="render_image", processors=[DownSamplingProcessor((4, 4), 2)])
    runner = srl.Runner("Grid", config)
    assert runner.train(max_steps=5, enable_progress=False).train_count == 5
    assert len(next(iter(runner.parameter.q))) == 16  # type: ignore[attr-defined]


def test_an_image_processor_in_the_environment() -> None:
    import picture_env  # noqa: F401  registers the environment

    env = srl.make_env(srl.EnvConfig("PictureOfTime", processors=[ImageProcessor(resize=(4, 2))]))
    env.setup()
    env.reset()
    assert env.state.shape == env.observation_space.shape == (2, 4)


@pytest.mark.parametrize("processor", [ImageProcessor(resize=(4, 2)), NormalizeProcessor(), DownSamplingProcessor()])
def test_processors_are_kept_in_configuration_files(processor: Any) -> None:
    assert from_plain(to_plain(processor)) == processor
    assert processor.copy() == processor
