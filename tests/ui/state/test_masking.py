"""Masking by hand: the mask that was painted, or a band of relevance; the network's answer."""

from __future__ import annotations

import numpy as np
import pytest

from onnxlrp.evaluate import band_mask, masked
from ui.state.analysis import Analysis
from ui.state.strokes import stroke_mask

STROKE = {"radius": 20, "points": [[100, 100], [150, 120]]}


@pytest.fixture
def masking(bench):
    analysis = Analysis(bench)
    bench.place = "flipping"
    return analysis.masking


def settle(bench, loop):
    loop.until(lambda: not bench.jobs.busy)


def test_what_is_painted_is_masked(bench, loop, masking):
    masking.strokes = [STROKE]
    settle(bench, loop)
    mask = stroke_mask([STROKE], (227, 227))
    assert mask[100, 100] and mask[119, 149] and not mask[50, 50]
    truth = masked(bench.model, bench.shown.x, mask)
    np.testing.assert_array_equal(masking.found.result.after, truth.after)
    assert masking.found.top(3) == truth.top(0, 3)
    assert masking.found.share == mask.mean()
    assert (masking.found.rgb[mask] == 0).all()
    np.testing.assert_array_equal(masking.found.rgb[~mask], bench.shown.rgb[~mask])
    assert masking.found.target == 285


def test_undone_strokes_are_gone(bench, loop, masking):
    masking.strokes = [STROKE]
    settle(bench, loop)
    masking.undo()
    assert masking.strokes == [] and masking.found is None


def test_a_dab_is_a_disc():
    mask = stroke_mask([{"radius": 3, "points": [[10, 10]]}], (20, 20))
    assert mask.sum() == 32
    assert (mask == mask.T).all()


def test_a_stroke_over_the_edge_stays_in_the_picture():
    mask = stroke_mask([{"radius": 4, "points": [[-2, -2], [30, 30]]}], (20, 25))
    assert mask.shape == (20, 25)
    assert mask.any()


@pytest.mark.parametrize("layer", ["the picture", "fire5_concat"])
def test_a_band_of_relevance_is_masked(bench, loop, masking, layer):
    masking.layer = layer
    masking.mode = "band"
    settle(bench, loop)
    shape = (227, 227) if layer == "the picture" else (27, 27)
    assert masking.histogram.shape == shape
    if layer == "the picture":
        np.testing.assert_array_equal(masking.histogram, bench.explained.relevance)
    low, high = masking.band
    truth = masked(bench.model, bench.shown.x, band_mask(masking.histogram, low, high, (227, 227)))
    np.testing.assert_array_equal(masking.found.result.after, truth.after)
    masking.band = (high, high)
    settle(bench, loop)
    assert masking.found.share < truth.share[0]


def test_another_picture_is_not_masked(bench, loop, masking):
    masking.strokes = [STROKE]
    settle(bench, loop)
    bench.picture = 1
    assert masking.strokes == [] and masking.found is None


def test_only_layers_with_places_can_be_chosen(bench, masking):
    assert masking.choices[0] == "the picture"
    assert "fire9_concat" in masking.choices
