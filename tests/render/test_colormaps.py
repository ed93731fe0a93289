"""Colour maps: white at zero, monotone, as dark on either side, safe for colour-blind people."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxlrp.errors import InputError
from onnxlrp.render.colormaps import (
    DEFAULT_COLORMAP,
    ZERO_ROW,
    colormap,
    colormap_names,
    oklab,
)

# Machado, Oliveira, Fernandes 2009: linear RGB as people without one kind of cone see it.
MISSING_CONE = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}

every_map = pytest.mark.parametrize("name", colormap_names())


def seen_without(kind, table):
    linear = (table / 255.0) ** 2.2 @ np.transpose(MISSING_CONE[kind])
    return np.rint(255.0 * np.clip(linear, 0.0, 1.0) ** (1 / 2.2)).astype(np.uint8)


@every_map
def test_zero_is_white_and_nothing_else_is(name):
    table = colormap(name)
    assert table.shape == (256, 3)
    assert table.dtype == np.uint8
    white = (table == 255).all(axis=1)
    assert np.flatnonzero(white).tolist() == [ZERO_ROW]


@every_map
def test_more_relevance_is_darker(name):
    lightness = oklab(colormap(name))[:, 0]
    # One step of rounding to 8 bits may go the other way.
    assert (np.diff(lightness[: ZERO_ROW + 1]) > -0.002).all()
    assert (np.diff(lightness[ZERO_ROW:]) < 0.002).all()


@pytest.mark.parametrize("name", ["red-blue", "purple-green"])
def test_both_signs_darken_alike(name):
    lightness = oklab(colormap(name))[:, 0]
    upper, lower = lightness[ZERO_ROW:], lightness[1 : ZERO_ROW + 1][::-1]
    np.testing.assert_allclose(upper, lower, atol=0.08)


@pytest.mark.parametrize("kind", MISSING_CONE)
@pytest.mark.parametrize("name", ["red-blue", "purple-green"])
def test_the_signs_stay_apart_for_colour_blind_people(name, kind):
    seen = oklab(seen_without(kind, colormap(name)))
    for strength in (32, 64, 96):
        apart = np.linalg.norm(seen[ZERO_ROW + strength] - seen[ZERO_ROW - strength])
        assert apart > 0.1  # several times what is just noticeable


def test_the_default_comes_first():
    assert colormap_names()[0] == DEFAULT_COLORMAP
    np.testing.assert_array_equal(colormap(), colormap(DEFAULT_COLORMAP))


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(InputError, match=r"no colour map 'redblue'\. Did you mean 'red-blue'"):
        colormap("redblue")


@given(st.integers(0, 255))
def test_oklab_of_grey_has_no_colour(level):
    lightness, *colour = oklab(np.full(3, level, np.uint8))
    assert 0.0 <= lightness <= 1.0 + 1e-6
    np.testing.assert_allclose(colour, 0.0, atol=1e-6)
