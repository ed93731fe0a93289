from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxlrp.errors import InputError, RuntimeSetupError
from onnxlrp.evaluate import flip_pixels, superpixels
from onnxlrp.evaluate.regions import blocks
from tests.evaluate.nets import linear_net


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 20))
def test_blocks_cut_the_picture_into_squares(height, width, side):
    side = min(side, max(height, width))
    labels = blocks((height, width), side).reshape(height, width)
    rows, columns = -(-height // side), -(-width // side)
    for row in range(rows):
        for column in range(columns):
            block = labels[row * side : (row + 1) * side, column * side : (column + 1) * side]
            assert (block == row * columns + column).all()


def test_blocks_work_along_any_number_of_axes():
    assert blocks((5,), 2).tolist() == [0, 0, 1, 1, 2]
    assert np.bincount(blocks((4, 4, 4), 2)).tolist() == [8] * 8
    assert blocks((2, 2), 1).tolist() == [0, 1, 2, 3]


PICTURE = np.kron(np.array([[0, 90], [180, 255]], np.uint8), np.ones((8, 8), np.uint8))


def test_superpixels_follow_the_edges():
    for picture in (PICTURE, np.stack([PICTURE] * 3, axis=-1)):
        labels = superpixels(picture, 4)
        assert labels.shape == PICTURE.shape
        assert all(np.ptp(PICTURE[labels == label]) == 0 for label in np.unique(labels))


def test_missing_scikit_image_is_one_clear_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.segmentation", None)  # as if it was not installed
    model = linear_net(np.ones((4, 1)), (1, 2, 2))
    x = np.ones((1, 1, 2, 2), np.float32)
    with pytest.raises(
        RuntimeSetupError,
        match=r"scikit-image.*pip install 'onnxlrp\[superpixels\]'.* or use square regions",
    ):
        flip_pixels(model, x, x, unit="superpixel")


W = np.array([1.0, 2.0, 4.0, 8.0], np.float32)


def flip_labels(labels, x=None, **options):
    x = np.ones((1, 1, 2, 2), np.float32) if x is None else x
    model = linear_net(W.reshape(4, 1), (1, 2, 2))
    return flip_pixels(
        model, x, x * W.reshape(2, 2), unit=labels, target=0, order="morf", fill="zero", **options
    )


def test_own_labels_are_flipped_region_by_region():
    # Means: region 7 has (1 + 8)/2, region 3 has (2 + 4)/2.
    result = flip_labels(np.array([[7, 3], [3, 7]]))
    np.testing.assert_allclose(result.scores[0, 0, 0, 0], [15, 6, 0])
    np.testing.assert_allclose(result.fractions[0, 0, 0, 0], [0, 0.5, 1])


def test_regions_of_unequal_size_count_by_their_area():
    result = flip_labels(np.array([[0, 0], [0, 1]]))
    np.testing.assert_allclose(result.fractions[0, 0, 0, 0], [0, 0.25, 1])
    # Trapezoids over the area: 1/4·(15 + 7)/2 + 3/4·(7 + 0)/2.
    np.testing.assert_allclose(result.auc[0, 0, 0], 22 / 8 + 21 / 8)


def test_pictures_with_unlike_numbers_of_regions_take_the_steps_of_the_fewest():
    labels = np.array([[[0, 1], [2, 3]], [[0, 0], [1, 1]]])
    result = flip_labels(labels, np.ones((2, 1, 2, 2), np.float32), steps=None)
    np.testing.assert_allclose(result.scores[:, 0, 0, 0], [[15, 3, 0], [15, 3, 0]])


@pytest.mark.parametrize(
    ("unit", "complaint"),
    [
        (0, "unit=0: a region of pixels 2×2 has a side of 1 to 2"),
        (3, "unit=3"),
        (2.5, r"unit=2\.5: a whole number of pixels, 'superpixel', or labels"),
        (True, "unit=True"),
        ("superpixels", "Did you mean 'superpixel'"),
        (np.zeros((3, 2), int), r"unit of shape \(3, 2\) .* whole numbers of shape 2×2"),
        (np.zeros((2, 2)), "type float64"),
        (np.zeros((5, 1, 2, 2), int), "labels for every picture are needed"),
        (np.zeros((0, 2, 2), int), "labels for every picture are needed"),
    ],
)
def test_units_that_are_none_are_one_clear_line(unit, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        flip_labels(unit)
    assert "\n" not in str(caught.value)


def test_superpixels_of_what_is_no_picture_are_refused():
    model = linear_net(np.ones((8, 1)), (2, 2, 2), None)
    with pytest.raises(InputError, match="needs pictures of 1 or 3 channels"):
        flip_pixels(model, np.ones((1, 2, 2, 2)), np.ones((1, 2, 2)), unit="superpixel")
