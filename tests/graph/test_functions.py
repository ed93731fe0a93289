from __future__ import annotations

import math

import numpy as np
import pytest
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from onnxlrp.graph.functions import GRID, HALF, named
from onnxlrp.graph.load import load
from onnxlrp.runtime import run
from tests.graph.networks import network

NUMBERS = {
    "half": 0.5, "one": 1.0, "two": 2.0, "three": 3.0, "six": 6.0, "sixth": 1 / 6, "zero": 0.0,
    "root_two": math.sqrt(2), "root_half": math.sqrt(0.5), "c": 0.044715,
    "k": math.sqrt(2 / math.pi), "fast": 1.702, "tenth": 0.1, "fifth": 0.2,
}  # fmt: skip

SPELLINGS = [
    ("Gelu", "a = Div(h, root_two) b = Erf(a) d = Add(b, one) e = Mul(h, d) y = Mul(e, half)"),
    ("Gelu", "a = Mul(h, root_half) b = Erf(a) d = Add(one, b) e = Mul(half, h) y = Mul(e, d)"),
    ("Gelu", "e = Mul(h, half) a = Div(h, root_two) b = Erf(a) d = Add(b, one) y = Mul(d, e)"),
    (
        "Gelu",
        """p = Pow(h, three) q = Mul(p, c) r = Add(h, q) s = Mul(r, k) t = Tanh(s)
           u = Add(t, one) v = Mul(h, u) y = Mul(v, half)""",
    ),
    (
        "Gelu",
        """h2 = Mul(h, h) p = Mul(h2, h) q = Mul(c, p) r = Add(h, q) s = Mul(k, r) t = Tanh(s)
           u = Add(one, t) w = Mul(half, u) y = Mul(h, w)""",
    ),
    ("Swish", "s = Sigmoid(h) y = Mul(h, s)"),
    ("Swish", "a = Mul(h, fast) s = Sigmoid(a) y = Mul(s, h)"),
    ("Swish", "n = Neg(h) e = Exp(n) d = Add(e, one) y = Div(h, d)"),
    ("HardSwish", "a = Add(h, three) b = Clip(a, zero, six) e = Mul(h, b) y = Div(e, six)"),
    ("HardSwish", "a = Add(h, three) b = Clip(a, zero, six) e = Mul(b, sixth) y = Mul(h, e)"),
    ("HardSwish", "a = HardSigmoid <alpha = 0.16666667> (h) y = Mul(h, a)"),
    ("HardSwish", "a = Add(h, three) r = Relu(a) b = Min(r, six) e = Mul(b, h) y = Mul(e, sixth)"),
    ("HardSigmoid", "a = Add(h, three) b = Clip(a, zero, six) y = Div(b, six)"),
    ("HardSigmoid", "a = Mul(h, fifth) b = Add(a, half) y = Clip(b, zero, one)"),
    ("Mish", "a = Softplus(h) b = Tanh(a) y = Mul(h, b)"),
    ("Mish", "e = Exp(h) a = Add(e, one) l = Log(a) b = Tanh(l) y = Mul(b, h)"),
    ("Softplus", "e = Exp(h) a = Add(one, e) y = Log(a)"),
    ("Sigmoid", "n = Neg(h) e = Exp(n) d = Add(one, e) y = Reciprocal(d)"),
    ("Softsign", "m = Abs(h) d = Add(m, one) y = Div(h, d)"),
    ("LeakyRelu", "a = Mul(h, tenth) y = Max(h, a)"),
    ("LeakyRelu", "p = Relu(h) n = Neg(h) q = Relu(n) r = Mul(q, tenth) y = Sub(p, r)"),
]


def spelled(body, rest=""):
    text = f"(float[N, 9] x) => (float[N, 9] z{rest}) {{ h = LeakyRelu(x) {body} z = Neg(y) }}"
    return network(text, **{name: np.float32(value) for name, value in NUMBERS.items()})


@pytest.mark.parametrize(("op", "body"), SPELLINGS)
def test_spelled_out_function_is_one_layer_that_computes_it(op, body):
    model = load(spelled(body))
    assert [layer.op for layer in model.layers] == ["LeakyRelu", op, "Neg"]
    layer = model.layers[1]
    assert layer.node.inputs == ("h",)
    assert layer.node.outputs == ("y",)
    assert len(layer.merged) == body.count("=") - body.count("<") - 1
    changes = [change for change in model.changes if change.kind == "merged"]
    assert {change.into for change in changes} == {layer.name}
    assert f": {len(layer.merged) + 1} nodes merged" in changes[0].detail
    x = np.linspace(-30, 30, 63, dtype=np.float32).reshape(-1, 9)
    tensors = run(model, x, ["h", "y"])
    alone = computed(layer.node, tensors.value("h"))
    np.testing.assert_allclose(alone, tensors.value("y"), rtol=1e-5, atol=2e-6)


def computed(node, values):
    """What the operator alone makes of ``values``, by the reference of ONNX."""
    if node.op == "Swish":  # the reference knows it from opset 24 on only
        return values / (1 + np.exp(-node.attributes["alpha"] * values.astype(np.float64)))
    call = helper.make_node(node.op, ["h"], ["y"], **node.attributes)
    ports = [[helper.make_tensor_value_info(name, 1, values.shape)] for name in "hy"]
    graph = helper.make_graph([call], "alone", *ports)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])
    return ReferenceEvaluator(model).run(None, {"h": values})[0]


@pytest.mark.parametrize(
    "body",
    [
        "s = Sigmoid(h) t = Relu(h) y = Mul(t, s)",  # relu(h)·σ(h) has no name
        "s = Sigmoid(x) y = Mul(h, s)",  # of two tensors
        "a = Mul(h, vector) s = Sigmoid(a) y = Mul(h, s)",  # another function for every channel
        "s = Sigmoid(h) y = Add(h, s)",
    ],
)
def test_other_functions_stay_as_they_are_spelled(body):
    proto = spelled(body)
    vector = np.linspace(0.5, 2, 9, dtype=np.float32)
    proto.graph.initializer.append(numpy_helper.from_array(vector, "vector"))
    assert len(load(proto).layers) == 2 + body.count("=")


def test_function_whose_parts_are_read_elsewhere_stays_spelled():
    body = "s = Sigmoid(h) m = Mul(h, s) y = Add(m, s)"
    assert [layer.op for layer in load(spelled(body)).layers][1:4] == ["Sigmoid", "Mul", "Add"]
    body = "s = Sigmoid(h) y = Mul(h, s)"
    assert len(load(spelled(body, ", float[N, 9] s")).layers) == 4


def test_float16_constants_are_near_enough():
    half = {name: float(np.float16(value)) for name, value in NUMBERS.items()}
    gelu = [0.5 * x * (1 + math.erf(x / half["root_two"])) for x in GRID]
    found = named(np.array(gelu), HALF)
    assert found is not None and (found[0].op, found[0].attributes) == ("Gelu", {})
    tanh = [0.5 * x * (1 + math.tanh(half["k"] * (x + half["c"] * x**3))) for x in GRID]
    found = named(np.array(tanh), HALF)
    assert found is not None and found[0].attributes == {"approximate": "tanh"}


def test_straight_lines_and_squares_have_no_name():
    nearly = np.where(GRID < 0, 0.9995 * GRID, GRID)
    lines = (GRID, 2 * GRID + 1, 0.999 * GRID + 1e-4, nearly, np.zeros_like(GRID))
    for values in (*lines, GRID**2, np.full_like(GRID, np.nan)):
        assert named(values) is None


@pytest.mark.parametrize(
    ("op", "body"),
    [
        ("HardSwish", "a = Add(g, three) b = Clip(a, zero, six) e = Mul(g, b) y = Div(e, six)"),
        ("Swish", "s = Sigmoid(g) y = Mul(g, s)"),
        ("Gelu", "a = Div(g, root_two) b = Erf(a) d = Add(b, one) e = Mul(g, d) y = Mul(e, half)"),
        ("Sigmoid", "y = Sigmoid(g)"),
        ("Tanh", "y = Tanh(g)"),
        ("Softplus", "y = Softplus(g)"),
    ],
)
def test_a_small_constant_before_a_function_stays_a_layer(op, body):
    proto = spelled(f"g = Add(h, little) {body}")
    proto.graph.initializer.append(numpy_helper.from_array(np.float32(-1e-3), "little"))
    assert [layer.op for layer in load(proto).layers] == ["LeakyRelu", "Add", op, "Neg"]


def test_different_small_constants_before_a_function_and_its_gate_stay():
    body = (
        "a = Add(h, little) b = Add(h, less) g = HardSigmoid <alpha = 0.16666667> (b) y = Mul(a, g)"
    )
    proto = spelled(body)
    for name, value in {"little": -5e-3, "less": 1e-3}.items():
        proto.graph.initializer.append(numpy_helper.from_array(np.float32(value), name))
    ops = [layer.op for layer in load(proto).layers]
    assert ops == ["LeakyRelu", "Add", "HardSigmoid", "Mul", "Neg"]  # its own may be any line


def test_a_function_in_float16_is_recognised_with_the_constants_it_has():
    text = """(float16[N, 9] x) => (float16[N, 9] y) { h = Relu(x)
        a = Div(h, root_two) b = Erf(a) d = Add(b, one) e = Mul(h, d) y = Mul(e, half) }"""
    numbers = {name: np.float16(NUMBERS[name]) for name in ("root_two", "one", "half")}
    assert [layer.op for layer in load(network(text, **numbers)).layers] == ["Relu", "Gelu"]
    single = {name: np.float32(value) for name, value in numbers.items()}
    assert len(load(network(text.replace("float16", "float"), **single)).layers) == 6
