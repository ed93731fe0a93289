from __future__ import annotations

import numpy as np
import pytest
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from onnxlrp.graph.load import load
from onnxlrp.runtime import run
from tests.graph.networks import network

RNG = np.random.default_rng(0)
NUMBERS = {"one": 1.0, "two": 2.0, "half": 0.5, "minus_half": -0.5, "eps": 1e-5}

DEVIATION = "m = ReduceMean <axes = [%s]> (h) d = Sub(h, m)"
VARIANCE = DEVIATION + " q = Pow(d, two) v = ReduceMean <axes = [%s]> (q) e = Add(v, eps)"
LAST = VARIANCE % (-1, -1)

SPELLINGS = [
    ("LayerNormalization", LAST + " s = Sqrt(e) n = Div(d, s)"),
    ("LayerNormalization", LAST + " s = Sqrt(e) r = Reciprocal(s) n = Mul(r, d)"),
    ("LayerNormalization", LAST + " s = Sqrt(e) r = Div(one, s) n = Mul(d, r)"),
    ("LayerNormalization", LAST + " r = Pow(e, minus_half) n = Mul(d, r)"),
    (
        "LayerNormalization",
        LAST.replace("Pow(d, two)", "Mul(d, d)") + " s = Pow(e, half) n = Div(d, s)",
    ),
    (
        "LayerNormalization",
        DEVIATION % -1 + """ q = Mul(h, h) f = ReduceMean <axes = [-1]> (q) g = Mul(m, m)
            v = Sub(f, g) e = Add(v, eps) s = Sqrt(e) n = Div(d, s)""",
    ),
    (
        "LayerNormalization",  # the deviation is computed twice
        LAST + " m2 = ReduceMean <axes = [2]> (h) d2 = Sub(h, m2) s = Sqrt(e) n = Div(d2, s)",
    ),
    (
        "LayerNormalization",  # TensorFlow's
        LAST + """ s = Sqrt(e) r = Reciprocal(s) k = Mul(r, gamma) a = Mul(h, k)
            b = Mul(m, k) c = Sub(beta, b) n = Add(a, c)""",
    ),
    ("LayerNormalization", VARIANCE % ("1, 2", "-2, -1") + " s = Sqrt(e) n = Div(d, s)"),
    (
        "RMSNormalization",
        "q = Mul(h, h) v = ReduceMean <axes = [-1]> (q) e = Add(v, eps) s = Sqrt(e) n = Div(h, s)",
    ),
    (
        "RMSNormalization",
        """q = Pow(h, two) v = ReduceMean <axes = [2]> (q) e = Add(eps, v)
            s = Sqrt(e) r = Reciprocal(s) n = Mul(h, r)""",
    ),
    (
        "Softmax",
        """t = ReduceMax <axes = [1]> (h) l = Sub(h, t) e = Exp(l)
            s = ReduceSum(e, axis) n = Div(e, s)""",
    ),
    ("Softmax", "e = Exp(h) s = ReduceSum(e, axis) n = Div(e, s)"),
]  # fmt: skip


def normalised(body, shape="N, 4, 6"):
    text = f"(float[{shape}] x) => (float[{shape}] z) {{ h = LeakyRelu(x) {body} z = Tanh(n) }}"
    vectors = {name: RNG.uniform(0.5, 2, 6).astype(np.float32) for name in ("gamma", "beta")}
    numbers = {name: np.float32(value) for name, value in NUMBERS.items()}
    return network(text, **numbers, **vectors, axis=np.array([1]))


def computed(node, model, values):
    """What the operator alone makes of ``values``, by the reference of ONNX or its definition."""
    constants = [model.constants[name] for name in node.inputs[1:]]
    if node.op == "RMSNormalization":  # the reference knows it from opset 23 on only
        mean = (values.astype(np.float64) ** 2).mean(node.attributes["axis"], keepdims=True)
        return values / np.sqrt(mean + node.attributes["epsilon"]) * constants[0]
    graph = helper.make_graph(
        [helper.make_node(node.op, ["h", *node.inputs[1:]], ["n"], **node.attributes)],
        "alone",
        [helper.make_tensor_value_info("h", 1, values.shape)],
        [helper.make_tensor_value_info("n", 1, values.shape)],
        [numpy_helper.from_array(c, n) for c, n in zip(constants, node.inputs[1:], strict=True)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
    return ReferenceEvaluator(model).run(None, {"h": values})[0]


def check(model, shape, merged):
    (layer,) = model.layers[1:-1]
    assert len(layer.merged) == merged
    tensors = run(
        model, 3 * RNG.standard_normal(shape).astype(np.float32) + 1, ["h", layer.node.output]
    )
    alone = computed(layer.node, model, tensors.value("h"))
    np.testing.assert_allclose(alone, tensors.value(layer.node.output), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("op", "body"), SPELLINGS)
def test_spelled_out_norm_is_one_layer_that_computes_it(op, body):
    model = load(normalised(body))
    assert [layer.op for layer in model.layers] == ["LeakyRelu", op, "Tanh"]
    assert model.layers[1].node.inputs[0] == "h"
    check(model, (2, 4, 6), body.count("=") - body.count("axes =") - 1)


@pytest.mark.parametrize(("op", "body"), SPELLINGS[:3])
def test_scale_and_shift_behind_it_fold_into_it(op, body):
    model = load(normalised(body.replace("n =", "n0 =") + " n1 = Mul(n0, gamma) n = Add(beta, n1)"))
    assert [layer.op for layer in model.layers] == ["LeakyRelu", op, "Tanh"]
    check(model, (2, 4, 6), body.count("=") - body.count("axes =") + 1)


def test_root_mean_square_takes_a_scale_but_no_shift():
    body = SPELLINGS[9][1].replace("n =", "n0 =") + " n1 = Mul(n0, gamma) n = Add(beta, n1)"
    ops = [layer.op for layer in load(normalised(body)).layers]
    assert ops == ["LeakyRelu", "RMSNormalization", "Add", "Tanh"]


def test_norm_over_the_picture_is_an_instance_normalization():
    body = VARIANCE % ("2, 3", "2, 3") + " s = Sqrt(e) n = Div(d, s)"
    model = load(normalised(body, "N, 4, 5, 6"))
    assert model.layers[1].op == "InstanceNormalization"
    check(model, (2, 4, 5, 6), 6)


@pytest.mark.parametrize("tail", ["n = Identity(r)", "a = Mul(r, scale) n = Add(a, shift)"])
def test_group_normalization_of_older_opsets_is_one_layer(tail):
    text = f"""(float[N, 6, 5, 5] x) => (float[N, 6, 5, 5] z) {{
        h = LeakyRelu(x)  s = Reshape(h, split)  i = InstanceNormalization(s, g, b)
        r = Reshape(i, whole) {tail} z = Tanh(n) }}"""
    weights = {"g": (3,), "b": (3,), "scale": (6, 1, 1), "shift": (6, 1, 1)}
    arrays = {
        name: RNG.uniform(0.5, 2, shape).astype(np.float32) for name, shape in weights.items()
    }
    shapes = {"split": np.array([0, 3, -1]), "whole": np.array([-1, 6, 5, 5])}
    model = load(network(text, **arrays, **shapes))
    assert model.layers[1].op == "GroupNormalization"
    check(model, (2, 6, 5, 5), 2 if "Identity" in tail else 4)


@pytest.mark.parametrize(
    "body",
    [
        LAST + " s = Sqrt(e) n = Div(h, s)",  # not centred, though the variance is
        LAST.replace("axes = [-1]> (q)", "axes = [1]> (q)") + " s = Sqrt(e) n = Div(d, s)",
        VARIANCE % (1, 1) + " s = Sqrt(e) n = Div(d, s)",  # axes for which there is no operator
        LAST.replace("Sub(h, m)", "Sub(m, h)") + " s = Sqrt(e) n = Div(d, s)",
        LAST + " s = Sqrt(e) n0 = Div(d, s) n = Add(n0, m)",  # the mean is read elsewhere
    ],
)
def test_what_is_no_norm_stays_as_it_is_spelled(body):
    ops = {layer.op for layer in load(normalised(body)).layers}
    assert not ops & {"LayerNormalization", "InstanceNormalization"}


@pytest.mark.parametrize(("layout", "op"), [((4, 1, 1), "InstanceNormalization"), ((4,), "Add")])
def test_scale_within_a_norm_is_taken_where_it_runs_along_the_operators_own_axis(layout, op):
    body = (
        VARIANCE % ("2, 3", "2, 3")
        + """ s = Sqrt(e) r = Reciprocal(s) k = Mul(r, along)
        a = Mul(h, k) b = Mul(m, k) c = Sub(zero, b) n = Add(a, c)"""
    )
    proto = normalised(body, "N, 4, 4, 4")
    arrays = {"along": RNG.uniform(0.5, 2, layout), "zero": np.zeros(1)}
    proto.graph.initializer.extend(
        numpy_helper.from_array(values.astype(np.float32), name) for name, values in arrays.items()
    )
    model = load(proto)
    assert model.layers[-2].op == op
    if op != "Add":
        check(model, (2, 4, 4, 4), body.count("=") - body.count("axes =") - 1)
