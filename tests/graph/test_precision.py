from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from onnx import TensorProto, numpy_helper

from onnxlrp.graph.load import load
from onnxlrp.runtime import run
from tests.graph.networks import check_layers, linear, network

X = np.random.default_rng(0).standard_normal((2, 2, 5, 5)).astype(np.float32)


def convolution(kind, element):
    """A small network in another number type, from its picture to its output."""
    w = linear(3, 40 * 2 * 9 // 3).reshape(40, 2, 3, 3)
    text = """(float[N, 2, 5, 5] x) => (float[N, 40] y) {
        z = Conv(x, w)  a = Mul(z, two)  b = Relu(a)  g = GlobalAveragePool(b)  y = Flatten(g) }"""
    proto = network(text, w=w.astype(kind), two=np.array(2, kind))
    for port in (*proto.graph.input, *proto.graph.output):
        port.type.tensor_type.elem_type = element
    return proto


@pytest.fixture(scope="module")
def expected():
    model = load(convolution(np.float32, TensorProto.FLOAT))
    return run(model, X, ["b"]).value("b")


@pytest.mark.parametrize(
    ("kind", "element", "near"),
    [
        (np.float64, TensorProto.DOUBLE, 1e-6),
        (np.float16, TensorProto.FLOAT16, 1e-2),
        (ml_dtypes.bfloat16, TensorProto.BFLOAT16, 2e-2),
    ],
)
def test_network_of_any_float_type_is_read(kind, element, near, expected):
    proto = convolution(kind, element)
    model = load(proto)
    assert [layer.op for layer in model.layers] == ["Conv", "Relu", "GlobalAveragePool", "Flatten"]
    weight = model.constants[model.layers[0].node.inputs[1]]
    assert weight.dtype == np.float32
    found = run(model, X, ["b"]).value("b")
    assert np.linalg.norm(found - expected) < near * np.linalg.norm(expected)
    assert proto.graph.initializer[0].data_type == element  # the caller's own stays as it is


def test_float64_that_onnxruntime_runs_stays_float64():
    proto = network("(double[N, 4] x) => (double[N, 3] y) { y = MatMul(x, w) }")
    proto.graph.initializer.append(numpy_helper.from_array(linear().astype(np.float64), "w"))
    model = load(proto)
    assert model.input.dtype == "float64"
    assert not [change for change in model.changes if "float32" in change.detail]


def test_casts_and_constants_within_become_float32_too():
    text = """(double[N, 2, 5, 5] x) => (double[N, 3, 3, 3] y) {
        z = Conv(x, w)  s = Shape(z)  f = Cast <to = 11> (s)  m = ReduceMax <keepdims = 0> (f)
        c = Constant <value = double {3.0}> ()  d = Div(m, c)  y = Mul(z, d) }"""
    proto = network(text, w=linear(3, 18).reshape(3, 2, 3, 3).astype(np.float64))
    model = load(proto)
    assert model.output.dtype == "float32"
    assert run(model, X, ["y"]).value("y").shape == (2, 3, 3, 3)


def test_nodes_in_any_order_are_read():
    proto = network(
        "(float[N, 4] x) => (float[N, 4] y) { a = Relu(x)  b = Tanh(a)  y = Add(a, b) }"
    )
    nodes = list(proto.graph.node)
    del proto.graph.node[:]
    proto.graph.node.extend(nodes[::-1])
    assert [layer.op for layer in load(proto).layers] == ["Relu", "Tanh", "Add"]
    assert proto.graph.node[0].op_type == "Add"


def quantised(behind=""):
    """Relu, rounded to eight bits, and a convolution with rounded weights."""
    w = np.random.default_rng(0).integers(-99, 99, (3, 2, 3, 3)).astype(np.int8)
    text = f"""(float[N, 2, 5, 5] x) => (float[N, 3, 3, 3] y) {{
        a = Relu(x)  q = QuantizeLinear(a, s, zero)  d = DequantizeLinear(q, s, zero)
        k = DequantizeLinear(w, t, none)  y = Conv(d, k) {behind} }}"""
    numbers = {"s": np.float32(0.02), "t": np.float32(0.01)}
    return network(text, w=w, zero=np.uint8(7), none=np.int8(0), **numbers)


def test_pair_that_quantises_is_one_layer_and_quantised_weights_are_constants():
    model = load(quantised())
    assert [layer.op for layer in model.layers] == ["Relu", "DequantizeLinear", "Conv"]
    assert model.layers[1].node.inputs[0] == "a"
    assert model.layers[1].merged == ("QuantizeLinear_0",)
    check_layers(model, X, model.layers[2:])


def test_integers_that_are_read_twice_stay():
    text = """(float[N, 4] x) => (float[N, 4] y) {
        q = QuantizeLinear(x, s, zero)  d = DequantizeLinear(q, s, zero)
        e = DequantizeLinear(q, t, zero)  y = Add(d, e) }"""
    numbers = {"s": np.float32(0.02), "t": np.float32(0.01), "zero": np.uint8(7)}
    ops = [layer.op for layer in load(network(text, **numbers)).layers]
    assert ops == ["QuantizeLinear", "DequantizeLinear", "DequantizeLinear", "Add"]
