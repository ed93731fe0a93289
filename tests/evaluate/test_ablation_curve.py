"""Curves: the channels leave in the order of the ranking, and the area is that of its polygon."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxlrp.evaluate import ablate, ablation_curve, rank_neurons
from onnxlrp.graph.load import load
from tests.evaluate.ablation_nets import CONV_NET, MODEL, PICTURES, X
from tests.graph.networks import network

SUM = """(float[N, 4] x) => (float[N, 1] y)
    { a = Relu(x)  y = MatMul(a, w) }"""
WEIGHTS = np.array([[4.0], [-1.0], [2.0], [1.0]], np.float32)
ONES = np.ones((1, 4), np.float32)


def linear_net():
    """One output, y = 4a₀ − a₁ + 2a₂ + a₃: under LRP-0, Rᵢ of a picture of ones is the weight."""
    return load(network(SUM, w=WEIGHTS))


def curve_of(ranking, **options):
    return ablation_curve(linear_net(), ONES, "a", ranking, "lrp_0", **options)


@pytest.mark.parametrize(
    ("ranking", "order", "scores"),
    [
        ("relevance", [0, 2, 3, 1], [6, 2, 0, -1, 0]),
        ("positive", [0, 2, 3, 1], [6, 2, 0, -1, 0]),
        ("negative", [1, 0, 2, 3], [6, 7, 3, 1, 0]),
        ("absolute", [0, 2, 1, 3], [6, 2, 0, 1, 0]),
        ("activation", [0, 1, 2, 3], [6, 2, 3, 1, 0]),
        (np.array([0, 9, 0, 5]), [1, 3, 0, 2], [6, 7, 6, 2, 0]),
    ],
)
def test_linear_net_loses_what_each_channel_brought(ranking, order, scores):
    curve = curve_of(ranking)
    assert curve.order.tolist() == [order]
    np.testing.assert_allclose(curve.scores, [scores], atol=1e-5)
    np.testing.assert_allclose(curve.unchanged, [6], atol=1e-5)
    np.testing.assert_allclose(curve.area, [np.trapezoid(scores) / 4], atol=1e-5)


def test_keep_builds_the_score_up():
    curve = curve_of("relevance", mode="keep")
    np.testing.assert_allclose(curve.scores, [[0, 4, 6, 7, 6]], atol=1e-5)
    np.testing.assert_allclose(curve.unchanged, [6], atol=1e-5)


def test_random_orders_are_the_seeds_and_their_mean_is_known():
    curve = curve_of("relevance", seeds=[3, 8])
    for seed, scores in zip([3, 8], curve.random, strict=True):
        order = np.random.default_rng(seed).permutation(4)
        lost = np.concatenate([[0], WEIGHTS[order, 0].cumsum()])
        np.testing.assert_allclose(scores, [6 - lost], atol=1e-5)
    low, high = curve.random_band
    assert (low <= curve.random).all()
    assert (curve.random <= high).all()
    np.testing.assert_allclose(curve.random_area[:, 0], np.trapezoid(curve.random[:, 0]) / 4)
    # On average over all orders each channel is gone with probability n/C: a straight line.
    many = curve_of("random", seeds=400)
    np.testing.assert_allclose(many.scores, [[6, 4.5, 3, 1.5, 0]], atol=0.3)
    np.testing.assert_array_equal(many.scores, many.random.mean(axis=0))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6))
def test_counts_may_be_any_numbers_of_channels(counts):
    whole, some = curve_of("relevance", seeds=0), curve_of("relevance", counts=counts, seeds=0)
    assert some.counts.tolist() == sorted(set(counts))
    np.testing.assert_allclose(some.scores, whole.scores[:, some.counts], atol=1e-5)
    np.testing.assert_allclose(some.fractions, some.counts / 4)
    low, high = some.scores.min(), some.scores.max()
    assert low - 1e-9 <= some.area[0] <= high + 1e-9


def test_counts_may_be_a_number_of_steps():
    assert curve_of("activation", counts=2).counts.tolist() == [0, 2, 4]
    assert curve_of("activation", counts=3).counts.tolist() == [0, 1, 3, 4]
    assert curve_of("activation", counts=99).counts.tolist() == [0, 1, 2, 3, 4]


def test_every_point_is_an_ablation():
    for ranking in ("positive", "activation"):
        curve = ablation_curve(CONV_NET, PICTURES, "a", ranking, counts=3, seeds=0, target=1)
        for picture, order in enumerate(curve.order):
            for n, score in zip(curve.counts, curve.scores[picture], strict=True):
                one = ablate(CONV_NET, PICTURES[picture : picture + 1], "a", order[:n], target=1)
                np.testing.assert_allclose(score, one.score_after[0], rtol=1e-4, atol=1e-5)


def test_order_is_that_of_the_ranked_neurons():
    for by in ("relevance", "positive", "negative", "absolute", "activation"):
        curve = ablation_curve(CONV_NET, PICTURES, "a", by, counts=1, seeds=0)
        ranked = rank_neurons(CONV_NET, PICTURES, "a", by=by)
        np.testing.assert_array_equal(curve.order, ranked.top(6))


def test_batches_and_steps_of_progress_do_not_matter():
    told = []
    curve = ablation_curve(CONV_NET, PICTURES, "a", seeds=1)
    in_parts = ablation_curve(
        CONV_NET, PICTURES, "a", seeds=1, batch=5, progress=lambda *step: told.append(step)
    )
    np.testing.assert_allclose(in_parts.scores, curve.scores, rtol=1e-5, atol=1e-5)
    total = 2 * 4 * 7
    assert told == [(min(done, total), total) for done in range(5, total + 5, 5)]


@pytest.mark.parametrize("score", ["logit", "probability", "rank", "top_logit", "top_probability"])
def test_scores_are_read_off_the_outputs(score):
    curve = ablation_curve(MODEL, X, "a", "activation", counts=[0], seeds=0, score=score, target=2)
    before = ablate(MODEL, X, "a", []).before.astype(np.float64)
    p = np.exp(before) / np.exp(before).sum(axis=1, keepdims=True)
    truth = {
        "logit": before[:, 2],
        "probability": p[:, 2],
        "rank": 1 + (before > before[:, 2:]).sum(axis=1),
        "top_logit": before.max(axis=1),
        "top_probability": p.max(axis=1),
    }[score]
    np.testing.assert_allclose(curve.scores[:, 0], truth, rtol=1e-6)
    np.testing.assert_allclose(curve.unchanged, truth, rtol=1e-6)
    np.testing.assert_allclose(curve.area, truth, rtol=1e-6)


def test_rows_are_the_lines_of_the_table():
    curve = curve_of("relevance", counts=[0, 2])
    first, second = curve.rows(["cat"])
    assert (first.image, first.layer, first.mode, first.n) == ("cat", "a", "remove by relevance", 0)
    assert (second.n, second.label) == (2, "class 0")
    assert (first.before, first.after, second.after) == pytest.approx((6, 6, 0), abs=1e-5)


def test_weights_over_the_outputs_are_followed():
    weights = np.array([1.0, -1.0, 0.0])
    curve = ablation_curve(CONV_NET, PICTURES, "a", "relevance", counts=2, seeds=0, target=weights)
    before = ablate(CONV_NET, PICTURES, "a", []).before
    np.testing.assert_allclose(curve.unchanged, before[:, 0] - before[:, 1], rtol=1e-5)
    assert curve.labels == ("target",) * 4
