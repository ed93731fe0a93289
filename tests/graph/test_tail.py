"""Cutting a network behind tensors: what is in the tail, what is fed, and what it computes."""

from __future__ import annotations

import numpy as np
import pytest

from onnxlrp.errors import ModelError
from onnxlrp.graph.inference import open_session
from onnxlrp.graph.load import load
from onnxlrp.graph.tail import ShapeOf, tail_of
from onnxlrp.runtime import run
from onnxlrp.runtime.tails import Tails
from tests.graph.networks import linear, network

SHORTCUT = """(float[N, 4] x) => (float[N, 3] y)
    { a = Relu(x)  b = MatMul(a, u)  c = Add(b, a)  d = Sigmoid(c)  y = MatMul(d, w) }"""
SHAPED = """(float[N, 4] x) => (float[N, 6] y)
    { s = Shape(x)  n = Gather <axis = 0> (s, zero)  t = Concat <axis = 0> (n, minus)
      a = Relu(x)  b = MatMul(a, w)  c = Reshape(b, t)  y = Add(c, c) }"""
SPLIT = """(float[N, 4] x) => (float[N, 2] y)
    { a, b = Split <axis = 1> (x)  c = Relu(a)  d = Mul(c, b)  y = Add(d, b) }"""
BRANCH = """(float[N, 4] x, bool yes) => (float[N, 4] y)
    { a = Relu(x)
      y = If (yes) <
        then_branch = one () => (float[N, 4] p) { p = Add(a, a) },
        else_branch = two () => (float[N, 4] q) { q = Identity(x) } > }"""


def model_of(text, opset=17, **weights):
    return load(network(text, opset=opset, **weights))


def shortcut(opset=17):
    return model_of(SHORTCUT, opset, u=linear(4, 4, 1), w=linear(4, 3, 2))


def picture(count=5, seed=3):
    return np.random.default_rng(seed).standard_normal((count, 4)).astype(np.float32)


def rerun(model, names, x, changes=None):
    """The explained tensor, its tail run with the tensors as they are, or changed."""
    runnable = Tails.of(model).after(names)
    tail = runnable.tail
    tensors = run(model, x, [*names, *tail.fed])
    arrays = {name: tensors.value(name) for name in tail.fed}
    for name, place in tail.replaced.items():
        keep, value = (changes or {}).get(name, (1, 0))
        value = np.broadcast_to(np.asarray(value, place.dtype), tensors.shape(name))
        arrays |= {place.keep: np.full_like(value, keep), place.value: np.ascontiguousarray(value)}
        if not place.inner:
            arrays[place.raw] = tensors.value(name)
    for name, reader in tail.shapes.items():
        arrays[name] = reader.of(tensors.shape(reader.tensor))
    return runnable.run(arrays)


def test_shortcut_round_the_tensor_is_fed():
    tail = tail_of(shortcut().proto, ["b"], "y")
    assert dict(tail.fed) == {"a": "float32"}
    assert "a" not in tail.tensors
    assert {"b", "c", "d", "y"} <= set(tail.tensors)


def test_what_the_tail_does_not_need_is_left_out():
    tail = tail_of(shortcut().proto, ["d"], "y")
    assert not tail.fed
    assert [t.name for t in tail.proto.graph.initializer] == ["w"]


@pytest.mark.parametrize("names", [["x"], ["a"], ["b"], ["c"], ["y"], ["a", "c"], ["b", "c", "d"]])
@pytest.mark.parametrize("opset", [7, 17])
def test_tail_of_unchanged_tensors_is_the_network(names, opset):
    model, x = shortcut(opset), picture()
    whole = run(model, x, ["y"]).value("y")
    np.testing.assert_allclose(rerun(model, names, x), whole, rtol=1e-5)


def test_replaced_tensor_takes_the_value():
    model = shortcut()
    value = linear(5, 4, seed=8)
    got = rerun(model, ["c"], picture(), {"c": (0, value)})
    np.testing.assert_allclose(got, 1 / (1 + np.exp(-value)) @ linear(4, 3, 2), rtol=1e-5)


def test_later_tensor_is_computed_from_the_earlier_one_that_was_replaced():
    model, x = shortcut(), picture()
    tail = tail_of(model.proto, ["a", "c"], "y")
    assert (tail.replaced["a"].inner, tail.replaced["c"].inner) == (False, True)
    got = rerun(model, ["a", "c"], x, {"a": (0, 2), "c": (1, 0.5)})
    c = np.full((5, 4), 2.0) @ linear(4, 4, 1) + 2 + 0.5
    np.testing.assert_allclose(got, 1 / (1 + np.exp(-c)) @ linear(4, 3, 2), rtol=1e-5)


def test_shapes_of_tensors_outside_come_in_as_numbers():
    model = model_of(SHAPED, w=linear(4, 6), zero=np.array([0]), minus=np.array([-1]))
    tail = tail_of(model.proto, ["b"], "y")
    assert dict(tail.shapes) == {"s": ShapeOf("x")}
    assert not tail.fed
    x = picture()
    np.testing.assert_allclose(rerun(model, ["b"], x), run(model, x, ["y"]).value("y"), rtol=1e-5)


def test_shape_readers_read_what_they_are_told():
    assert ShapeOf("x", 1, 3).of((2, 3, 4, 5)).tolist() == [3, 4]
    assert ShapeOf("x", -1).of((2, 3)).tolist() == [3]
    size = ShapeOf("x", is_size=True).of((2, 3))
    assert (size.shape, size.item(), size.dtype) == ((), 6, np.int64)


def test_other_output_of_the_same_node_is_fed():
    model, x = model_of(SPLIT), picture()
    assert set(tail_of(model.proto, ["a"], "y").fed) == {"b"}
    got = rerun(model, ["a"], x, {"a": (0, 3)})
    np.testing.assert_allclose(got, 4 * x[:, 2:], rtol=1e-6)


@pytest.mark.parametrize("yes", [True, False])
def test_branches_read_the_replaced_tensor(yes):
    tail = tail_of(network(BRANCH), ["a"], "y")
    assert set(tail.fed) == {"x", "yes"}
    x, place = picture(), tail.replaced["a"]
    arrays = {place.raw: x, place.keep: 0 * x, place.value: 0 * x + 3, "x": x, "yes": np.array(yes)}
    (got,) = open_session(tail.proto, {}).run(None, arrays)
    np.testing.assert_allclose(got, np.full((5, 4), 6) if yes else x)


@pytest.mark.parametrize("dtype", ["float16", "double"])
def test_other_precisions(dtype):
    text = SHORTCUT.replace("float[", f"{dtype}[")
    numpy_type = {"float16": np.float16, "double": np.float64}[dtype]
    weights = {"u": linear(4, 4, 1).astype(numpy_type), "w": linear(4, 3, 2).astype(numpy_type)}
    model, x = model_of(text, **weights), picture()
    tensors = run(model, x, ["b", "a", "y"])
    tail = Tails.of(model).after(["b"])
    place = tail.tail.replaced["b"]
    one = np.ones((5, 1), numpy_type)
    arrays = {place.raw: tensors.value("b").astype(numpy_type), place.keep: one}
    arrays |= {place.value: 0 * one, "a": tensors.value("a").astype(numpy_type)}
    np.testing.assert_allclose(tail.run(arrays), tensors.value("y"), rtol=1e-3, atol=1e-3)


def test_tensors_that_cannot_be_replaced_are_refused():
    text = """(float[N, 4] x) => (float[N, 4] y, float[N, 4] z)
        { a = Relu(x)  c = Identity(u)  i = Cast <to = 7> (a)  y = Add(a, c)  z = Neg(a) }"""
    proto = model_of(text, u=linear(1, 4)).proto
    with pytest.raises(ModelError, match="tensor 'c' does not change with the picture"):
        tail_of(proto, ["c"], "y")
    with pytest.raises(ModelError, match="tensor 'i' holds int64 values"):
        tail_of(proto, ["i"], "y")
    with pytest.raises(ModelError, match="tensor 'z' does not lead to 'y'"):
        tail_of(proto, ["z"], "y")


def test_names_that_the_network_uses_are_not_taken():
    text = SHORTCUT.replace("d", "tail")
    tail = tail_of(model_of(text, u=linear(4, 4), w=linear(4, 3)).proto, ["b"], "y")
    assert tail.replaced["b"].raw == "tail_/raw/b"


def test_tails_are_kept_and_bounded():
    model = shortcut()
    tails = Tails.of(model)
    assert Tails.of(model) is tails
    first = tails.after(["a"])
    for name in "bcdy":
        tails.after([name])
    assert tails.after(["d"]) is tails.after(["d"])
    assert tails.after(["a"]) is not first


def test_arrays_that_do_not_fit_are_one_clear_line():
    model = shortcut()
    with pytest.raises(ModelError, match=r"onnxruntime failed on what follows 'd': ") as caught:
        Tails.of(model).after(["d"]).run({})
    assert "\n" not in str(caught.value)
