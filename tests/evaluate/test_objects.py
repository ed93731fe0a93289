"""Judging where relevance lies, on data sets that know where the object is."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from onnxlrp.errors import InputError
from onnxlrp.evaluate import (
    evaluate,
    inside_total_ratio,
    pointing_game,
    rank_designs,
    relevance_mass,
    relevance_rank,
)
from onnxlrp.evaluate.objects import object_mask
from onnxlrp.explainer import explain
from onnxlrp.graph.load import load
from tests.cli.conftest import save_picture, small_network

METRICS = ("pointing_game", "relevance_mass", "relevance_rank", "inside_weighted")


@pytest.fixture(scope="module")
def model():
    return load(small_network())  # sees 8×8 pixels


@pytest.fixture
def folder(tmp_path):
    """Pictures of 16×16 pixels; a mask as a picture, boxes, and nothing."""
    for n in range(3):
        save_picture(tmp_path / f"{n}.png", seed=n, size=16)
    mask = np.zeros((16, 16), np.uint8)
    mask[4:12, :8] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    lines = ["image,mask,box", "0.png,mask.png,", "1.png,,0 4 8 8; 0 8 8 12", "2.png,,"]
    (tmp_path / "data.csv").write_text("\n".join(lines))
    return tmp_path


def test_scores_are_those_of_the_functions(model, folder):
    found = evaluate(model, folder / "data.csv", ["epsilon", "gamma"], METRICS)
    (failure,) = found.failures()
    assert failure.image == "2.png" and "it has no mask" in failure.reason
    value = {(row.image, row.design, row.metric): row.value for row in found.scores()}
    assert len(value) == 2 * 2 * 4
    mask = np.zeros((8, 8), bool)
    mask[2:6, :4] = True  # as the network sees the 16×16 pixels
    for image in ("0.png", "1.png"):
        relevance = explain(model, model.preprocess(folder / image), "gamma").relevance[0]
        values = relevance.sum(axis=0, dtype=np.float64)
        expected = {
            "pointing_game": pointing_game(values, mask),
            "relevance_mass": relevance_mass(values, mask),
            "relevance_rank": relevance_rank(values, mask),
            "inside_weighted": inside_total_ratio(values, mask, weighted=True),
        }
        for metric, number in expected.items():
            assert value[image, "gamma", metric] == pytest.approx(number), metric
    assert rank_designs(found.scores()).metrics == ("mean rank", *METRICS)


def test_masks_of_either_size_and_of_arrays(model):
    picture = np.zeros((16, 16, 3), np.uint8)
    large, small = np.zeros((16, 16), bool), np.zeros((8, 8), bool)
    large[4:12, :8] = small[2:6, :4] = True
    for given in (large, small, "0 4 8 12"):
        np.testing.assert_array_equal(object_mask(model, picture, given, (8, 8)), small)
    x = np.zeros((3, 8, 8), np.float32)
    np.testing.assert_array_equal(object_mask(model, x, "0 2 4 6", (8, 8)), small)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.ones((5, 7), bool), "has 7×5 pixels; the picture has 16×16 pixels, 8×8"),
        (np.zeros((16, 16), bool), "nothing of the object"),
        ("0 0 99 9", "within 16×16 pixels"),
        ("0 0 9", "left top right bottom"),
        ("a b c d", "left top right bottom"),
    ],
)
def test_masks_that_do_not_fit(model, given, message):
    with pytest.raises(InputError, match=message):
        object_mask(model, np.zeros((16, 16, 3), np.uint8), given, (8, 8))


def test_a_data_set_without_masks_is_refused_before_anything_runs(model, folder, tmp_path):
    (folder / "data.csv").write_text("image\n0.png\n")
    with pytest.raises(InputError, match=r"relevance_mass: .* does not say where objects are"):
        evaluate(model, folder / "data.csv", "epsilon", "relevance_mass", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_torn_mask_costs_its_picture(model, folder):
    (folder / "mask.png").write_bytes(b"torn")
    found = evaluate(model, folder / "data.csv", "epsilon", "relevance_mass")
    reasons = {failure.image: failure.reason for failure in found.failures()}
    assert "cannot be read as a picture" in reasons["0.png"] and set(reasons) == {"0.png", "2.png"}
