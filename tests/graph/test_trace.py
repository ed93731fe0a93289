from __future__ import annotations

import numpy as np
import onnx
import pytest

from onnxlrp.errors import ModelError
from onnxlrp.graph.load import load
from onnxlrp.graph.model import Tensor
from tests.graph.networks import linear, network


def ops(model):
    return [layer.op for layer in model.layers]


def test_ports_are_read_from_the_file():
    model = load(network("(float[N, 3, 8, 8] x) => (float[N, 3, 8, 8] y) { y = Relu(x) }"))
    assert model.input == Tensor("x", "float32", ("N", 3, 8, 8))
    assert model.output == Tensor("y", "float32", ("N", 3, 8, 8))
    assert model.explained == "y"


@pytest.mark.parametrize("batch", [0, -1])
def test_sizes_of_zero_and_minus_one_are_open(batch):
    proto = network("(float[1, 4] x) => (float[N, 4] y) { y = Relu(x) }")
    proto.graph.input[0].type.tensor_type.shape.dim[0].dim_value = batch
    assert load(proto).input.shape == (None, 4)


def test_first_floating_point_output_that_depends_on_the_picture_is_explained():
    text = """(float[N, 4] x) => (int64[N] label, float[1] bias, float[N, 3] scores)
        { scores = MatMul(x, w)  label = ArgMax <axis=1, keepdims=0> (scores)  bias = Abs(b) }"""
    model = load(network(text, w=linear(), b=np.ones(1, np.float32)))
    assert model.output.name == "scores"
    assert ops(model) == ["MatMul"]


def test_output_can_be_named():
    text = "(float[N, 4] x) => (float[N, 4] a, float[N, 4] b) { a = Relu(x)  b = Tanh(x) }"
    assert ops(load(network(text), output="b")) == ["Tanh"]
    with pytest.raises(ModelError, match="output 'c': the model has 'a', 'b'"):
        load(network(text), output="c")


def test_wrong_output_is_refused():
    text = "(float[N, 4] x) => (float[N, 4] a, int64[N] b) { a = Relu(x)  b = ArgMax <axis=1> (x) }"
    with pytest.raises(ModelError, match="output b: no floating-point tensor"):
        load(network(text), output="b")


def test_output_by_shape_alone_is_refused():
    text = "(float[N, 4] x) => (float[2] y) { s = Shape(x)  y = Cast <to=1> (s) }"
    with pytest.raises(ModelError, match="output 'y' does not depend on the values of input 'x'"):
        load(network(text))


def test_several_inputs_are_named():
    text = "(float[N, 4] x, float[N, 4] z) => (float[N, 4] y) { y = Add(x, z) }"
    with pytest.raises(ModelError, match="output 'y' depends on the inputs 'x', 'z'"):
        load(network(text))


def test_input_that_the_output_does_not_need_is_no_obstacle():
    text = """(float[N, 4] x, float[N, 4] z) => (float[N, 4] y, float[N, 4] u)
        { y = Relu(x)  u = Relu(z) }"""
    assert load(network(text)).input.name == "x"
    assert load(network(text), output="u").input.name == "z"


def test_model_without_a_picture_is_refused():
    text = "(int64[N] tokens) => (float[N] y) { y = Cast <to=1> (tokens) }"
    with pytest.raises(ModelError, match=r"no floating-point or uint8 input to explain .*'tokens'"):
        load(network(text))


def test_broken_graph_is_named():
    text = "(float[N, 4] x) => (float[N, 4] y) { y = Add(x, ghost) }"
    proto = network(text)
    proto.graph.node[0].name = "sum"
    with pytest.raises(ModelError, match=r"node 'sum' \(Add\) reads 'ghost', which nothing before"):
        load(proto)


def test_shape_plumbing_is_no_layer():
    text = """(float[N, 2, 2] x) => (float[N, 4] y) {
        shape = Shape(x)  n = Gather <axis=0> (shape, zero)  size = Concat <axis=0> (n, rest)
        flat = Reshape(x, size)  y = Relu(flat) }"""
    weights = {"zero": np.array([0]), "rest": np.array([-1])}
    model = load(network(text, **weights))
    assert ops(model) == ["Reshape", "Relu"]
    assert model.layers[0].signals == (0,)
    assert "size" not in model.constants


def test_masks_and_indices_are_held_fixed():
    text = """(float[N, 4] x) => (float[N, 4] y)
        { mask = Greater(x, zero)  small = Mul(x, slope)  y = Where(mask, x, small) }"""
    model = load(network(text, zero=np.float32(0), slope=np.float32(0.1)))
    assert ops(model) == ["Mul", "Where"]
    assert [layer.signals for layer in model.layers] == [(0,), (1, 2)]
    assert model.signals == {"x", "small", "y"}


def test_unnamed_nodes_are_numbered_and_names_are_unique():
    text = """(float[N, 4] x) => (float[N, 4] y)
        { a = Relu(x)  b = Tanh(a)  c = Relu(b)  d = Abs(c)  y = Abs(d) }"""
    proto = network(text)
    for index, name in {1: "Relu_0", 3: "twin", 4: "twin"}.items():
        proto.graph.node[index].name = name
    names = [layer.name for layer in load(proto).layers]
    assert names == ["Relu_1", "Relu_0", "Relu_2", "twin", "twin_0"]


def test_constant_parts_are_computed_once_and_reported():
    text = """(float[N, 4] x) => (float[N, 3] y)
        { wt = Transpose <perm=[1, 0]> (w)  ws = Mul(wt, two)  y = MatMul(x, ws) }"""
    model = load(network(text, w=linear(3, 4), two=np.float32(2)))
    assert ops(model) == ["MatMul"]
    np.testing.assert_allclose(model.constants["ws"], 2 * linear(3, 4).T)
    assert set(model.constants) == {"ws"}
    folded = [change for change in model.changes if change.kind == "folded"]
    assert {change.into for change in folded} == {"MatMul_0"}
    assert {change.detail.split()[0] for change in folded} == {"Transpose", "Mul"}


def test_constants_of_every_spelling_are_constants():
    text = """(float[N, 2] x) => (float[N, 2] y) {
        a = Constant <value_float = 2.0> ()  b = Constant <value_floats = [1.0, 3.0]> ()
        s = Constant <value_ints = [2]> ()
        c = ConstantOfShape <value = float[1] {5.0}> (s)
        u = Max(x, a)  v = Max(u, b)  y = Max(v, c) }"""
    model = load(network(text))
    assert ops(model) == ["Max", "Max", "Max"]
    assert {name: values.tolist() for name, values in model.constants.items()} == {
        "a": 2.0,
        "b": [1.0, 3.0],
        "c": [5.0, 5.0],
    }


def test_random_numbers_are_no_constants():
    text = """(float[N, 4] x) => (float[N, 4] y)
        { noise = RandomNormal <shape = [1, 4]> ()  y = Add(x, noise) }"""
    model = load(network(text))
    assert model.constants == {}
    assert model.layers[0].signals == (0,)


def test_local_functions_are_inlined():
    proto = onnx.parser.parse_model("""
        <ir_version: 8, opset_import: ["" : 17, "local" : 1]>
        net (float[N, 4] x) => (float[N, 4] y) { y = local.twice(x) }
        <opset_import: ["" : 17], domain: "local"> twice (a) => (c) { b = Relu(a)  c = Add(b, b) }
    """)
    assert ops(load(proto)) == ["Relu", "Add"]


@pytest.mark.parametrize(
    "text",
    [
        "y, m, v = BatchNormalization <training_mode = 1> (x, s, s, s, s)",
        "y = Dropout(x, ratio, yes)",
    ],
)
def test_training_mode_is_refused(text):
    four = np.ones(4, np.float32)
    weights = {"s": four, "ratio": np.float32(0.5), "yes": np.array(True)}
    with pytest.raises(ModelError, match="is in training mode"):
        load(network(f"(float[N, 4] x) => (float[N, 4] y) {{ {text} }}", **weights))


def test_branch_that_the_picture_chooses_is_a_layer():
    text = """(float[N, 4] x) => (float[N, 4] y) {
        top = ReduceMax <keepdims = 0> (x)  yes = Greater(top, zero)
        y = If (yes) <
        then_branch = yes_branch () => (float[N, 4] a) { a = Relu(x) },
        else_branch = no_branch () => (float[N, 4] b) { b = Abs(x) }> }"""
    model = load(network(text, zero=np.float32(0)))
    assert ops(model) == ["If"]
