from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from onnxlrp.graph.load import load
from tests.graph.networks import REAL, check_layers, linear, network


def ops(model):
    return [layer.op for layer in model.layers]


def kinds(model):
    return [(change.kind, change.node, change.into) for change in model.changes]


def test_transparent_nodes_are_removed_by_renaming():
    text = """(float[N, 4] x) => (float[N, 4] y) {
        a = Identity(x)  b = Relu(a)  c, mask = Dropout(b)  d = Cast <to = 11> (c)
        e = Cast <to = 1> (d)  f = Tanh(e)  y = Identity(f) }"""
    model = load(network(text))
    assert ops(model) == ["Relu", "Tanh"]
    assert [layer.node.inputs for layer in model.layers] == [("x",), ("b",)]
    assert model.explained == "f"
    assert {change.kind for change in model.changes} == {"removed"}
    assert len(model.changes) == 5


def test_cast_of_a_uint8_picture_is_transparent():
    text = "(uint8[N, 4] x) => (float[N, 4] y) { a = Cast <to = 1> (x)  y = Relu(a) }"
    assert load(network(text)).layers[0].node.inputs == ("x",)


def test_cast_of_a_mask_stays():
    text = """(uint8[N, 4] x) => (uint8[N, 4] q, float[N, 4] y)
        { q = Abs(x)  y = Cast <to = 1> (q) }"""
    assert ops(load(network(text))) == ["Abs", "Cast"]


@pytest.mark.parametrize("final", ["Softmax", "LogSoftmax", "Sigmoid"])
def test_final_activation_is_cut_through_moves(final):
    text = f"""(float[N, 4] x) => (float[N, 3] y) {{
        z = MatMul(x, w)
        p = {final}(z)  q = Unsqueeze(p, two)  r = Transpose <perm = [0, 2, 1]> (q)
        y = Identity(r) }}"""
    model = load(network(text, w=linear(), two=np.array([2])))
    assert ops(model) == ["MatMul"]
    assert model.explained == "z"
    cut = [change.detail for change in model.changes if change.kind == "cut"]
    assert cut[0] == f"{final} {final}_0 cut off: logits are explained"
    assert len(cut) == 3


def test_softmax_inside_the_net_stays():
    text = "(float[N, 4] x) => (float[N, 3] y) { p = Softmax(x)  y = MatMul(p, w) }"
    assert ops(load(network(text, w=linear()))) == ["Softmax", "MatMul"]


def test_softmax_of_the_picture_itself_stays():
    model = load(network("(float[N, 4] x) => (float[N, 4] y) { y = Softmax(x) }"))
    assert ops(model) == ["Softmax"]
    assert model.explained == "y"


BATCH_NORM = "BatchNormalization(z, s, b, m, v)"


@pytest.mark.parametrize(
    "behind",
    [
        f"y = {BATCH_NORM}",
        "c = Sub(z, m)  d = Mul(c, s)  y = Add(b, d)",
        "c = Sub(m, z)  d = Div(c, v)  e = Neg(d)  y = Add(e, b)",
        "c = Identity(z)  d = Cast <to = 11> (c)  e = Cast <to = 1> (d)  y = Mul(s, e)",
    ],
)
def test_affine_nodes_merge_in_every_spelling(behind):
    rng = np.random.default_rng(1)
    names = {name: rng.uniform(0.5, 2, 3).astype(np.float32) for name in "sbmv"}
    text = f"(float[N, 4] x) => (float[N, 3] y) {{ z = MatMul(x, w)  {behind} }}"
    model = load(network(text, w=linear(), **names))
    assert ops(model) == ["MatMul"]
    assert model.layers[0].merged == tuple(n for k, n, _ in kinds(model) if k == "merged")
    check_layers(model, rng.standard_normal((2, 4)).astype(np.float32))


def test_plain_bias_leaves_the_weight_uncopied():
    text = "(float[N, 40] x) => (float[N, 30] y) { z = MatMul(x, w)  y = Add(z, b) }"
    model = load(network(text, w=linear(40, 30), b=np.ones(30, np.float32)))
    assert model.layers[0].node.inputs == ("x", "w", "MatMul_0.bias")
    assert np.shares_memory(model.constants["w"], model.weights["w"])


def test_merged_weight_does_not_take_a_name_that_exists():
    text = "(float[N, 4] x) => (float[N, 3] y) { z = MatMul(x, w)  y = Mul(z, c) }"
    proto = network(text, w=linear(), c=np.float32(2))
    proto.graph.node[0].name = "fc"
    proto.graph.node[0].input[1] = proto.graph.initializer[0].name = "fc.weight"
    model = load(proto)
    assert model.layers[0].node.inputs[1] == "fc.weight_merged"
    np.testing.assert_allclose(model.constants["fc.weight_merged"], 2 * linear())


@pytest.mark.parametrize(
    "body",
    [
        "z = MatMul(x, w)  a = Mul(z, c)  y = Add(a, z)",  # z has two readers
        "z = MatMul(x, w)  a = Relu(z)  y = Mul(a, c)",  # something stands between
        "z = MatMul(x, w)  y = Mul(z, column)",  # the constant runs along the batch
        "z = MatMul(x, w)  y = Div(c, z)",  # not affine
        "z = MatMul(x, w)  y = Div(z, zero)",  # not finite
        "z = MatMul(x, w)  y = Mul(z, z)",
        "z = MatMul(x, w)  y = Mul(z, deep)",  # adds an axis
    ],
)
def test_what_cannot_merge_stays(body):
    weights = {
        "w": linear(),
        "c": np.full(3, 2, np.float32),
        "column": np.ones((2, 1), np.float32),
        "zero": np.zeros(3, np.float32),
        "deep": np.ones((1, 1, 1), np.float32),
    }
    model = load(network(f"(float[2, 4] x) => (float[2, 3] y) {{ {body} }}", **weights))
    assert not [change for change in model.changes if change.kind == "merged"]


def test_nothing_merges_across_an_output():
    text = "(float[N, 4] x) => (float[N, 3] y, float[N, 3] z) { z = MatMul(x, w)  y = Mul(z, c) }"
    assert ops(load(network(text, w=linear(), c=np.float32(2)))) == ["MatMul", "Mul"]


def test_constant_along_the_width_of_an_image_stays():
    text = "(float[N, 2, 5, 3] x) => (float[N, 3, 5, 3] y) { z = Conv(x, w)  y = Mul(z, c) }"
    w = linear(3, 2).reshape(3, 2, 1, 1)
    assert ops(load(network(text, w=w, c=np.full(3, 2, np.float32)))) == ["Conv", "Mul"]


def test_batch_normalization_of_a_sequence_does_not_merge_into_its_features():
    text = f"(float[N, 3, 4] x) => (float[N, 3, 3] y) {{ z = MatMul(x, w)  y = {BATCH_NORM} }}"
    model = load(network(text, w=linear(), **{name: np.ones(3, np.float32) for name in "sbmv"}))
    assert ops(model) == ["MatMul", "BatchNormalization"]


def test_affine_nodes_merge_into_a_batch_normalization_that_has_no_layer_before_it():
    text = f"""(float[N, 3, 4] x) => (float[N, 3, 4] y) {{
        z = Tanh(x)  n = {BATCH_NORM}  c = Mul(n, along)  d = Add(c, along)  y = Relu(d) }}"""
    rng = np.random.default_rng(0)
    names = {name: rng.uniform(0.5, 2, 3).astype(np.float32) for name in "sbmv"}
    model = load(network(text, **names, along=rng.uniform(0.5, 2, (3, 1)).astype(np.float32)))
    assert ops(model) == ["Tanh", "BatchNormalization", "Relu"]
    assert model.layers[1].merged == ("Mul_0", "Add_0")
    check_layers(model, rng.standard_normal((2, 3, 4)).astype(np.float32))


def test_batch_normalization_of_opset_7_with_statistics_a_pixel_stays():
    text = """(float[N, 3, 1, 1] x) => (float[N, 3, 1, 1] y)
        { z = Conv(x, w)  y = BatchNormalization <spatial = 0> (z, s, b, m, v) }"""
    ones = {name: np.ones(3, np.float32) for name in "sbmv"}
    model = load(network(text, opset=7, w=linear(3, 3).reshape(3, 3, 1, 1), **ones))
    assert ops(model) == ["Conv", "BatchNormalization"]


def test_batch_normalization_with_a_negative_variance_stays():
    text = f"(float[N, 4] x) => (float[N, 3] y) {{ z = MatMul(x, w)  y = {BATCH_NORM} }}"
    statistics = {name: np.full(3, -1, np.float32) for name in "sbmv"}
    assert ops(load(network(text, w=linear(), **statistics))) == ["MatMul", "BatchNormalization"]


CONSTANT = st.sampled_from(["scalar", "one", "channels", "batch"])
STEP = st.tuples(
    st.sampled_from(
        ["Mul", "MulLeft", "Div", "Add", "AddLeft", "Sub", "SubLeft", "Neg", "BN", "Id"]
    ),
    CONSTANT,
)


def constant(form, from_end, rng):
    """A constant along six channels, in one of the shapes that broadcast like it."""
    if form == "scalar":
        return np.float32(rng.uniform(0.5, 2))
    shape = (1 if form == "one" else 6,) + (1,) * (from_end - 1)
    shape = (1, *shape) if form == "batch" else shape
    return rng.uniform(0.5, 2, shape).astype(np.float32)


def follow(proto, steps, from_end, rng):
    """Append affine nodes behind tensor "z"."""
    graph, tensor = proto.graph, "z"
    for number, (step, form) in enumerate(steps):
        op = {"BN": "BatchNormalization", "Id": "Identity"}.get(step, step.removesuffix("Left"))
        if step == "BN":
            weights = {f"{name}{number}": rng.uniform(0.5, 2, 6) for name in "sbmv"}
        elif step in ("Neg", "Id"):
            weights = {}
        else:
            weights = {f"c{number}": constant(form, from_end, rng)}
        for name, values in weights.items():
            graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), name))
        inputs = [*weights, tensor] if step.endswith("Left") else [tensor, *weights]
        tensor = f"t{number}"
        graph.node.append(helper.make_node(op, inputs, [tensor]))
    graph.node.append(helper.make_node("Relu", [tensor], ["y"]))
    return proto


IMAGE, ROW = "(float[N, 4, 5, 5] x) => (float y)", "(float[N, 4] x) => (float y)"
LAYERS = {
    "Conv": (IMAGE, "Conv <group = 2, pads = [1, 1, 1, 1]> (x, w, b)", (6, 2, 3, 3), 3),
    "Conv without bias": ("(float[N, 4, 5] x) => (float y)", "Conv (x, w)", (6, 4, 3), 2),
    "ConvTranspose": (IMAGE, "ConvTranspose <group = 2> (x, w, b)", (4, 3, 2, 2), 3),
    "Gemm": (ROW, "Gemm <alpha = 0.5, beta = 2.0> (x, w, b)", (4, 6), 1),
    "Gemm transB": (ROW, "Gemm <transB = 1> (x, w)", (6, 4), 1),
    "MatMul": (ROW, "MatMul (x, w)", (4, 6), 1),
}
"""Kind → ports, node, shape of w, axis of the six output channels counted from the end."""


@pytest.mark.parametrize("kind", LAYERS)
@given(steps=st.lists(STEP, min_size=1, max_size=4), seed=st.integers(0, 9))
def test_any_chain_of_affine_nodes_merges_exactly(kind, steps, seed):
    ports, node, shape, from_end = LAYERS[kind]
    rng = np.random.default_rng(seed)
    w = rng.standard_normal(shape).astype(np.float32)
    b = rng.standard_normal(6).astype(np.float32)
    proto = network(f"{ports} {{ z = {node} }}", w=w, b=b)
    model = load(follow(proto, steps, from_end, rng))
    assert ops(model) == [kind.split()[0], "Relu"]
    sizes = [2 if size == "N" else size for size in model.input.shape]
    check_layers(model, rng.standard_normal(sizes).astype(np.float32))


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_real_networks_keep_their_tensors(path):
    model = load(path)
    sizes = [size if isinstance(size, int) else 2 for size in model.input.shape]
    x = np.random.default_rng(0).random(sizes, dtype=np.float32)
    check_layers(model, x)
    assert {layer.node.inputs[0] for layer in model.layers[:1]} == {model.input.name}


def test_real_networks_are_canonised_as_expected():
    changes = {path.stem: load(path).changes for path in REAL}
    counts = {
        stem: len([c for c in found if c.kind == "merged"]) for stem, found in changes.items()
    }
    assert counts["fer_mini_xception_keras_tf2onnx"] == 8
    assert counts["cifar10_vgglike_keras_tf2onnx"] == 3
    assert counts["digits_mlp_skl2onnx"] == 2
    cut = {stem for stem, found in changes.items() if any(c.kind == "cut" for c in found)}
    assert cut == {
        "digits_mlp_skl2onnx",
        "fer_mini_xception_keras_tf2onnx",
        "squeezenet1_1",
        "squeezenet1_1_caffe2_opset9",
    }
