from __future__ import annotations

import numpy as np
import pytest

from onnxlrp.graph.load import load
from tests.graph.networks import network


def ops(model):
    return [layer.op for layer in model.layers]


def test_transposes_that_take_each_other_back_are_removed():
    text = """(float[N, 2, 3, 4] x) => (float y) {
        h = Relu(x)  a = Transpose <perm = [0, 2, 3, 1]> (h)
        b = Transpose <perm = [0, 2, 3, 1]> (a)
        c = Transpose <perm = [0, 2, 3, 1]> (b)  y = Tanh(c) }"""
    model = load(network(text))
    assert [(layer.op, layer.node.inputs) for layer in model.layers] == [
        ("Relu", ("x",)),
        ("Tanh", ("h",)),
    ]
    assert [change.kind for change in model.changes] == ["removed"] * 3


def test_transpose_that_something_else_reads_stays():
    text = """(float[N, 2, 3] x) => (float y) {
        a = Transpose <perm = [0, 2, 1]> (x)  b = Transpose <perm = [0, 2, 1]> (a)
        c = Relu(a)  d = MatMul(b, c)  y = Tanh(d) }"""
    assert ops(load(network(text))) == ["Transpose", "Relu", "MatMul", "Tanh"]


@pytest.mark.parametrize(
    "idle",
    [
        "h = Reshape(x, same)",
        "a = Unsqueeze(x, two)  h = Squeeze(a, two)",
        "a = Reshape(x, flat)  b = Unsqueeze(a, two)  h = Reshape(b, same)",
        "h = Slice(x, zero, many)",
        "h = Slice(x, zero, many, one, one)",
        "h = Pad(x, nothing)",
        "h = Expand(x, one)",
        "h = Concat <axis = 1> (x)",
        "h = Sum(x)",
        "h = Transpose <perm = [0, 1, 2]> (x)",
        "h = Add(x, none)",
        "h = Add(nones, x)",
        "h = Sub(x, none)",
        "h = Mul(once, x)",
        "h = Div(x, once)",
    ],
)
def test_move_that_changes_nothing_is_removed(idle):
    constants = {
        "same": [-1, 3, 4], "flat": [0, -1], "two": [2], "one": [1], "zero": [0], "many": [99],
        "nothing": [0] * 6,
    }  # fmt: skip
    floats = {"none": 0.0, "nones": [[0.0], [0.0], [0.0]], "once": [1.0]}
    text = f"(float[2, 3, 4] x) => (float y) {{ {idle}  y = Tanh(h) }}"
    arrays = {name: np.array(value) for name, value in constants.items()}
    arrays |= {name: np.array(value, np.float32) for name, value in floats.items()}
    model = load(network(text, **arrays))
    assert [layer.node.inputs for layer in model.layers] == [("x",)]


@pytest.mark.parametrize(
    "busy",
    [
        "h = Slice(x, last, before, one, back)",
        "h = Reshape(x, other)",
        "h = Pad(x, shifted)",
        "h = Transpose(x)",
        "h = Sub(none, x)",
        "h = Div(once, x)",
        "h = Add(x, wider)",
        "h = Mul(x, none)",
    ],
)
def test_move_that_keeps_the_shape_only_stays(busy):
    constants = {
        "last": [-1], "before": [-99], "one": [1], "back": [-1], "other": [2, 9, 1],
        "shifted": [0, 1, 0, 0, -1, 0],
    }  # fmt: skip
    text = f"(float[2, 3, 3] x) => (float y) {{ {busy}  y = Tanh(h) }}"
    arrays = {name: np.array(value) for name, value in constants.items()}
    floats = {"none": 0.0, "once": 1.0, "wider": np.zeros((2, 1, 1, 1))}
    arrays |= {name: np.array(value, np.float32) for name, value in floats.items()}
    model = load(network(text, **arrays))
    assert len(model.layers) == 2
