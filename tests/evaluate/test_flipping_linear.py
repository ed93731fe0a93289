"""On f(x) = Σ w·x with the fill 0, every number of pixel flipping is known."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxlrp.evaluate import flip_pixels
from tests.evaluate.nets import linear_net

SHARES = st.lists(
    st.integers(-50, 50).filter(bool), min_size=6, max_size=6, unique_by=lambda value: value
)


def flip(w, x, **options):
    model = linear_net(w.reshape(-1, 1), (1, *x.shape[-2:]))
    options = {"target": 0, "fill": "zero", "steps": None, **options}
    return flip_pixels(model, x, w * x, **options)


@given(SHARES)
def test_curves_and_areas_are_the_closed_forms(shares):
    x = np.arange(1, 7, dtype=np.float32).reshape(1, 1, 2, 3)
    w = (np.array(shares, np.float32) / x.ravel()).reshape(x.shape)
    result = flip(w, x, order=("morf", "lerf"))
    ascending = np.sort((w * x).ravel().astype(np.float64))
    # f(x⁽ᵏ⁾) is the sum of what is left: the n − k smallest relevances, or the n − k largest.
    morf = np.array([ascending[: 6 - k].sum() for k in range(7)])
    lerf = np.array([ascending[k:].sum() for k in range(7)])
    np.testing.assert_allclose(result.scores[0, 0, 0, 0], morf, atol=1e-4)
    np.testing.assert_allclose(result.scores[0, 0, 1, 0], lerf, atol=1e-4)
    np.testing.assert_allclose(result.fractions[0, 0, 0, 0], np.arange(7) / 6)
    for order, curve in enumerate((morf, lerf)):
        trapezoid = (curve.sum() - (curve[0] + curve[-1]) / 2) / 6
        np.testing.assert_allclose(result.auc[0, 0, order], trapezoid, atol=1e-4)
    removed = np.concatenate([[0], np.cumsum(ascending[::-1])])
    np.testing.assert_allclose(result.aopc[0, 0, 0], removed.sum() / 7, atol=1e-4)
    np.testing.assert_allclose(result.abpc[0, 0], (lerf - morf).sum() / 7, atol=1e-4)


def test_composite_gives_the_relevance_that_an_array_would():
    random = np.random.default_rng(0)
    w = random.standard_normal((12, 2)).astype(np.float32)
    x = random.uniform(1, 2, (3, 1, 3, 4)).astype(np.float32)
    model = linear_net(w, (1, 3, 4))
    relevance = x * w[:, 1].reshape(1, 1, 3, 4)
    result = flip_pixels(
        model, x, {"rule": "lrp_0", "array": relevance}, target=1, fill="zero", order="morf"
    )
    np.testing.assert_array_equal(result.scores[:, 0], result.scores[:, 1])


def test_random_order_means_what_all_permutations_mean():
    w = np.array([[1.0, -2.0, 4.0]], np.float32)
    x = np.ones((1, 1, 1, 3), np.float32)
    result = flip(w, x, order="random", repeats=1200, batch=64)
    possible = {}
    for first in permutations(range(3)):
        left = [w[0, list(set(range(3)) - set(first[:k]))].sum() for k in range(4)]
        possible[first] = tuple(map(float, left))
    runs = [tuple(run) for run in result.scores[0, 0, 0].tolist()]
    assert set(runs) == set(possible.values())
    mean = np.mean(list(possible.values()), axis=0)
    np.testing.assert_allclose(mean, [3, 2, 1, 0])  # the same share of f(x) falls each step
    error = np.std(runs, axis=0) / np.sqrt(len(runs))
    assert (np.abs(result.curve("relevance", "random").mean - mean) <= 4 * error).all()


def test_flat_map_says_nothing_and_has_no_area():
    w = np.arange(1, 7, dtype=np.float32).reshape(1, 1, 2, 3)
    model = linear_net(w.reshape(-1, 1), (1, 2, 3))
    x = np.ones((1, 1, 2, 3), np.float32)
    result = flip_pixels(model, x, np.zeros_like(x), target=0, fill="zero", order=("morf", "lerf"))
    # Ties keep the reading order in both orders.
    np.testing.assert_allclose(result.scores[0, 0, 0, 0], [21, 20, 18, 15, 11, 6, 0])
    assert result.abpc.tolist() == [[0.0]]


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        ("logit", [3, 1, 0]),
        ("probability", [np.exp(3) / (np.exp(3) + np.exp(2)), 1 / (1 + np.e), 0.5]),
        ("rank", [1, 2, 1]),
        ("top_logit", [3, 2, 0]),
        ("top_probability", [np.exp(3) / (np.exp(3) + np.exp(2)), np.e / (1 + np.e), 0.5]),
    ],
)
def test_scores_are_read_off_the_outputs(score, expected):
    model = linear_net(np.array([[2.0, 0.0], [1.0, 2.0]]), (1, 1, 2))
    x = np.ones((1, 1, 1, 2), np.float32)
    result = flip_pixels(model, x, x * [2, 1], order="morf", fill="zero", score=score)
    assert result.target.tolist() == [0]
    np.testing.assert_allclose(result.scores[0, 0, 0, 0], expected, rtol=1e-6)


def test_difference_of_two_classes_can_be_scored():
    model = linear_net(np.array([[2.0, 0.0], [1.0, 2.0]]), (1, 1, 2))
    x = np.ones((1, 1, 1, 2), np.float32)
    result = flip_pixels(model, x, "lrp_0", target=np.array([1.0, -1.0]), order="morf", fill=0)
    np.testing.assert_allclose(result.scores[0, 0, 0, 0], [1, -1, 0])
    assert result.target.tolist() == [-1]
