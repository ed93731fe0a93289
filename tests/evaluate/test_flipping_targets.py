"""Flipping watches whatever can be explained: regions of a map, inner neurons, differences."""

from __future__ import annotations

import numpy as np
import pytest

from onnxlrp.errors import TargetError
from onnxlrp.evaluate import flip_pixels, flip_sequence, masked
from onnxlrp.graph.load import load
from onnxlrp.preprocess import Preprocessing
from onnxlrp.target import Target
from tests.graph.networks import network

MAPS = (
    """(float[N, 1, 4, 4] x) => (float[N, 2, 4, 4] y) { y = Conv <pads = [1, 1, 1, 1]> (x, k) }"""
)
INNER = """(float[N, 1, 4, 4] x) => (float[N, 2] y) {
    a = Conv (x, k)  b = Relu(a)  g = GlobalAveragePool(b)  y = Flatten(g) }"""
K = np.random.default_rng(0).uniform(0.5, 1, (2, 1, 3, 3)).astype(np.float32)
X = np.random.default_rng(1).uniform(1, 2, (2, 1, 4, 4)).astype(np.float32)
OPTIONS = {"order": ("morf", "lerf"), "fill": "zero", "steps": None}


def net(text):
    return load(network(text, k=K), Preprocessing((4, 4), channels="L", scale=1.0))


def test_region_of_a_map_is_scored_and_explained():
    model = net(MAPS)
    mask = np.zeros((4, 4), bool)
    mask[0, :2] = True
    result = flip_pixels(model, X, "lrp_0", target=Target.region(1, mask), **OPTIONS)
    padded = np.pad(X, ((0, 0), (0, 0), (1, 1), (1, 1)))
    expected = sum(
        (padded[:, 0, 0:3, column : column + 3] * K[1, 0]).sum(axis=(1, 2)) for column in range(2)
    )
    np.testing.assert_allclose(result.scores[:, 0, 0, 0, 0], expected, rtol=1e-5)
    np.testing.assert_allclose(result.scores[..., -1], 0, atol=1e-5)
    # Six pixels reach the region, all with positive weights: the other ten change nothing.
    np.testing.assert_allclose(result.scores[:, 0, 0, 0, 6:], 0, atol=1e-5)
    lerf = result.scores[:, 0, 1, 0]
    np.testing.assert_allclose(lerf[:, :11], np.repeat(lerf[:, :1], 11, axis=1), rtol=1e-5)
    assert result.target.tolist() == [-1, -1]


def test_inner_neuron_is_scored_where_it_is():
    model = net(INNER)
    target = Target.neuron("Conv_0", 1, (0, 1))
    result = flip_pixels(model, X, "lrp_0", target=target, **OPTIONS)
    share = np.sort((X[:, 0, 0:3, 1:4] * K[1, 0]).reshape(2, 9), axis=1)
    for k in range(10):
        left = share[:, : 9 - k].sum(axis=1)
        np.testing.assert_allclose(result.scores[:, 0, 0, 0, k], left, rtol=1e-5, atol=1e-5)
    sequence = flip_sequence(
        model, X[:1], "lrp_0", target=target, order="morf", fill="zero", steps=None
    )
    assert (sequence.at(9)[0, 0:3, 1:4] == 0).all()


def test_difference_of_classes_may_be_written():
    result = flip_pixels(net(INNER), X, "lrp_0", target="class:1-0", **OPTIONS)
    maps = np.stack([[(X[:, 0, i : i + 3, j : j + 3] * k[0]).sum(axis=(1, 2)) for k in K]
                     for i in range(2) for j in range(2)]).mean(axis=0)  # fmt: skip
    np.testing.assert_allclose(
        result.scores[:, 0, 0, 0, 0], maps[1] - maps[0], rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("score", ["probability", "top_logit", "rank"])
@pytest.mark.parametrize(
    ("text", "target"),
    [(MAPS, Target.region(1, np.ones((4, 4), bool))), (INNER, Target.neuron("Conv_0", 0))],
)
def test_what_is_no_class_has_no_probability_or_rank(text, target, score):
    with pytest.raises(TargetError, match=f"score='{score}' needs"):
        flip_pixels(net(text), X, "lrp_0", target=target, score=score, **OPTIONS)


def test_class_alone_does_not_say_what_is_meant_in_a_map():
    with pytest.raises(TargetError, match="a class alone does not say"):
        flip_pixels(net(MAPS), X, "lrp_0", target=1, **OPTIONS)
    found = masked(net(MAPS), X, np.ones((4, 4)))
    assert found.after.shape == (2, 2, 4, 4)
    with pytest.raises(TargetError, match="a class alone does not say"):
        found.top()
