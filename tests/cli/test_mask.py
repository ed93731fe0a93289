"""``onnxlrp mask``: a band of relevance or a painted mask, and what the network then says."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

import onnxlrp as package
from onnxlrp.evaluate import band_mask, masked


def rows(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def paint(path, size, corner):
    mask = np.zeros((size, size), np.uint8)
    mask[:corner, :corner] = 255
    Image.fromarray(mask).save(path)


@pytest.mark.parametrize("layer", [None, "conv"])
def test_a_band_of_percentiles_is_that_of_python(onnxlrp, folder, layer):
    where = () if layer is None else ("--layer", layer)
    outcome = onnxlrp(
        *("mask", "small.onnx", "cat.png", "--band", "75%", "100%", "-c", "epsilon", "-o", "out"),
        *where,
    )
    assert outcome.code == 0, outcome.err
    model = package.load(folder / "small.onnx")
    x = model.preprocess(folder / "cat.png")
    result = package.explain(model, x, "epsilon", record=[layer] if layer else [])
    relevance = result.tensors[layer] if layer else result.relevance
    values = relevance[0].sum(axis=0)
    mask = band_mask(values, np.percentile(values, 75), values.max(), (8, 8))
    expected = masked(model, x, mask)
    found = rows(folder / "out" / "masked.csv")
    assert [row["label"] for row in found] == [c.label for c in expected.top()]
    assert float(found[0]["after"]) == pytest.approx(expected.top()[0].after, rel=1e-5)
    assert float(found[0]["share"]) == expected.share[0]
    with Image.open(folder / "out" / "cat_masked.png") as image:
        np.testing.assert_array_equal(
            np.asarray(image), model.preprocessing.to_picture(expected.picture)[0]
        )


@pytest.mark.parametrize(("size", "corner"), [(8, 4), (12, 6)])
def test_a_painted_mask_of_what_the_network_sees_or_of_the_original(onnxlrp, folder, size, corner):
    paint(folder / "painted.png", size, corner)
    words = ("mask", "small.onnx", "cat.png", "--mask", "painted.png", "-o", "out")
    assert onnxlrp(*words).code == 0
    assert float(rows(folder / "out" / "masked.csv")[0]["share"]) == pytest.approx(0.25, abs=0.13)
    assert (np.asarray(Image.open(folder / "out" / "cat_masked.png"))[:2, :2] == 0).all()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "either --band LOW HIGH or --mask FILE"),
        (("--mask", "wrong.png"), "has 5×5 pixels; the picture has 12×12"),
        (("--mask", "nowhere.png"), "cannot be read as a picture"),
        (("--mask", "wrong.png", "--layer", "conv"), "leave them out with --mask"),
        (("--band", "1", "0"), "is empty"),
        (("--band", "5%", "1"), "both ends in per cent"),
        (("--band", "50%", "120%"), "from 0% to 100%"),
        (("--band", "a", "b"), "give two numbers"),
        (("--band", "0", "1", "--layer", "flat"), "no rows and columns"),
        (("--band", "0", "1", "--layer", "con"), "Did you mean 'conv'"),
        (("--band", "0", "1", "--fill", "300"), "from 0 to 255"),
        (("--band", "0", "1", "-c", "gamma", "-c", "epsilon"), "the band is that of one"),
    ],
)
def test_mistakes_leave_nothing_behind(onnxlrp, folder, words, message):
    paint(folder / "wrong.png", 5, 2)
    outcome = onnxlrp("mask", "small.onnx", "cat.png", "-o", "out", *words)
    assert outcome.code == 2 and message in outcome.err and outcome.err.count("\n") == 1
    assert not (folder / "out").exists()
