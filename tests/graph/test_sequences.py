from __future__ import annotations

import numpy as np
import pytest
from onnx import helper

import onnxlrp
from onnxlrp.composites import Composite, Entry, Selector
from onnxlrp.errors import UnsupportedOperationError
from onnxlrp.graph.inference import open_session
from onnxlrp.graph.load import load
from onnxlrp.rules import Zero
from onnxlrp.runtime import run
from tests.graph.networks import network

X = np.random.default_rng(0).standard_normal((2, 6, 3)).astype(np.float32)
ZERO = Composite("zero", (Entry(Selector(op="*"), Zero(), optional=True),))

BODIES = {
    "split into parts of two": ("s = SplitToSequence <axis = 1> (x, two) y = SequenceAt(s, i1)", 1),
    "the last part is smaller": (
        "s = SplitToSequence <axis = 1> (x, four) y = SequenceAt(s, im1)",
        1,
    ),
    "split as it is given": (
        "s = SplitToSequence <axis = -2> (x, sizes) y = SequenceAt(s, im1)",
        1,
    ),
    "split into ones, axis gone": (
        "s = SplitToSequence <axis = 1, keepdims = 0> (x) y = SequenceAt(s, i2)",
        2,
    ),
    "side by side in another order": (
        """s = SplitToSequence <axis = 1> (x, two) a = SequenceAt(s, i0) b = SequenceErase(s, i0)
           c = SequenceInsert(b, a) y = ConcatFromSequence <axis = 1> (c)""",
        2,
    ),
    "on top of each other": (
        """a = Relu(x) b = Neg(x) s = SequenceConstruct(a, b) e = SequenceErase(s)
           c = SequenceInsert(e, b, i0) y = ConcatFromSequence <axis = -1, new_axis = 1> (c)""",
        5,
    ),
    "how many": (
        """s = SplitToSequence <axis = 1> (x, two) n = SequenceLength(s) f = Cast <to = 1> (n)
           y = Mul(x, f)""",
        1,
    ),
}


def sequenced(body, opset=17):
    constants = {"two": 2, "four": 4, "sizes": [1, 2, 3], "i0": 0, "i1": 1, "i2": 2, "im1": -1}
    arrays = {name: np.array(value, np.int64) for name, value in constants.items()}
    return network(f"(float[N, 6, 3] x) => (float[] y) {{ {body} }}", opset, **arrays)


def as_it_was(proto):
    del proto.graph.output[0].type.tensor_type.shape.dim[:]
    proto.graph.output[0].type.tensor_type.ClearField("shape")
    return proto


@pytest.mark.parametrize("opset", [11, 17])
@pytest.mark.parametrize("name", BODIES)
def test_lists_that_are_known_are_gone(name, opset):
    body, count = BODIES[name]
    proto = as_it_was(sequenced(body, opset))
    expected = open_session(proto, {}).run(None, {"x": X})[0]
    model = load(proto)
    assert len(model.layers) == count
    assert not any("Sequence" in node.op_type for node in model.proto.graph.node)
    np.testing.assert_array_equal(run(model, X, ["y"]).value("y"), expected)
    relevance = onnxlrp.explain(model, X, ZERO, np.ones_like(expected)).relevance
    np.testing.assert_allclose(relevance.sum(), expected.sum(), 1e-4)


TURNS = {
    "a number": ("int64 i", "start = Unsqueeze(i, zeros) end = Unsqueeze(to, zeros)"),
    "a vector of one": ("int64[1] i", "start = Gather(bounds, i) end = Gather(bounds, to)"),
}


@pytest.mark.parametrize("turn", TURNS)
def test_list_that_a_loop_fills_is_known_too(turn):
    declared, bounds = TURNS[turn]
    text = f"""(float[N, 6, 3] x) => (float[N, 1, 3] y) {{
        empty = SequenceEmpty() s = Loop (three, yes, empty) <
            body = turn ({declared}, bool go, seq(float[N, 1, 3]) so_far)
                => (bool go_on, seq(float[N, 1, 3]) more) {{
                to = Add(i, one) {bounds}
                part = Slice(x, start, end, axes) more = SequenceInsert(so_far, part)
                go_on = Identity(go) }}>
        h = SequenceAt(s, two) y = Relu(h) }}"""
    numbers = {"three": 3, "one": 1, "two": 2, "zeros": [0], "axes": [1], "bounds": range(4)}
    arrays = {name: np.array(value, np.int64) for name, value in numbers.items()}
    model = load(network(text, **arrays, yes=np.array(True)))
    assert [layer.op for layer in model.layers] == ["Slice", "Relu"]
    np.testing.assert_array_equal(run(model, X, ["y"]).value("y"), np.maximum(X[:, 2:3], 0))
    relevance = onnxlrp.explain(model, X, ZERO, np.ones((2, 3), np.float32)).relevance
    np.testing.assert_array_equal(relevance.any(axis=(0, 2)).nonzero()[0], [2])


def test_a_place_that_the_picture_decides_is_refused_by_name():
    body = """m = ReduceMax <keepdims = 0> (x) i = Cast <to = 7> (m) z = Mul(i, i0)
        s = SplitToSequence <axis = 1> (x, two) y = SequenceAt(s, z)"""
    proto = as_it_was(sequenced(body))
    proto.graph.node[-1].name = "picks"
    with pytest.raises(UnsupportedOperationError, match=r"'picks' \(SequenceAt\)"):
        onnxlrp.explain(load(proto), X, "epsilon")


def test_list_that_is_an_output_stays():
    proto = as_it_was(sequenced("s = SplitToSequence <axis = 1> (x, two) y = SequenceAt(s, i1)"))
    kind = helper.make_tensor_sequence_value_info("s", 1, None)
    proto.graph.output.append(kind)
    assert {node.op_type for node in load(proto).proto.graph.node} >= {"SplitToSequence"}
