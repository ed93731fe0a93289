"""Maps that the picture itself makes: the z-rule on them, written out as matrices in float64."""

from __future__ import annotations

import numpy as np
import pytest

from onnxlrp.errors import UnsupportedOperationError
from tests.naive import relative_error, stabilise
from tests.ops.single import SingleNode, normal

EPSILON = 1e-6


def share(A, x, b, R):
    """x·Aᵀ(R/stab(z)) with z = A·x + b, on one picture's flat arrays."""
    return x * (A.T @ (R / stabilise(A @ x + b, EPSILON)))


def normalising_matrix(x, groups, w, epsilon):
    """Matrix of (x − mean)·w/σ, mean and σ over the elements of the same group; and its σ."""
    same = (groups[:, None] == groups[None, :]).astype(float)
    size = same.sum(axis=1, keepdims=True)
    mean = same @ x / size[:, 0]
    deviation = np.sqrt(same @ (x - mean) ** 2 / size[:, 0] + epsilon)
    return (np.eye(x.size) - same / size) * (w / deviation)[:, None]


SHAPE = (2, 6, 3, 4)
CHANNEL = np.arange(6).repeat(12)
W, B = 1 + 0.3 * normal(6, seed=5), normal(6, seed=6)
ROW = 1 + 0.3 * normal(3, 4, seed=7), normal(3, 4, seed=8)

# name: node, group of every element of a picture, its scale, its bias, ε
NORMALISATIONS = {
    "instance": (
        SingleNode("InstanceNormalization", [normal(*SHAPE) + 1], {1: W, 2: B}),
        CHANNEL, W[CHANNEL], B[CHANNEL], 1e-5,
    ),
    "layer, last axis": (
        SingleNode("LayerNormalization", [normal(*SHAPE) + 1], {1: ROW[0][0], 2: ROW[1][0]}),
        np.arange(18).repeat(4), np.tile(ROW[0][0], 18), np.tile(ROW[1][0], 18), 1e-5,
    ),
    "layer, last two axes, no bias": (
        SingleNode("LayerNormalization", [normal(*SHAPE) + 1], {1: ROW[0]}, axis=2, epsilon=0.1),
        CHANNEL, np.tile(ROW[0].ravel(), 6), 0.0, 0.1,
    ),
    "group, opset 21": (
        SingleNode("GroupNormalization", [normal(*SHAPE)], {1: W, 2: B}, opset=21, num_groups=3),
        CHANNEL // 2, W[CHANNEL], B[CHANNEL], 1e-5,
    ),
    "group, opset 18": (
        SingleNode("GroupNormalization", [normal(*SHAPE) + 1], {1: W[:3], 2: B[:3]}, num_groups=3),
        CHANNEL // 2, W[CHANNEL // 2], B[CHANNEL // 2], 1e-5,
    ),
    "mean and variance": (
        SingleNode("MeanVarianceNormalization", [normal(*SHAPE) + 1], axes=[2, 3]),
        CHANNEL, np.ones(72), 0.0, 0.0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_normalisation(name):
    single, groups, w, b, epsilon = NORMALISATIONS[name]
    (x,), (y,) = single.inputs.values(), single.run()
    relevance = np.where(np.abs(y) > 0.05, normal(*y.shape, seed=1), np.float32(0))
    (part,) = single.operation.propagate(relevance, single.tensors())
    for n in range(2):
        a, R = x[n].astype(float).ravel(), relevance[n].astype(float).ravel()
        A = normalising_matrix(a, groups, w, epsilon)
        np.testing.assert_allclose(A @ a + b, y[n].ravel(), atol=1e-5)
        assert relative_error(part[n].ravel(), share(A, a, b, R)) <= 1e-4


@pytest.mark.parametrize(
    "op", ["LpNormalization", "RMSNormalization", "SimplifiedLayerNormalization"]
)
def test_a_norm_held_fixed_is_a_factor(op):
    x = normal(2, 3, 4)
    scale = {} if op == "LpNormalization" else {1: W[:4]}
    single = SingleNode(op, [x], scale, opset=23, axis=-1)
    relevance = normal(2, 3, 4, seed=1)
    (part,) = single.operation.propagate(relevance, single.tensors())
    np.testing.assert_array_equal(part, relevance)


def test_normalising_over_the_batch_is_refused():
    single = SingleNode("MeanVarianceNormalization", [normal(*SHAPE)])
    with pytest.raises(UnsupportedOperationError, match="mixes pictures"):
        single.operation  # noqa: B018


def halves(a, b, out, matrix_of_a, matrix_of_b, R):
    """AttnLRP's share of both factors of a bilinear map, on flat float64 arrays."""
    q = R / stabilise(2 * out, EPSILON)
    return a * (matrix_of_a.T @ q), b * (matrix_of_b.T @ q)


def numeric_matrix(function, size, out_size):
    """Matrix of a linear function, column by column."""
    return np.stack([function(unit).ravel() for unit in np.eye(size)], axis=1).reshape(
        out_size, size
    )


BILINEAR = {
    "matmul": (
        SingleNode("MatMul", [normal(2, 3, 4, seed=1), normal(2, 4, 5, seed=2)]),
        lambda a, b: np.matmul(a, b),
    ),
    "matmul, one factor repeated": (
        SingleNode("MatMul", [normal(2, 3, 2, 4, seed=1), normal(2, 1, 4, 3, seed=2)]),
        lambda a, b: np.matmul(a, b),
    ),
    "einsum": (
        SingleNode("Einsum", [normal(2, 3, 4, seed=1), normal(2, 5, 4, seed=2)],
                   equation="nik,njk->nij"),
        lambda a, b: np.einsum("nik,njk->nij", a, b),
    ),
    "einsum, ellipsis and a summed index": (
        SingleNode("Einsum", [normal(2, 3, 4, seed=1), normal(2, 3, 5, 6, seed=2)],
                   equation="...k, ...ij -> ...i"),
        lambda a, b: np.einsum("nck,ncij->nci", a, b),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BILINEAR)
def test_product_of_two_activations_gives_half_to_each(name):
    single, forward = BILINEAR[name]
    (a, b), (y,) = single.inputs.values(), single.run()
    relevance = np.where(np.abs(y) > 0.2, normal(*y.shape, seed=3), np.float32(0))
    to_a, to_b = single.operation.propagate(relevance, single.tensors())
    for n in range(2):
        one, other = (v[n : n + 1].astype(float) for v in (a, b))
        out = forward(one, other)
        by_a = numeric_matrix(
            lambda u, o=other, s=one.shape: forward(u.reshape(s), o), one.size, out.size
        )
        by_b = numeric_matrix(
            lambda u, o=one, s=other.shape: forward(o, u.reshape(s)), other.size, out.size
        )
        R = relevance[n].astype(float).ravel()
        wanted = halves(one.ravel(), other.ravel(), out.ravel(), by_a, by_b, R)
        assert relative_error(to_a[n].ravel(), wanted[0]) <= 1e-4
        assert relative_error(to_b[n].ravel(), wanted[1]) <= 1e-4


@pytest.mark.parametrize("flip_a", [0, 1])
@pytest.mark.parametrize("flip_b", [0, 1])
def test_gemm_of_two_activations(flip_a, flip_b):
    a, b, c = normal(2, 3, seed=1), normal(3, 4, seed=2), normal(4, seed=3)
    given = [a.T.copy() if flip_a else a, b.T.copy() if flip_b else b]
    single = SingleNode("Gemm", given, {2: c}, transA=flip_a, transB=flip_b, alpha=1.5, beta=0.5)
    y = single.run()[0].astype(float)
    relevance = normal(2, 4, seed=4)
    to_a, to_b = single.operation.propagate(relevance, single.tensors())
    q = 1.5 * relevance / stabilise(2 * y, EPSILON)
    assert relative_error(to_a.T if flip_a else to_a, a * (q @ b.T)) <= 1e-4
    assert relative_error(to_b.T if flip_b else to_b, b * (a.T @ q)) <= 1e-4


def test_softmax_hands_down_attnlrps_share():
    x, relevance = normal(2, 3, 4), normal(2, 3, 4, seed=1)
    for op, opset, axes in (
        ("Softmax", 13, (2,)),
        ("LogSoftmax", 13, (2,)),
        ("Softmax", 11, (1, 2)),
    ):
        axis = {} if opset == 11 else {"axis": -1}
        single = SingleNode(op, [x], opset=opset, **axis)
        (part,) = single.operation.propagate(relevance, single.tensors())
        p = np.exp(x.astype(float))
        p /= p.sum(axis=axes, keepdims=True)
        wanted = x * (relevance - p * relevance.sum(axis=axes, keepdims=True))
        assert relative_error(part, wanted) <= 1e-5


def test_softmax_is_the_z_rule_on_its_tangent():
    x, relevance = normal(1, 5).astype(float), normal(1, 5, seed=1).astype(float)
    single = SingleNode("Softmax", [x.astype(np.float32)])
    (part,) = single.operation.propagate(relevance.astype(np.float32), single.tensors())
    p = np.exp(x[0]) / np.exp(x[0]).sum()
    tangent = np.diag(p) - np.outer(p, p)
    assert relative_error(part[0], x[0] * (tangent.T @ (relevance[0] / p))) <= 1e-5


POWERS = {
    "ReduceL1": np.abs,
    "ReduceL2": np.square,
    "ReduceSumSquare": np.square,
    "ReduceLogSumExp": np.exp,
    "ReduceLogSum": lambda x: x,
}


@pytest.mark.parametrize("op", POWERS)
def test_norms_share_in_proportion_to_what_they_sum(op):
    x = normal(2, 3, 4)
    x = np.abs(x) + 0.1 if op == "ReduceLogSum" else x
    single = SingleNode(op, [x], {1: np.array([2], np.int64)}, keepdims=0)
    relevance = normal(2, 3, seed=1)
    (part,) = single.operation.propagate(relevance, single.tensors())
    c = POWERS[op](x.astype(float))
    wanted = c / c.sum(axis=2, keepdims=True) * relevance[..., None]
    assert relative_error(part, wanted) <= 1e-5


def test_a_product_over_an_axis_gives_equal_shares():
    single = SingleNode("ReduceProd", [normal(2, 3, 4)], {1: np.array([1], np.int64)})
    relevance = normal(2, 1, 4, seed=1)
    (part,) = single.operation.propagate(relevance, single.tensors())
    np.testing.assert_allclose(part, np.repeat(relevance / 3, 3, axis=1), rtol=1e-6)


@pytest.mark.parametrize("op", ["BiasGelu", "FastGelu"])
def test_fused_bias_absorbs_its_share(op):
    x, b = normal(2, 4), normal(4, seed=2)
    single = SingleNode(op, [x], {1: b}, domain="com.microsoft")
    relevance = normal(2, 4, seed=1)
    (part,) = single.operation.propagate(relevance, single.tensors())
    assert relative_error(part, x * relevance / stabilise(x + b.astype(float), EPSILON)) <= 1e-5
    bias, epsilon = single.operation.absorbed(relevance, single.tensors())
    np.testing.assert_allclose(part + bias + epsilon, relevance, rtol=1e-4)
