"""Relevance becomes colours: sums, limits, tables, overlays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from onnxlrp.errors import InputError, NumericalError
from onnxlrp.render import channel_sum, color_limit, colormap, heatmap_rgb, overlay

maps = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.floats(-(2.0**60), 2.0**60, width=32),
)


def test_channel_sum_keeps_the_total_in_both_layouts():
    relevance = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)
    summed = channel_sum(relevance)
    assert summed.shape == (2, 4, 5)
    np.testing.assert_allclose(summed.sum(), relevance.sum(), rtol=1e-4)
    np.testing.assert_array_equal(channel_sum(relevance.transpose(0, 2, 3, 1), "NHWC"), summed)
    np.testing.assert_array_equal(channel_sum(relevance[1]), summed[1])


def test_limits_by_hand():
    relevance_map = np.array([[1.0, -2.0], [0.0, 0.0]])
    assert color_limit(relevance_map) == 2.0
    assert color_limit(relevance_map, 0.5) == 0.5
    assert color_limit(relevance_map, "cubic") == pytest.approx(10 * (9 / 4) ** (1 / 3))
    assert color_limit(np.arange(101), "percentile") == pytest.approx(99.0)


def test_percentile_of_a_sparse_map_still_shows_something():
    sparse = np.zeros((20, 20))
    sparse[3, 3] = -4.0
    assert color_limit(sparse, "percentile") == 4.0


@given(maps, st.sampled_from(["max", "percentile", "cubic"]))
def test_a_limit_is_finite_and_grows_with_the_map(relevance_map, method):
    limit = color_limit(relevance_map, method)
    assert np.isfinite(limit)
    assert limit >= 0.0
    assert (limit == 0.0) == (not relevance_map.any())
    assert color_limit(-2.0 * relevance_map.astype(np.float64), method) == pytest.approx(2 * limit)


@given(maps)
def test_the_sign_decides_the_side_and_the_size_does_not_matter(relevance_map):
    rgb = heatmap_rgb(relevance_map)
    assert rgb.shape == (*relevance_map.shape, 3)
    assert rgb.dtype == np.uint8
    assert (rgb[relevance_map == 0] == 255).all()
    np.testing.assert_array_equal(heatmap_rgb(relevance_map.astype(np.float64) * 4.0), rgb)


def test_the_limits_are_the_ends_of_the_table_and_beyond_them_nothing_changes():
    rgb = heatmap_rgb([[-9.0, -1.0, 0.0, 1.0, 9.0]], limit=1.0, colormap_name="seismic")
    np.testing.assert_array_equal(rgb[0], colormap("seismic")[[1, 1, 128, 255, 255]])


def test_an_overlay_leaves_the_grey_picture_where_there_is_no_relevance():
    picture = np.zeros((1, 3, 3), np.uint8)
    picture[0, 1] = 255
    laid = overlay(picture, np.zeros((1, 3)))
    assert (laid == laid[..., :1]).all()
    assert laid[0, 1].tolist() == [255, 255, 255]
    assert laid[0, 0, 0] < laid[0, 1, 0]


def test_an_overlay_on_white_is_the_heatmap_itself():
    white = np.full((2, 2, 3), 255, np.uint8)
    relevance_map = np.array([[1.0, -1.0], [0.25, 0.0]])
    np.testing.assert_array_equal(overlay(white, relevance_map), heatmap_rgb(relevance_map))
    np.testing.assert_array_equal(overlay(white, relevance_map, strength=0.0), white)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: channel_sum(np.zeros((2, 2))), "no channels to sum over"),
        (lambda: channel_sum(np.zeros((2, 2, 2)), "HWC"), "no layout 'HWC'"),
        (lambda: color_limit([[1.0]], "cubik"), "Did you mean 'cubic'"),
        (lambda: color_limit([[1.0]], -1.0), "-1.0 must be a number greater than 0"),
        (lambda: color_limit([[1.0]], float("nan")), "nan must be a number"),
        (lambda: heatmap_rgb(np.zeros((3, 2, 2))), r"\(3, 2, 2\) is no picture"),
        (lambda: overlay(np.zeros((2, 3, 3), np.uint8), np.zeros((2, 2))), "cannot lie under"),
        (lambda: overlay(np.zeros((1, 1, 3), np.uint8), [[0.0]], 1.5), "between 0 and 1"),
    ],
)
def test_a_mistake_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_inf_have_no_colour(value):
    with pytest.raises(NumericalError, match="NaN or Inf"):
        heatmap_rgb([[0.0, value]])
