"""Which factor of a product is the signal, read from the graph around it."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import parser

import onnxlrp
from onnxlrp.errors import UnsupportedOperationError
from onnxlrp.ops import bind


def network(body, opset=17):
    """A network of (N, 4, 3, 3) → y, in ONNX's text form; z stands before the output."""
    return onnxlrp.load(
        parser.parse_model(
            f"""<ir_version: 8, opset_import: ["" : {opset}]>
            net (float[N, 4, 3, 3] x) => (float[N, M] y)
            <float[4, 4, 1, 1] w = {{{", ".join(f"{(7 * i % 16 - 8) / 8}" for i in range(16))}}},
             float half = {{0.5}}, float two = {{2.0}}, float one = {{1.0}}, float tiny = {{0.001}},
             int64[2] hw = {{2, 3}}, int64[4] whole = {{1, 4, 3, 3}}, int64[2] parts = {{2, 1}}>
            {{ {body}  y = Flatten(z) }}"""
        )
    )


def layer_of(model, op):
    """The last layer with this operator, bound."""
    layer = [layer for layer in model.layers if layer.op == op][-1]
    return bind(model)[layer.index]


def signals(body, op="Mul", opset=17):
    """The tensors that the last such layer hands relevance to."""
    return layer_of(network(body, opset), op).signal_names


GATED = {
    "SiLU": "s = Sigmoid(x)  z = Mul(x, s)",
    "SiLU, other way": "s = Sigmoid(x)  z = Mul(s, x)",
    "Mish": "p = Softplus(x)  t = Tanh(p)  z = Mul(x, t)",
    "GELU": "a = Div(x, two)  e = Erf(a)  p = Add(e, one)  m = Mul(x, p)  z = Mul(m, half)",
    "GELU, halved first": "h = Mul(x, half)  a = Div(x, two)  e = Erf(a)  p = Add(e, one)"
    "  z = Mul(h, p)",
    "hard swish": "a = Add(x, two)  r = Relu(a)  z = Mul(x, r)",
    "GRN": "n = ReduceL2<axes = [2, 3]>(x)  m = ReduceMean<axes = [1]>(n)  e = Add(m, tiny)"
    "  q = Div(n, e)  z = Mul(x, q)",
    "reciprocal norm": "q = Mul(x, x)  m = ReduceMean<axes = [1]>(q)  e = Add(m, tiny)  r = Sqrt(e)"
    "  i = Reciprocal(r)  z = Mul(x, i)",
}


@pytest.mark.parametrize("name", GATED)
def test_all_to_what_is_gated_by_a_function_of_itself(name):
    op = "Mul"
    body = GATED[name]
    wanted = {"GELU": "m", "GELU, halved first": "h"}.get(name, "x")
    assert signals(body, op) == (wanted,)


SQUEEZED = {
    "squeeze and excitation": "p = GlobalAveragePool(x)  f = Conv(p, w)  g = Sigmoid(f)",
    "hard sigmoid": "p = GlobalAveragePool(x)  f = Conv(p, w)  g = HardSigmoid(f)",
    "clipped": "p = GlobalAveragePool(x)  f = Conv(p, w)  a = Relu(f)  h = Min(a, one)  "
    "g = Sigmoid(h)",
    "scaled and laid out": "p = ReduceMax<keepdims = 0, axes = [2, 3]>(x)  r = Unsqueeze(p, hw)"
    "  f = Conv(r, w)  s = Sigmoid(f)  k = Mul(s, half)  g = Expand(k, whole)",
    "softmax": "f = Conv(x, w)  g = Softmax<axis = 1>(f)",
}


@pytest.mark.parametrize("name", SQUEEZED)
def test_all_to_what_a_gate_lets_through(name):
    assert signals(f"{SQUEEZED[name]}  z = Mul(x, g)") == ("x",)
    assert signals(f"{SQUEEZED[name]}  z = Mul(g, x)") == ("x",)


@pytest.mark.parametrize(
    "body",
    ["f = Conv(x, w)  z = Mul(x, f)",
     "f = Conv(x, w)  r = Relu(f)  s = Add(x, r)  z = Mul(s, f)",
     "f = Conv(x, w)  a = Sigmoid(f)  b = Sigmoid(x)  z = Mul(a, b)"],
)  # fmt: skip
def test_half_to_each_of_two_signals(body):
    assert len(signals(body)) == 2


def test_the_option_decides_where_asked():
    product = layer_of(network("f = Conv(x, w)  z = Mul(x, f)"), "Mul")
    assert product.treated("first").signal_names == ("x",)
    assert product.treated("second").signal_names == ("f",)
    assert product.treated("uniform").signal_names == ("x", "f")


QUOTIENTS = {
    "L2 normalised": ("n = ReduceL2<axes = [1]>(x)  e = Max(n, tiny)  z = Div(x, e)", "x"),
    "standardised": (
        "m = ReduceMean<axes = [1]>(x)  d = Sub(x, m)  q = Mul(d, d)  v = ReduceMean<axes = [1]>(q)"
        "  e = Add(v, tiny)  s = Sqrt(e)  z = Div(d, s)", "d"),
    "variance by moments": (
        "m = ReduceMean<axes = [1]>(x)  d = Sub(x, m)  q = Mul(x, x)  s = ReduceMean<axes = [1]>(q)"
        "  k = Mul(m, m)  v = Sub(s, k)  e = Add(v, tiny)  r = Sqrt(e)  z = Div(d, r)", "d"),
    "attention's normaliser": (
        "t = Transpose<perm = [0, 1, 3, 2]>(x)  p = MatMul(x, t)  a, b = Split<axis = 3>(p, parts)"
        "  e = Add(b, tiny)  z = Div(a, e)", "a"),
    "softsign": ("a = Abs(x)  e = Add(a, one)  z = Div(x, e)", "x"),
    "reciprocal": ("a = Abs(x)  e = Add(a, one)  z = Div(one, e)", "e"),
}  # fmt: skip


@pytest.mark.parametrize("name", QUOTIENTS)
def test_a_norm_in_the_denominator_is_held_fixed(name):
    body, signal = QUOTIENTS[name]
    model = network(body)
    assert layer_of(model, "Div").signal_names == (signal,)
    x = np.random.default_rng(0).standard_normal((2, 4, 3, 3)).astype(np.float32)
    result = onnxlrp.explain(model, x, "epsilon", target=3, books=True)
    for books in result.books:
        np.testing.assert_allclose(books.other, 0, atol=1e-4)


@pytest.mark.parametrize(
    "body", ["f = Conv(x, w)  e = Exp(f)  z = Div(x, e)", "f = Conv(x, w)  z = Div(f, x)"]
)
def test_a_quotient_of_two_signals_is_refused(body):
    with pytest.raises(UnsupportedOperationError, match=r"\(Div\).*no norm or function of it"):
        bind(network(body))


def test_a_power_of_two_activations_is_refused():
    with pytest.raises(UnsupportedOperationError, match="power of two activations"):
        bind(network("f = Relu(x)  z = Pow(f, x)"))


def test_a_mask_is_held_fixed_and_a_float_from_shapes_absorbs():
    body = "m = Greater(x, half)  f = Cast<to = 1>(m)  k = Mul(x, f)  z = Add(k, f)"
    model = network(body)
    assert layer_of(model, "Mul").signal_names == ("x",)
    assert layer_of(model, "Add").signal_names == ("k",)
    x = np.random.default_rng(0).standard_normal((2, 4, 3, 3)).astype(np.float32)
    x[:, 1, 0, 0] = 2.0
    add, *_ = onnxlrp.explain(model, x, "epsilon", target=9, books=True).books[1:]
    np.testing.assert_allclose(add.arrived, 3)
    np.testing.assert_allclose(add.handed, 2, rtol=1e-5)
    np.testing.assert_allclose(add.bias, 1, rtol=1e-5)
