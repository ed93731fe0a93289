"""Every rule on every linear operation agrees with the slow float64 version to 1e-5."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from onnxlrp.rules import AlphaBeta, Epsilon, Flat, Gamma, WSquare, ZBox, Zero, ZPlus
from tests import naive
from tests.engine.carry import carry
from tests.ops.single import SingleNode, normal

# name: kernel, input spatial shape, strides, pads, dilations, groups, channels in, channels out
GEOMETRIES = {
    "1-D": ((3,), (9,), (1,), (1, 1), (1,), 1, 3, 4),
    "1-D strided, uneven pads": ((4,), (11,), (2,), (0, 3), (1,), 1, 2, 3),
    "3x3": ((3, 3), (6, 5), (1, 1), (1, 1, 1, 1), (1, 1), 1, 3, 4),
    "3x3 on a map for Winograd": ((3, 3), (11, 14), (1, 1), (1, 1, 1, 1), (1, 1), 1, 8, 8),
    "3x3 unpadded": ((3, 3), (6, 7), (1, 1), (0, 0, 0, 0), (1, 1), 1, 2, 3),
    "stride 2, leftover row": ((3, 3), (8, 7), (2, 2), (0, 0, 1, 1), (1, 1), 1, 3, 4),
    "5x5 stride 3": ((5, 5), (9, 10), (3, 2), (2, 2, 2, 2), (1, 1), 1, 2, 3),
    "dilated": ((3, 2), (9, 8), (1, 2), (2, 1, 2, 0), (2, 3), 1, 2, 3),
    "grouped": ((3, 3), (5, 6), (1, 1), (1, 1, 1, 1), (1, 1), 2, 4, 6),
    "depthwise": ((3, 3), (6, 6), (1, 1), (1, 1, 1, 1), (1, 1), 4, 4, 4),
    "depthwise stride 2 twice": ((3, 3), (7, 6), (2, 2), (0, 1, 1, 0), (1, 1), 3, 3, 6),
    "1x1": ((1, 1), (4, 5), (1, 1), (0, 0, 0, 0), (1, 1), 1, 5, 3),
    "1x1 strided": ((1, 1), (5, 6), (2, 2), (0, 0, 0, 0), (1, 1), 1, 3, 4),
    "3-D": ((2, 2, 3), (4, 3, 5), (1, 2, 1), (0, 1, 1, 0, 0, 1), (1, 1, 1), 1, 2, 3),
}
BIASES = ("none", "mixed", "negative")
SIGNS = ("nonnegative", "mixed")
LOW, HIGH = -2.5, 3.0

RULES = {
    "zero": (Zero(), lambda W, b, a, R, taps: naive.epsilon(W, b, a, R, 0.0)),
    "epsilon": (Epsilon(), lambda W, b, a, R, taps: naive.epsilon(W, b, a, R)),
    "epsilon relative": (
        Epsilon(0.25, relative=True),
        lambda W, b, a, R, taps: naive.epsilon(W, b, a, R, 0.25, relative=True),
    ),
    "epsilon without bias": (
        Epsilon(0.1, bias="drop"),
        lambda W, b, a, R, taps: naive.epsilon(W, 0 * b, a, R, 0.1),
    ),
    "gamma": (Gamma(0.25), lambda W, b, a, R, taps: naive.gamma(W, b, a, R)),
    "gamma without bias": (
        Gamma(0.5, bias="drop"),
        lambda W, b, a, R, taps: naive.gamma(W, b, a, R, 0.5, bias_counts=False),
    ),
    "z plus": (ZPlus(), lambda W, b, a, R, taps: naive.z_plus(W, b, a, R)),
    "alpha beta": (AlphaBeta(2, 1), lambda W, b, a, R, taps: naive.alpha_beta(W, b, a, R)),
    "alpha beta, ε 0.1": (
        AlphaBeta(3, 2, epsilon=0.1),
        lambda W, b, a, R, taps: naive.alpha_beta(W, b, a, R, 3, 2, 0.1),
    ),
    "z box": (ZBox(LOW, HIGH), lambda W, b, a, R, taps: naive.z_box(W, b, a, R, LOW, HIGH)),
    "w square": (WSquare(), lambda W, b, a, R, taps: naive.w_square(W, b, a, R)),
    "flat": (Flat(), lambda W, b, a, R, taps: naive.flat(taps, R)),
}  # fmt: skip


def activations(shape, sign, seed=3):
    x = normal(*shape, seed=seed)
    return np.abs(x) if sign == "nonnegative" else x


def bias_of(kind, channels):
    b = normal(channels, seed=11)
    return {"none": 0 * b, "mixed": b, "negative": -np.abs(b)}[kind]


def compare(single, W, b, taps, rule, truth):
    """The package's relevance of a batch of two against the truth of each sample.

    Where z all but cancels, R/z has no answer in float32: such neurons get no relevance.
    """
    (x,) = single.inputs.values()
    z = np.stack([W @ sample.astype(float).ravel() for sample in x])
    relevance = normal(*single.run()[0].shape, seed=5)
    clear = (np.abs(z) > 0.3) & (np.abs(z + b) > 0.3)
    if rule.bias == "drop":  # z's sign counts the bias, the denominator does not: let them agree
        clear &= z * (z + b) > 0
    relevance = np.where(clear.reshape(relevance.shape), relevance, np.float32(0))
    bounds = ((np.float32(LOW),), (np.float32(HIGH),)) if rule.input.is_box else None
    (got,) = carry(single, rule, relevance, bounds)
    (fused,) = carry(single, rule, relevance, bounds, keep_sums=False)
    np.testing.assert_array_equal(fused, got)
    for sample in range(len(x)):
        a, R = x[sample].astype(float).ravel(), relevance[sample].astype(float).ravel()
        wanted = truth(W, b, a, R, taps)
        assert naive.relative_error(got[sample].ravel(), wanted) <= 1e-5


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_convolution(geometry, rule):
    kernel, spatial, strides, pads, dilations, groups, channels, outs = GEOMETRIES[geometry]
    w = normal(outs, channels // groups, *kernel, seed=1)
    form = (w.astype(float), spatial, strides, pads, dilations, groups)
    W, taps = naive.conv_matrix(*form), naive.taps_matrix(*form)
    for sign, kind in itertools.product(SIGNS, BIASES):
        b = bias_of(kind, outs)
        single = SingleNode(
            "Conv", [activations((2, channels, *spatial), sign)], {1: w, 2: b},
            strides=strides, pads=pads, dilations=dilations, group=groups,
        )  # fmt: skip
        every = np.repeat(b.astype(float), W.shape[0] // outs)
        compare(single, W, every, taps, *RULES[rule])


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("strides, pads, extra", [((1, 1), (0, 0, 0, 0), (0, 0)),
                                                  ((2, 2), (1, 1, 1, 0), (1, 0)),
                                                  ((3, 2), (0, 1, 2, 1), (2, 1))])  # fmt: skip
def test_transposed_convolution(strides, pads, extra, rule):
    w = normal(3, 2, 3, 3, seed=1)
    x = activations((2, 3, 4, 5), "mixed")
    b = bias_of("mixed", 2)
    single = SingleNode(
        "ConvTranspose", [x], {1: w, 2: b}, strides=strides, pads=pads, output_padding=extra
    )
    out_spatial = single.run()[0].shape[2:]
    form = (w.astype(float), out_spatial, strides, pads, (1, 1), 1)
    W = naive.conv_matrix(*form).T[:, : x[0].size]
    taps = naive.taps_matrix(*form).T[:, : x[0].size]
    every = np.repeat(b.astype(float), W.shape[0] // 2)
    compare(single, W, every, taps, *RULES[rule])


@pytest.mark.parametrize("rule", RULES)
def test_dense(rule):
    w, b = normal(5, 7, seed=1), normal(5, seed=2)
    for sign in SIGNS:
        x = activations((2, 7), sign)
        taps = np.ones((5, 7))
        gemm = SingleNode("Gemm", [x], {1: w, 2: b}, transB=1)
        compare(gemm, w.astype(float), b.astype(float), taps, *RULES[rule])
        matmul = SingleNode("MatMul", [x], {1: np.ascontiguousarray(w.T)})
        compare(matmul, w.astype(float), np.zeros(5), taps, *RULES[rule])


@pytest.mark.parametrize("rule", ["epsilon", "gamma", "z plus", "alpha beta", "flat"])
@pytest.mark.parametrize("padded", [False, True])
def test_average_pool(rule, padded):
    x = activations((2, 3, 5, 6), "mixed")
    single = SingleNode(
        "AveragePool", [x], kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1],
        count_include_pad=int(padded),
    )  # fmt: skip
    W = naive.average_matrix(3, (5, 6), (3, 2), (2, 2), (1, 0, 1, 1), padded)
    compare(single, W, np.zeros(len(W)), (W > 0).astype(float), *RULES[rule])


@pytest.mark.parametrize("rule", ["epsilon", "gamma", "z plus", "alpha beta", "flat", "w square"])
@pytest.mark.parametrize("op, weights", [("Add", (1, 1)), ("Sub", (1, -1)), ("Mean", (0.5, 0.5))])
def test_sum_of_two(op, weights, rule):
    x, y = normal(2, 3, 4, seed=1), normal(2, 3, 4, seed=2)
    single = SingleNode(op, [x, y])
    relevance = normal(2, 3, 4, seed=5)
    W = np.hstack([w * np.eye(12) for w in weights])
    rule, truth = RULES[rule]
    parts = carry(single, rule, relevance)
    for sample in range(2):
        a = np.concatenate([x[sample].ravel(), y[sample].ravel()]).astype(float)
        R = relevance[sample].astype(float).ravel()
        wanted = truth(W, np.zeros(12), a, R, (W != 0).astype(float))
        got = np.concatenate([part[sample].ravel() for part in parts])
        assert naive.relative_error(got, wanted) <= 1e-5


@pytest.mark.parametrize("rule", ["epsilon", "gamma", "alpha beta"])
@pytest.mark.parametrize("size", [(9, 8), (3, 10)])
def test_linear_resize(size, rule):
    x = normal(2, 2, 6, 5, seed=1)
    sizes = np.array([2, 2, *size], np.int64)
    single = SingleNode("Resize", [x], {1: None, 2: None, 3: sizes}, mode="linear")
    columns = [single.run(unit.reshape(1, 2, 6, 5).repeat(2, 0))[0][0].ravel()
               for unit in np.eye(60, dtype=np.float32)]  # fmt: skip
    W = np.stack(columns, axis=1).astype(float)
    compare(single, W, np.zeros(len(W)), None, *RULES[rule])
