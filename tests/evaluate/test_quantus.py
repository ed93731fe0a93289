"""Agreement with Quantus on the same arrays; record_quantus.py says how its numbers were made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from onnxlrp import evaluate
from tests.evaluate.nets import linear_net

RECORD = json.loads((Path(__file__).parents[1] / "data" / "quantus.json").read_text())
FOUND = RECORD["found"]
A, OTHER, MASK, X, W = (
    np.array(RECORD["arrays"][name], float) for name in ("relevance", "other", "mask", "x", "w")
)


def flip(order, unit, steps):
    """Curve of f(x) = Σ w·x, flipped to its darkest pixel: what Quantus calls "black"."""
    model = linear_net(W.reshape(-1, 1), (1, 12, 12))
    x = X[None, None].astype(np.float32)
    result = evaluate.flip_pixels(
        model, x, A[None], target=0, order=order, unit=unit, steps=steps, fill="min"
    )
    return result.scores[0, 0, 0, 0]


def test_localisation_agrees():
    assert evaluate.pointing_game(A, MASK) == FOUND["pointing_game"]
    assert evaluate.pointing_game(A, 1 - MASK) == FOUND["pointing_game_outside"]
    assert evaluate.relevance_rank(A, MASK) == pytest.approx(FOUND["relevance_rank"])
    mass = FOUND["relevance_mass_of_positive"]
    assert evaluate.relevance_mass(A, MASK) == pytest.approx(mass)
    ratio = FOUND["attribution_localisation_of_positive"]
    assert evaluate.inside_total_ratio(A, MASK) == pytest.approx(ratio)


def test_complexity_agrees():
    assert evaluate.entropy(A) == pytest.approx(FOUND["entropy"])
    assert evaluate.gini(A) == pytest.approx(FOUND["gini"], rel=1e-5)  # it adds 1e-7 to each pixel


def test_similarity_agrees():
    assert evaluate.pearson(A, OTHER) == pytest.approx(FOUND["pearson"])
    assert evaluate.spearman(A, OTHER) == pytest.approx(FOUND["spearman"])
    # The window of Wang et al.; Quantus takes another one, even and 7×7, and another variance.
    assert evaluate.ssim(A, OTHER) == pytest.approx(FOUND["ssim_of_scikit_image"])
    assert evaluate.ssim(A, OTHER) != pytest.approx(FOUND["ssim_of_quantus"])


def test_pixel_flipping_agrees_from_its_first_step_on():
    curve = flip("morf", unit=1, steps=12)
    np.testing.assert_allclose(curve[1:], FOUND["pixel_flipping"], rtol=1e-5)
    assert curve[0] == (W * X).sum()  # Quantus leaves the unflipped picture out


@pytest.mark.parametrize("order", ["morf", "lerf"])
def test_region_perturbation_agrees_and_aopc_is_its_sum_over_one_more(order):
    curve = flip(order, unit=4, steps=9)
    fallen = FOUND[f"region_perturbation_{order}"]
    np.testing.assert_allclose(curve[0] - curve[1:], fallen, rtol=1e-5)
    np.testing.assert_allclose(evaluate.area_over_curve(curve), sum(fallen) / 10, rtol=1e-5)
