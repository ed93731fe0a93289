from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxlrp.errors import ModelError, NumericalError
from onnxlrp.graph.load import load
from onnxlrp.runtime import Activations, Sessions, run
from onnxlrp.runtime.session import KEPT
from tests.graph.networks import REAL, linear, network

NET = """(float[N, 4] x) => (float[N, 3] y)
    { a = Relu(x)  b = MatMul(a, w)  c = Sigmoid(b)  y = Tanh(c) }"""


@pytest.fixture
def model():
    return load(network(NET, w=linear()))


def test_wanted_tensors_come_with_shapes_of_all(model):
    x = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
    tensors = run(model, x, ["a", "b"])
    np.testing.assert_array_equal(tensors.value("a"), np.maximum(x, 0))
    np.testing.assert_allclose(tensors.value("b"), np.maximum(x, 0) @ linear(), rtol=1e-5)
    np.testing.assert_array_equal(tensors.value("x"), x)
    np.testing.assert_array_equal(tensors.value("w"), linear())
    assert {name: tensors.shape(name) for name in "xabcyw"} == {
        **dict.fromkeys("xa", (5, 4)),
        **dict.fromkeys("bcy", (5, 3)),
        "w": (4, 3),
    }


def test_one_run_fetches_all_that_is_missing(model):
    sessions = Sessions(model, "cpu")
    asked = []
    original = sessions.run
    sessions.run = lambda x, names: asked.append(set(names)) or original(x, names)
    tensors = Activations(sessions, np.ones((1, 4)))
    tensors.fetch(["a", "b", "x", "w"])
    tensors.fetch(["a", "b"])
    tensors.fetch(["b", "c"])
    tensors.value("c")
    assert asked == [{"a", "b"}, {"c"}]


def test_nodes_that_are_not_needed_do_not_run():
    text = "(float[N, 4] x) => (float[N, 1] y) { a = Relu(x)  y = Gather <axis = 1> (a, nine) }"
    model = load(network(text, nine=np.array([9])))
    x = np.ones((3, 4), np.float32)
    np.testing.assert_array_equal(run(model, x, ["a"]).value("a"), x)
    with pytest.raises(ModelError, match=r"onnxruntime failed on an input of shape \(3, 4\): "):
        run(model, x, ["y"])


def test_model_that_onnxruntime_refuses_is_one_clear_line():
    model = load(network("(float[N, 4] x) => (float[N, 4] y) { y = Nonsense(x) }"))
    with pytest.raises(
        ModelError, match=r"onnxruntime cannot run this model: .*Nonsense"
    ) as caught:
        run(model, np.ones((1, 4)), ["y"])
    assert "\n" not in str(caught.value)


def test_sessions_are_kept_and_bounded(model):
    sessions = Sessions(model, "cpu", threads=1)
    x = np.ones((1, 4), np.float32)
    for names in (["a"], ["b"], ["c"], ["y"], ["a", "b"], ["b", "a"]):
        sessions.run(x, names)
    assert len(sessions._open) == KEPT
    first = sessions._session(frozenset("ab"))
    assert sessions._session(frozenset("ab")) is first


def test_unknown_shapes_are_asked_from_onnxruntime():
    text = """(float[N, 4] x) => (float[N, K] y) {
        rows = Shape(x)  size = Concat <axis = 0> (rows, k)  grown = Slice(size, zero, two)
        r = Reshape(x, flat)  total = ReduceSum <keepdims = 0> (x)  whole = Abs(total)
        n = Cast <to = 7> (whole)  n1 = Reshape(n, flat)
        top, where = TopK(r, n1)  y = Relu(top) }"""
    weights = {"k": [3], "zero": [0], "two": [2], "flat": [-1]}
    model = load(network(text, **{name: np.array(v) for name, v in weights.items()}))
    x = np.ones((1, 4), np.float32)
    tensors = Activations(Sessions(model, "cpu"), x)
    assert "y" not in tensors._static
    assert tensors.shape("y") == (4,)
    assert tensors.value("top").tolist() == [1, 1, 1, 1]


def test_wrong_static_shapes_are_corrected(model, monkeypatch):
    sessions = Sessions(model, "cpu")
    wrong = {"x": (2, 4), "a": (2, 4), "b": (2, 9), "c": (2, 9), "y": (2, 9)}
    sessions._shapes[2, 4] = wrong
    tensors = Activations(sessions, np.ones((2, 4)))
    tensors.fetch(["b"])
    assert [tensors.shape(name) for name in "abcy"] == [(2, 4), (2, 3), (2, 3), (2, 3)]


FIXED = """(float[2, 3, 4, 4] x) => (float[2, 48] y)
    { s = Shape(x)  a = Relu(x)  y = Reshape(a, to) }"""


def test_fixed_batch_is_fed_in_parts_and_joined():
    model = load(network(FIXED, to=np.array([2, -1])))
    x = np.random.default_rng(0).standard_normal((6, 3, 4, 4)).astype(np.float32)
    tensors = run(model, x, ["y", "s"])
    np.testing.assert_array_equal(tensors.value("y"), np.maximum(x, 0).reshape(6, 48))
    assert tensors.shape("a") == (6, 3, 4, 4)
    assert tensors.shape("y") == (6, 48)
    assert tensors.value("s").tolist() == [2, 3, 4, 4]


def test_fixed_batch_without_a_batch_axis_inside_is_refused():
    text = "(float[1, 4] x) => (float[4, 1] y) { a = Transpose(x)  y = Relu(a) }"
    model = load(network(text))
    assert run(model, np.ones((1, 4)), ["y"]).shape("a") == (4, 1)
    with pytest.raises(ModelError, match=r"tensor '[ay]' of shape \(4, 1\) has no batch axis"):
        run(model, np.ones((2, 4)), ["y"])


def test_half_and_double_precision_come_as_float32():
    for dtype in ("float16", "double"):
        text = f"({dtype}[N, 4] x) => ({dtype}[N, 4] y) {{ y = Relu(x) }}"
        values = run(load(network(text)), np.ones((1, 4)), ["y"]).value("y")
        assert values.dtype == np.float32


def test_uint8_picture_is_seen_as_float32():
    text = "(uint8[N, 4] x) => (float[N, 4] y) { a = Cast <to = 1> (x)  y = Relu(a) }"
    tensors = run(load(network(text)), np.full((1, 4), 200), ["y"])
    assert tensors.value("x").dtype == np.float32
    assert tensors.value("y").tolist() == [[200] * 4]


def test_masks_keep_their_type():
    text = "(float[N, 4] x) => (float[N, 4] y) { m = Greater(x, zero)  y = Where(m, x, zero) }"
    model = load(network(text, zero=np.float32(0)))
    assert run(model, np.ones((1, 4)), ["m"]).value("m").dtype == bool


def test_nan_names_the_layer_that_makes_it():
    text = """(float[N, 4] x) => (float[N, 4] y)
        { a = Relu(x)  root = Sqrt(x)  b = Tanh(root)  y = Add(a, b) }"""
    proto = network(text)
    proto.graph.node[1].name = "root of all"
    x = np.full((2, 4), -1, np.float32)
    run(load(proto), x, ["a"])
    with pytest.raises(NumericalError, match=r"layer root of all \(Sqrt\) makes them in 'root'"):
        run(load(proto), x, ["a", "y"])


def test_values_may_be_proven_later():
    text = """(float[N, 4] x) => (float[N, 4] y)
        { a = Relu(x)  root = Sqrt(x)  b = Tanh(root)  y = Add(a, b) }"""
    tensors = Activations(Sessions(load(network(text)), "cpu"), np.full((1, 4), -1, np.float32))
    tensors.fetch(["a", "b"], unproven=["b"])
    assert np.isnan(tensors.value("b")).all()
    for ask in (tensors.prove, lambda: tensors.fetch(["b"])):
        with pytest.raises(NumericalError, match=r"\(Sqrt\) makes them in 'root'"):
            ask()
        tensors.fetch(["a", "b"], unproven=["b"])
    tensors.prove(finite=["b"])  # who says so has seen it
    assert np.isnan(tensors.value("b")).all()


def test_large_finite_values_are_no_error():
    text = "(float[N, 4] x) => (float[N, 4] y) { y = Relu(x) }"
    x = np.full((1, 4), 3e38, np.float32)  # their sum is beyond float32
    assert run(load(network(text)), x, ["y"]).value("y").max() > 1e38


@given(batch=st.integers(1, 4), side=st.integers(8, 12))
def test_static_shapes_are_onnxruntimes_shapes(batch, side):
    text = """(float[N, 3, H, W] x) => (float[N, K] y) {
        a = Conv <strides = [2, 2], auto_pad = "SAME_UPPER"> (x, w)
        b = MaxPool <kernel_shape = [3, 3], strides = [2, 2], ceil_mode = 1> (a)
        c = GlobalAveragePool(b)  y = Flatten(c) }"""
    w = np.random.default_rng(0).standard_normal((5, 3, 3, 3)).astype(np.float32)
    model = load(network(text, w=w))
    tensors = Activations(Sessions(model, "cpu", threads=1), np.ones((batch, 3, side, side)))
    inferred = {name: tensors.shape(name) for name in "abcy"}
    tensors.fetch("abcy")
    assert inferred == {name: tensors.value(name).shape for name in "abcy"}


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_real_networks_give_the_outputs_of_the_untouched_file(path):
    model = load(path)
    sizes = [size if isinstance(size, int) else 2 for size in model.input.shape]
    x = np.random.default_rng(0).random(sizes, dtype=np.float32)
    tensors = run(model, x, [model.output.name, model.explained], Sessions(model, "cpu"))
    plain = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    expected = plain.run([model.output.name], {model.input.name: x})[0]
    np.testing.assert_allclose(tensors.value(model.output.name), expected, rtol=1e-4, atol=1e-6)
    assert len(tensors.value(model.explained)) == len(x)
    assert all(len(tensors.shape(name)) for name in model.signals)


def test_file_of_fixed_batch_takes_several_pictures():
    path = next(path for path in REAL if path.stem == "squeezenet1_1_caffe2_opset9")
    model = load(path)
    assert model.fixed_batch == 1
    x = np.random.default_rng(0).random((2, 3, 224, 224), dtype=np.float32)
    both = run(model, x, [model.explained]).value(model.explained)
    alone = run(model, x[1:], [model.explained]).value(model.explained)
    assert both.shape == (2, 1000, 1, 1)
    np.testing.assert_array_equal(both[1:], alone)
