"""Pictures brought to a size and put together."""

import numpy as np
import pytest

from srl.base.picture import GAP_PX, PAPER, below, beside, fitted, on_paper, scaled


def gray(height, width, value=200):
    return np.full((height, width, 3), value, np.uint8)


def test_a_whole_factor_repeats_pixels():
    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert np.array_equal(scaled(picture, 3), picture.repeat(3, axis=0).repeat(3, axis=1))
    assert np.array_equal(scaled(picture, 1), picture)


@pytest.mark.parametrize(("factor", "shape"), [(0.5, (4, 5, 3)), (1.5, (12, 15, 3)), (0.001, (1, 1, 3))])
def test_any_factor(factor, shape):
    picture = scaled(gray(8, 10), factor)
    assert (picture.shape, picture.dtype) == (shape, np.uint8)
    assert (picture == 200).all()


def test_what_is_fitted_keeps_its_proportions():
    assert fitted(gray(8, 12), (128, 128)).shape == (85, 128, 3)
    assert fitted(gray(300, 100), (128, 64)).shape == (64, 21, 3)


def test_paper_shows_where_there_is_no_picture():
    sheet = on_paper(gray(1, 2), 2, 3)
    assert (sheet[:1, :2] == 200).all()
    assert (sheet[1, 0] == PAPER).all()
    assert (sheet[0, 2] == PAPER).all()


def test_beside_and_below():
    row = beside([gray(4, 5, 10), gray(2, 3, 20)])
    assert row.shape == (4, 8 + GAP_PX, 3)
    assert (row[:, :5] == 10).all()
    assert (row[:2, -3:] == 20).all()
    assert (row[2:, 5:] == PAPER).all()
    column = below([gray(4, 5, 10), gray(2, 3, 20)])
    assert np.array_equal(column[:4, :5], gray(4, 5, 10))
    assert np.array_equal(column[-2:, :3], gray(2, 3, 20))
