"""Pictures of any size stay within what they are to fit, and lose nothing when put together."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from srl.base.picture import GAP_PX, below, beside, fitted
from srl.runner.recording import Recording

side = st.integers(1, 40)


@st.composite
def pictures(draw):
    seed = draw(st.integers(0, 999))
    return np.random.default_rng(seed).integers(0, 256, (draw(side), draw(side), 3)).astype(np.uint8)


@given(pictures(), st.tuples(side, side))
def test_what_is_fitted_fits_and_touches_two_sides(picture, size):
    height, width = fitted(picture, size).shape[:2]
    assert height <= size[1]
    assert width <= size[0]
    assert height == size[1] or width == size[0]


@given(st.lists(pictures(), min_size=1, max_size=4))
def test_what_is_put_together_is_all_there(parts):
    for joined, axis in ((beside(parts), 1), (below(parts), 0)):
        at = 0
        for part in parts:
            place = joined[:, at:] if axis else joined[at:]
            assert np.array_equal(place[: part.shape[0], : part.shape[1]], part)
            at += part.shape[axis] + GAP_PX
        assert joined.shape[axis] == at - GAP_PX


@given(st.lists(pictures(), min_size=1, max_size=4))
def test_what_is_recorded_comes_back(frames):
    recording = Recording()
    for frame in frames:
        recording.append(frame)
    for frame, back in zip(frames, recording, strict=True):
        assert np.array_equal(back[: frame.shape[0], : frame.shape[1]], frame)
        assert back.shape == recording[0].shape
