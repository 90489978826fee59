"""Recorded frames come back as they were, all of one size."""

import numpy as np
import pytest

from srl.base.picture import PAPER
from srl.runner.recording import Recording
from srl.utils.usage import UsageError


def gray(height, width, value=200):
    return np.full((height, width, 3), value, np.uint8)


def recording_of(*frames, scale=1.0):
    recording = Recording(scale)
    for frame in frames:
        recording.append(frame)
    return recording


def test_frames_of_different_size_are_filled_up():
    first, second = recording_of(gray(4, 9), gray(8, 2))
    assert first.shape == second.shape == (8, 9, 3)
    assert (first[:4] == 200).all()
    assert (first[4:] == PAPER).all()
    assert (second[:, 2:] == PAPER).all()


def test_frames_are_scaled():
    assert recording_of(gray(4, 9), scale=2)[0].shape == (8, 18, 3)


def test_it_is_a_sequence():
    recording = recording_of(*(gray(2, 2, value) for value in range(5)))
    assert len(recording) == 5
    assert recording[-1][0, 0, 0] == 4
    assert [frame[0, 0, 0] for frame in recording[1:4:2]] == [1, 3]
    with pytest.raises(IndexError):
        recording[5]


def test_a_frame_in_another_layout():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 6, 5)).astype(np.uint8)
    picture = pixels.transpose(1, 2, 0)
    assert np.array_equal(recording_of(picture)[0], picture)


def test_no_frame():
    with pytest.raises(UsageError, match="the run had no step"):
        recording_of().require_frames()
