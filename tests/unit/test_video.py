"""A run as a video, read back with opencv."""

import sys

import counting_env  # noqa: F401  registers the environments
import cv2
import numpy as np
import probe_rl
import pytest

import srl
from srl.runner.video import save_video
from srl.utils.usage import UsageError


def runner_of(length=2):
    return srl.Runner(srl.EnvConfig("Counting", {"length": length}), probe_rl.Config())


def read(path):
    """Return the frames of a video, red green blue, and how many are shown a second."""
    video = cv2.VideoCapture(str(path))
    frames = []
    while (frame := video.read()[1]) is not None:
        frames.append(frame[..., ::-1])
    return frames, video.get(cv2.CAP_PROP_FPS)


@pytest.mark.parametrize("name", ["run.avi", "run.mp4", "run.mkv", "run.AVI"])
def test_a_video_has_a_frame_for_each_step(tmp_path, name):
    path = tmp_path / "new" / name
    rewards = runner_of(5).animation_save_avi(path, render_interval=100, enable_progress=False)
    frames, per_second = read(path)
    assert (len(frames), per_second, rewards) == (5, 10, [15.0])


def test_another_codec(tmp_path):
    runner_of().animation_save_avi(tmp_path / "run.avi", codec="MJPG", enable_progress=False)
    assert len(read(tmp_path / "run.avi")[0]) == 2


def test_an_interval_of_nearly_nothing(tmp_path):
    runner_of().animation_save_avi(tmp_path / "run.avi", render_interval=1e-3, enable_progress=False)
    assert read(tmp_path / "run.avi")[1] == 1000


def test_colors_and_an_odd_size(tmp_path):
    red = np.zeros((63, 95, 3), np.uint8)
    red[..., 0] = 220
    save_video(tmp_path / "run.avi", [red] * 3, 40, "MJPG")
    frames, per_second = read(tmp_path / "run.avi")
    assert (frames[0].shape, per_second) == ((64, 96, 3), 25)
    assert np.abs(frames[2][8:40, 8:40].astype(int) - [220, 0, 0]).max() < 12


def test_render_scale_multiplies_the_size(tmp_path):
    shapes = []
    for scale in (1, 2):
        runner_of().animation_save_avi(tmp_path / "run.avi", render_scale=scale, enable_progress=False)
        shapes.append(read(tmp_path / "run.avi")[0][0].shape)
    assert abs(shapes[1][0] - 2 * shapes[0][0]) <= 2
    assert abs(shapes[1][1] - 2 * shapes[0][1]) <= 2


@pytest.mark.parametrize(
    ("name", "codec", "message"),
    [
        ("run.gif", "XVID", r"does not end in one of \.avi, \.mkv, \.mp4"),
        ("run", "XVID", "does not end in one of"),
        ("run.avi", "XVI", "codec is 'XVI'; it must be a code of four characters"),
        ("run.avi", "ZZZZ", "opencv cannot write .avi files with the codec 'ZZZZ'"),
        ("file/run.avi", "XVID", "cannot be written"),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_run(tmp_path, name, codec, message):
    (tmp_path / "file").touch()
    runner = runner_of()
    with pytest.raises(UsageError, match=message):
        runner.animation_save_avi(tmp_path / name, codec=codec)
    assert runner.state is None
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_without_opencv(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(UsageError, match=r"a video needs cv2: pip install 'srl-cluster\[video\]'"):
        runner_of().animation_save_avi(tmp_path / "run.avi")
