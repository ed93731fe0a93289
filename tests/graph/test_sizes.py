from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxlrp.graph.load import load
from onnxlrp.runtime import run
from tests.graph.networks import network

TAIL = "size = Concat <axis = 0> (minus_one, c)  y = Reshape(x, size)"
NUMBERS = {
    "minus_one": np.array([-1]),
    "one": np.array(1),
    "ones": np.array([1]),
    "two": np.array([2]),
    "zero": np.array([0]),
}


@pytest.mark.parametrize(
    "part",
    [
        "s = Shape(x)  c = Gather(s, ones)",
        "s = Shape(x)  d = Gather(s, one)  c = Unsqueeze(d, zero)",
        "s = Shape(x)  c = Slice(s, ones, two)",
        "c = Shape <start = 1, end = 2> (x)",
        "s = Shape(x)  u = Cast <to = 7> (s)  c = Slice(u, ones, two, zero)",
        "r = Relu(x)  s = Shape(r)  c = Gather(s, ones)",
    ],
)
def test_fixed_size_of_an_open_batch_is_a_constant(part):
    model = load(network(f"(float[N, 3, 2] x) => (float y) {{ {part}  {TAIL} }}", **NUMBERS))
    assert model.layers[-1].op == "Reshape"
    assert model.constants["size"].tolist() == [-1, 3]
    assert {change.kind for change in model.changes} == {"folded"}
    x = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    np.testing.assert_array_equal(run(model, x, ["y"]).value("y"), x.reshape(-1, 3))


@pytest.mark.parametrize(
    "part",
    [
        "s = Shape(x)  c = Gather(s, zero)",
        "c = Shape <end = 1> (x)",
        "s = Size(x)  c = Unsqueeze(s, zero)",
    ],
)
def test_open_size_stays_open(part):
    text = f"(float[N, 3] x) => (float y) {{ {part}  y = Reshape(x, size)  size = Identity(c) }}"
    text = text.replace("y = Reshape(x, size)  size = Identity(c)", "y = Expand(x, c)")
    assert "c" not in load(network(text, **NUMBERS)).constants


def test_file_that_lies_about_inner_shapes_is_not_believed():
    text = """(float[N, 3] x) => (float y) <float[7, 3] r> {
        r = Relu(x)  c = Shape(r)  y = Reshape(r, c) }"""
    assert "c" not in load(network(text)).constants


@given(st.lists(st.integers(-3, 2), min_size=1, max_size=4), st.integers(1, 3))
def test_gathered_sizes_are_those_that_onnxruntime_gathers(indices, batch):
    text = (
        f"(float[{batch}, 5, 2] x) => (float[K] y) {{ s = Shape(x)  g = Gather(s, i) "
        + """
        f = Cast <to = 1> (g)  m = ReduceMax <keepdims = 0> (x)  y = Mul(f, m) }"""
    )
    model = load(network(text, i=np.array(indices)))
    expected = np.array([batch, 5, 2])[indices]
    np.testing.assert_array_equal(model.constants["f"], expected)
