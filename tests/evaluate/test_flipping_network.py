"""On the packaged network and pictures, flipping tells relevant pixels from others."""

from __future__ import annotations

import numpy as np
import pytest

import onnxlrp
from onnxlrp.assets import (
    default_images,
    default_labels,
    default_model_path,
    default_preprocessing,
)
from onnxlrp.evaluate import FlippingResult, band_mask, flip_pixels, masked


@pytest.fixture(scope="module")
def model():
    return onnxlrp.load(default_model_path(), default_preprocessing(), default_labels())


@pytest.fixture(scope="module")
def pictures(model):
    return model.preprocess(list(default_images().values()))


@pytest.mark.parametrize(("fill", "score"), [("blur", "logit"), ("mean", "probability")])
def test_relevant_regions_matter_most_and_irrelevant_ones_least(model, pictures, fill, score):
    result: FlippingResult = flip_pixels(
        model, pictures, "epsilon_plus", unit=16, steps=8, repeats=2, fill=fill, score=score
    )
    assert [model.label(c) for c in result.target] == ["Egyptian cat", "espresso"]
    morf, lerf, random = result.auc[:, 0].T
    assert (morf < random).all()
    assert (random < lerf).all()
    assert (result.abpc > 0).all()


def test_masking_the_relevant_band_takes_the_class_away(model, pictures):
    layer = model.layers[len(model.layers) // 2]
    explained = onnxlrp.explain(model, pictures[:1], "epsilon_plus", record=[layer.name])
    relevance = explained.tensors[layer.name].sum(axis=1)[0]
    threshold = float(np.quantile(relevance, 0.75))
    mask = band_mask(relevance, threshold, np.inf, (227, 227))
    found = masked(model, pictures[:1], mask)
    assert 0.15 < found.share[0] < 0.35
    first = found.top(count=1)[0]
    assert first.label != "Egyptian cat"
    lost = next(c for c in found.top(count=1000) if c.label == "Egyptian cat")
    assert (lost.rank_before, lost.rank_after > 1, lost.change < 0) == (1, True, True)
