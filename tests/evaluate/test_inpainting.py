from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxlrp.evaluate.inpainting import impute

LIMITS = (0.0, 255.0)


def neighbours(height, width, row, column):
    """Weights of the neighbours of a pixel, written down one by one."""
    found = {}
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            place = row + down, column + right
            if (down, right) != (0, 0) and 0 <= place[0] < height and 0 <= place[1] < width:
                found[place] = 1 / 6 if 0 in (down, right) else 1 / 12
    return found


@given(st.integers(0, 2**32 - 1), st.integers(3, 9), st.integers(3, 9), st.floats(0.1, 0.9))
def test_imputed_pixels_solve_the_dense_system(seed, height, width, share):
    random = np.random.default_rng(seed)
    pixels = random.uniform(*LIMITS, (2, height, width))
    flipped = random.random((height, width)) < share
    flipped[0, 0] = False
    matrix, right = np.eye(height * width), pixels.reshape(2, -1).copy()
    for row, column in np.argwhere(flipped):
        weights = neighbours(height, width, row, column)
        here = row * width + column
        right[:, here] = 0
        for place, weight in weights.items():
            matrix[here, place[0] * width + place[1]] -= weight / sum(weights.values())
    expected = np.linalg.solve(matrix, right.T).T.reshape(pixels.shape)
    found = impute(pixels, flipped, LIMITS)
    np.testing.assert_allclose(found, expected, atol=1.0)  # a grey level
    np.testing.assert_array_equal(found[:, ~flipped], pixels[:, ~flipped])


def test_one_pixel_is_the_weighted_mean_of_its_neighbours():
    pixels = np.arange(9.0).reshape(1, 3, 3) ** 2
    flipped = np.zeros((3, 3), bool)
    flipped[1, 1] = True
    found = impute(pixels, flipped, LIMITS)[0, 1, 1]
    assert found == pytest.approx((1 + 9 + 25 + 49) / 6 + (0 + 4 + 36 + 64) / 12)


def test_a_ramp_is_guessed_right():
    ramp = np.add.outer(3.0 * np.arange(20), 2.0 * np.arange(20))[None]
    flipped = np.zeros((20, 20), bool)
    flipped[4:16, 5:17] = True
    np.testing.assert_allclose(impute(np.where(flipped, 0, ramp), flipped, LIMITS), ramp, atol=0.5)


def test_where_the_search_begins_hardly_matters():
    random = np.random.default_rng(0)
    pixels = random.uniform(*LIMITS, (1, 40, 40))
    flipped = np.ones((40, 40), bool)
    flipped[::13, ::13] = False
    found = [impute(np.where(flipped, start, pixels), flipped, LIMITS) for start in (0.0, 255.0)]
    np.testing.assert_allclose(*found, atol=1.0)


def test_all_flipped_or_none_needs_no_system():
    pixels = np.random.default_rng(0).uniform(*LIMITS, (3, 4, 5))
    np.testing.assert_array_equal(impute(pixels, np.zeros((4, 5), bool), LIMITS), pixels)
    everything = impute(pixels, np.ones((4, 5), bool), LIMITS)
    np.testing.assert_allclose(everything, pixels.mean(axis=(1, 2), keepdims=True) + 0 * pixels)


def test_constant_pictures_of_any_range_stay_constant():
    flipped = np.zeros((6, 6), bool)
    flipped[1:5, 1:5] = True
    for value, limits in ((7.0, LIMITS), (0.3, (0.3, 0.3))):
        pixels = np.full((1, 6, 6), value)
        np.testing.assert_allclose(impute(pixels, flipped, limits), pixels)
