"""The float64 forward pass: exact to float32's last bit, and a drop-in for onnxruntime's."""

from __future__ import annotations

import math

import numpy as np
import pytest

import onnxlrp
from onnxlrp.errors import InputError, ModelError, NumericalError, RuntimeSetupError
from onnxlrp.graph.load import load
from onnxlrp.runtime import Exact, Sessions, open_forward, run
from tests.graph.networks import linear, network

# In float32 the sum of x loses its 1; what comes after it tells whether anything was rounded.
CANCELS = np.array([[1e8, 1, -1e8, 0]], np.float32)


def outputs(text, x=CANCELS, opset=17, tensor="y", **weights):
    return run_exact(load(network(text, opset=opset, **weights)), x, tensor)


def run_exact(model, x, tensor="y"):
    return run(model, x, [tensor], Exact(model)).value(tensor)


def test_nothing_is_rounded_on_the_way():
    text = "(float[N, 4] x) => (float[N, 1] y) { z = MatMul(x, w)  y = Relu(z) }"
    y = outputs(text, w=np.ones((4, 1), np.float32))
    assert y.dtype == np.float32
    assert y.tolist() == [[1]]


@pytest.mark.parametrize("columns", [1, 300])  # small weights stay in the file's proto
def test_weights_are_exact_wherever_they_are_kept(columns):
    text = "(float[N, 4] x) => (float[N, K] y) { y = Gemm(x, w, b) }"
    w, b = np.ones((4, columns), np.float32), np.full(columns, 0.1, np.float32)
    exact = (np.float64(1) + np.float64(np.float32(0.1))).astype(np.float32)
    assert set(outputs(text, w=w, b=b).ravel()) == {exact}


CONSTANTS = {
    "tensor": "c = Constant <value = float[1] {1e8}> ()",
    "float": "c = Constant <value_float = 1e8> ()",
    "floats": "c = Constant <value_floats = [1e8]> ()",
    "of a shape": "c = ConstantOfShape <value = float[1] {1e8}> (one)",
    "cast": "i = Constant <value = int64[1] {100000000}> ()  c = Cast <to = 1> (i)",
    "half and back": "h = Cast <to = 10> (one)  f = Cast <to = 1> (h)  c = Mul(f, big)",
    "zeros": "o = ConstantOfShape (one)  c = Add(o, big)",
    "range": "n = CastLike(one, big)  c = Mul(n, big)",
}


@pytest.mark.parametrize("constant", CONSTANTS.values(), ids=CONSTANTS)
def test_constants_take_part_as_doubles(constant):
    text = "(float[N, 4] x) => (float[N, 4] y) { %s  a = Sub(x, c)  y = Add(a, c) }"
    y = outputs(text % constant, one=np.array([1]), big=np.array([1e8], np.float32))
    assert y.tolist() == CANCELS.tolist()


def test_branches_are_evaluated_in_double():
    text = """(float[N, 4] x) => (float[N, 4] y) {
        big = Constant <value = float[1] {1e8}> ()
        y = If <then_branch = inner () => (float[N, 4] a) {
                c = Constant <value_float = 1e8> ()  b = Sub(x, big)  a = Add(b, c) },
            else_branch = other () => (float[N, 4] d) { d = Identity(x) }> (yes) }"""
    assert outputs(text, yes=np.array(True)).tolist() == CANCELS.tolist()


X = np.array([[0.1, -0.2, 0.3, 3], [7, -5, 0.7, 1.3]], np.float32)
FUNCTIONS = {
    "y = Gelu(x)": lambda x: x / 2 * (1 + np.vectorize(math.erf)(x / math.sqrt(2))),
    "y = GroupNormalization <num_groups = 1, epsilon = 1.0> (x, scale, shift)": lambda x: (
        (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1) * 3 + 2
    ),
    "y = MeanVarianceNormalization <axes = [1]> (x)": lambda x: (
        (x - x.mean(1, keepdims=True)) / (x.std(1, keepdims=True) + 1e-9)
    ),
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_operators_that_the_standard_spells_out_are_evaluated_in_double(function):
    weights = {"scale": np.full(4, 3, np.float32), "shift": np.full(4, 2, np.float32)}
    exact = FUNCTIONS[function](X.astype(np.float64))
    found = outputs(f"(float[N, 4] x) => (float[N, 4] y) {{ {function} }}", X, 21, **weights)
    np.testing.assert_array_equal(found, exact.astype(np.float32))


def test_half_and_unsigned_inputs_are_taken():
    text = "(float16[N, 4] x) => (float16[N, 4] y) { a = Add(x, c)  y = Sub(a, c) }"
    x = np.array([[1e-3, 2e-3, 3e-3, 0]], np.float16)
    assert outputs(text, x, c=np.float16([1000])).tolist() == x.astype(np.float32).tolist()
    text = "(uint8[N, 4] x) => (float[N, 4] y) { f = Cast <to = 1> (x)  y = Mul(f, c) }"
    x = np.array([[1, 2, 3, 255]], np.uint8)
    assert outputs(text, x, c=np.float32([0.5])).tolist() == [[0.5, 1, 1.5, 127.5]]


def test_standard_domain_may_be_spelled_out():
    proto = network("(float[N, 4] x) => (float[N, 4] y) { y = Relu(x) }")
    proto.graph.node[0].domain = proto.opset_import[0].domain = "ai.onnx"
    assert run_exact(load(proto), CANCELS).tolist() == [[1e8, 1, 0, 0]]


def test_file_is_left_as_it_is():
    text = (
        "(float[N, 4] x) => (float[N, 4] y) { c = Constant <value_float = 2.0> ()  y = Mul(x, c) }"
    )
    model = load(network(text))
    before = model.proto.SerializeToString()
    run_exact(model, CANCELS)
    assert model.proto.SerializeToString() == before


def test_is_a_drop_in_for_sessions():
    text = """(float[2, 3, 4, 4] x) => (float[2, 48] y)
        { s = Shape(x)  a = Relu(x)  m = Greater(a, x)  y = Reshape(a, to) }"""
    model = load(network(text, to=np.array([2, -1])))
    x = np.random.default_rng(0).standard_normal((6, 3, 4, 4)).astype(np.float32)
    one, other = (run(model, x, "yasm", pass_) for pass_ in (Exact(model), Sessions(model, "cpu")))
    for name in "yasm":
        assert one.value(name).dtype == other.value(name).dtype
        np.testing.assert_array_equal(one.value(name), other.value(name))
        assert one.shape(name) == other.shape(name)
    assert one.provider == "float64 reference"
    assert Exact(model).run(x[:2], []) == {}


def test_nan_names_the_layer_that_makes_it():
    model = load(network("(float[N, 4] x) => (float[N, 4] y) { r = Sqrt(x)  y = Tanh(r) }"))
    with pytest.raises(NumericalError, match=r"\(Sqrt\) makes them in 'r'"):
        run_exact(model, CANCELS)


def test_too_large_for_float32_is_an_error():
    model = load(network("(float[N, 4] x) => (float[N, 4] y) { r = Mul(x, x)  y = Mul(r, x) }"))
    with pytest.raises(NumericalError, match="NaN or Inf"):
        run_exact(model, np.full((1, 4), 1e30, np.float32))


def test_operation_without_reference_is_named():
    proto = network(
        "(float[N, 4, 5] x) => (float[N, 4, 1] y) { a = Gelu(x)  y = GlobalLpPool(a) }", 20
    )
    proto.graph.node[1].name = "pool"
    complaint = r"no operation for pool \(GlobalLpPool\); use precision='single'\.$"
    with pytest.raises(ModelError, match=complaint):
        run_exact(load(proto), np.ones((1, 4, 5)))


def test_failing_operation_is_one_clear_line():
    text = "(float[N, 4] x) => (float[N, 1] y) { a = Relu(x)  y = Gather <axis = 1> (a, nine) }"
    complaint = r"float64 pass failed on an input of shape \(1, 4\): .*; use precision='single'\.$"
    with pytest.raises(ModelError, match=complaint) as caught:
        outputs(text, nine=np.array([9]))
    assert "\n" not in str(caught.value)


def test_reference_that_means_another_operation_is_refused():
    # Before opset 13 Hardmax saw its input as a matrix, which the reference does not know.
    text = "(float[N, 4, 5] x) => (float[N, 4, 5] y) { h = Hardmax(x)  y = Relu(h) }"
    x = np.random.default_rng(0).standard_normal((1, 4, 5))
    with pytest.raises(ModelError, match=r"disagrees with onnxruntime on '[hy]', made by .*; use"):
        outputs(text, x, opset=11)


def test_precision_is_chosen_by_name():
    model = load(network("(float[N, 4] x) => (float[N, 4] y) { y = Relu(x) }"))
    assert open_forward(model, "cpu", "single").provider == "CPUExecutionProvider"
    assert open_forward(model, "auto", "double").provider == "float64 reference"
    with pytest.raises(InputError, match=r"precision 'dobule': .* Did you mean 'double'\?"):
        open_forward(model, "auto", "dobule")
    with pytest.raises(RuntimeSetupError, match="device 'cuda' with precision 'double'"):
        open_forward(model, "cuda", "double")


def test_explanation_says_who_computed():
    model = load(network("(float[N, 4] x) => (float[N, 3] y) { y = MatMul(x, w) }", w=linear()))
    result = onnxlrp.explain(model, np.ones((2, 4)), "epsilon", precision="double")
    assert result.provider == "float64 reference"
    exact = np.ones((2, 4)) @ linear().astype(np.float64)
    np.testing.assert_array_equal(result.output, exact.astype(np.float32))
