"""Figures: pixels stay squares of one colour, all is on the paper, any title can be drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageFont

from onnxlrp.errors import InputError
from onnxlrp.render import figure, heatmap_rgb
from onnxlrp.render.figure import drawable

CHECKERS = np.indices((4, 6)).sum(axis=0) % 2 * 2.0 - 1.0
TOP_LEFT = 20  # the margin


def ink(image):
    """Count the pixels that are not white."""
    return int((np.asarray(image) != 255).any(axis=2).sum())


def test_every_pixel_of_the_map_is_a_square_of_its_colour():
    drawn = np.asarray(figure(CHECKERS))
    factor = round(448 / 6)
    panel = drawn[TOP_LEFT : TOP_LEFT + 4 * factor, TOP_LEFT : TOP_LEFT + 6 * factor]
    squares = panel.reshape(4, factor, 6, factor, 3)
    expected = np.broadcast_to(heatmap_rgb(CHECKERS)[:, None, :, None], squares.shape)
    np.testing.assert_array_equal(squares, expected)


def test_a_map_larger_than_the_panel_is_never_scaled_down():
    large = np.zeros((10, 900))
    large[:, ::2] = 1.0
    drawn = np.asarray(figure(large))
    np.testing.assert_array_equal(
        drawn[TOP_LEFT : TOP_LEFT + 10, TOP_LEFT : TOP_LEFT + 900], heatmap_rgb(large)
    )


def test_picture_and_overlay_stand_beside_the_heatmap():
    picture = np.full((4, 6, 3), 200, np.uint8)
    alone = figure(CHECKERS)
    beside = figure(CHECKERS, picture=picture)
    with_overlay = figure(CHECKERS, picture=picture, overlay_strength=1.0)
    assert alone.width < beside.width < with_overlay.width
    assert alone.height == beside.height == with_overlay.height
    assert np.asarray(beside)[TOP_LEFT, TOP_LEFT].tolist() == [200, 200, 200]


def test_a_title_takes_room_above_and_is_cut_to_the_width():
    untitled, titled = figure(CHECKERS), figure(CHECKERS, title="Egyptian cat")
    assert titled.width == untitled.width
    assert titled.height > untitled.height
    assert ink(titled) > ink(untitled)
    endless = np.asarray(figure(CHECKERS, title="relevance " * 50))
    assert (endless[:, -TOP_LEFT:] == 255).all()


def test_a_map_without_relevance_is_drawn_too():
    assert figure(np.zeros((3, 3))).mode == "RGB"


def test_a_picture_of_another_size_cannot_be_overlaid():
    with pytest.raises(InputError, match="cannot lie under"):
        figure(CHECKERS, picture=np.zeros((2, 2, 3), np.uint8), overlay_strength=1.0)


@given(st.text(max_size=20))
def test_any_title_becomes_characters_that_the_font_has(text):
    font = ImageFont.load_default(19)
    missing = bytes(font.getmask("\uffff"))
    line = drawable(text)
    assert all(bytes(font.getmask(character)) != missing for character in line)
    assert line.isprintable()
