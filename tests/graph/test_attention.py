"""Attention in one node is written out, and explained like the same network spelled out by hand."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from onnx import numpy_helper

import onnxlrp
from onnxlrp.runtime import run
from tests.graph.networks import linear, network
from tests.naive import relative_error

SIZES = {"wq": (8, 8), "wk": (8, 8), "wv": (8, 8), "w": (48, 4)}
WEIGHTS = {name: linear(*size, seed=seed) for seed, (name, size) in enumerate(SIZES.items())}
SHAPES = {
    "heads": np.array([0, 0, 2, 4]),
    "joined": np.array([0, 0, 8]),
    "scale": np.float32(0.5),
    "mask": np.triu(np.full((6, 6), -100, np.float32), 1),
}
ROWS = "q = MatMul(x, wq) k = MatMul(x, wk) v = MatMul(x, wv)"
HEADS = """
    a = Reshape(q, heads) b = Reshape(k, heads) c = Reshape(v, heads)
    qs = Transpose <perm = [0, 2, 1, 3]> (a) vs = Transpose <perm = [0, 2, 1, 3]> (c)
    kt = Transpose <perm = [0, 2, 3, 1]> (b)
    product = MatMul(qs, kt) scaled = Mul(product, scale)"""
MIXED = """ mixed = MatMul(share, vs) t = Transpose <perm = [0, 2, 1, 3]> (mixed)
    o = Reshape(t, joined)"""

NODE = "o = Attention <q_num_heads = 2, kv_num_heads = 2> (q, k, v{})"
PAIRS = {
    "plain": (NODE.format(""), "share = Softmax(scaled)"),
    "masked": (NODE.format(", mask"), "masked = Add(scaled, mask) share = Softmax(masked)"),
}


def built(body):
    text = (
        f"(float[N, 6, 8] x) => (float[N, 4] y) {{ {ROWS} {body} f = Flatten(o) y = MatMul(f, w) }}"
    )
    return network(text, opset=23, ir=11, **WEIGHTS, **SHAPES)


@pytest.fixture
def x():
    return np.random.default_rng(7).standard_normal((2, 6, 8)).astype(np.float32)


@pytest.mark.parametrize("case", PAIRS)
@pytest.mark.parametrize("design", ["epsilon", "gamma", "epsilon_plus"])
def test_one_node_is_explained_like_many(case, design, x):
    node, shares = PAIRS[case]
    one = onnxlrp.load(built(node))
    many = onnxlrp.load(built(f"{HEADS} {shares} {MIXED}"))
    results = [onnxlrp.explain(model, x, design, target=1) for model in (one, many)]
    np.testing.assert_allclose(results[0].output, results[1].output, rtol=1e-4)
    assert relative_error(results[0].relevance, results[1].relevance) <= 1e-4


def test_written_out_attention_computes_the_same(x):
    proto = built(NODE.format(""))
    model = onnxlrp.load(proto)
    assert "Attention" not in {layer.op for layer in model.layers}
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    np.testing.assert_allclose(
        run(model, x, ["y"]).value("y"), session.run(None, {"x": x})[0], rtol=1e-4
    )


def test_rotary_positions_are_written_out(x):
    places = np.random.default_rng(3).uniform(0, 3, (2, 6, 2)).astype(np.float32)
    body = """r = RotaryEmbedding <num_heads = 2> (q, cosine, sine)
        o = Attention <q_num_heads = 2, kv_num_heads = 2> (r, k, v)"""
    proto = built(body)
    for name, values in (("cosine", np.cos(places)), ("sine", np.sin(places))):
        proto.graph.initializer.append(numpy_helper.from_array(values, name))
    result = onnxlrp.explain(onnxlrp.load(proto), x, "epsilon", target=1)
    assert np.isfinite(result.relevance).all() and result.relevance.any()
