"""However a function or normalisation is spelled: recognised and the same, or left alone."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from onnxlrp.graph.load import load
from onnxlrp.runtime import run
from tests.graph import respell
from tests.graph.respell import respelled, written

NEAR = 1e-5
NORMS = (respell.layer_norm, respell.short_norm, respell.root_mean_square, respell.softmax)
OPSET = 24
"""In which every operator that is recognised exists."""


def check(proto, x):
    """Every layer that stands for several nodes makes of its input what they make in the file.

    Nothing is lost: each node of the file is a layer or part of one, or said to be gone.
    """
    model = load(proto)
    layers = [layer for layer in model.layers if layer.merged]
    names = {name for layer in layers for name in (layer.node.inputs[0], layer.node.output)}
    tensors = run(model, x, names)
    for layer in layers:
        expected = tensors.value(layer.node.output)
        found = computed(layer.node, model, tensors.value(layer.node.inputs[0]))
        assert found.shape == expected.shape, layer
        error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
        assert error <= NEAR, f"{layer}: {error:.1e}"
    kept = {name for layer in model.layers for name in (layer.name, *layer.merged)}
    gone = {change.node for change in model.changes if change.kind != "merged"}
    assert kept | gone == {node.name for node in proto.graph.node}
    return layers


def computed(node, model, values):
    """What the operator alone makes of ``values``, in float64, by the reference of ONNX."""
    given = {"h": values.astype(np.float64)}
    constants = {name: model.constants[name] for name in node.inputs[1:] if name}
    inputs = ["h", *node.inputs[1:]]
    nodes = [helper.make_node(node.op, inputs, ["y"], **node.attributes)]
    if node.op == "MatMul" and len(inputs) == 3:
        first = helper.make_node("MatMul", inputs[:2], ["product"])
        nodes = [first, helper.make_node("Add", ["product", inputs[2]], ["y"])]
    wide = [(name, values.astype(np.float64)) for name, values in constants.items()]
    graph = helper.make_graph(
        nodes,
        "alone",
        [helper.make_tensor_value_info("h", 11, values.shape)],
        [helper.make_tensor_value_info("y", 11, None)],
        [numpy_helper.from_array(values, name) for name, values in wide],
    )
    alone = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    return ReferenceEvaluator(alone).run(None, given)[0]


@given(st.data(), st.sampled_from(respell.FUNCTIONS))
@settings(max_examples=150)
def test_function(data, function):
    proto = written(data.draw(respelled(function("h"))), (2, 90))
    x = np.linspace(-8, 8, 180, dtype=np.float32).reshape(2, 90)
    check(proto, x)


@st.composite
def normalisations(draw):
    """A normalisation, and the shape of the tensor that it is of; sizes are alike on purpose."""
    shape = draw(st.sampled_from(((2, 4, 4), (2, 3, 4, 4), (2, 4, 4, 4), (2, 3, 5))))
    axes = [(-1,), (1,), (2,), (-2, -1)] + ([(2, 3), (1, 2, 3)] if len(shape) == 4 else [])
    own = draw(st.sampled_from(axes))
    if draw(st.booleans()):
        return draw(respelled(draw(st.sampled_from(NORMS))("h", own), axes)), shape
    size = shape[own[0]] if draw(st.booleans()) else shape[1]
    gamma, beta = (np.random.default_rng(i).uniform(0.5, 2, size) for i in range(2))
    norm = respell.tensorflow_norm("h", own, *(v.astype(np.float32) for v in (gamma, beta)))
    return draw(respelled(norm, axes)), shape


@given(normalisations())
@settings(max_examples=150, suppress_health_check=[HealthCheck.filter_too_much])
def test_normalisation(case):
    expression, shape = case
    proto = written(expression, shape)
    x = 2 * np.random.default_rng(0).standard_normal(shape).astype(np.float32) + 1
    assume(runs(proto, x))
    check(proto, x)


@given(st.data(), st.sampled_from(("Conv", "ConvTranspose", "Gemm", "MatMul")))
@settings(max_examples=150, suppress_health_check=[HealthCheck.filter_too_much])
def test_batch_normalisation(data, op):
    shape, weight = ((2, 4, 4), (4, 4)) if op == "MatMul" else ((2, 4), (4, 4))
    shape, weight = ((2, 4, 4, 4), (4, 4, 1, 1)) if op.startswith("Conv") else (shape, weight)
    front = [helper.make_node(op, ["x", "w"], ["h"], name="front")]
    values = np.random.default_rng(1).standard_normal(weight).astype(np.float32)
    laid = data.draw(st.sampled_from(((4,), (4, 1), (4, 1, 1), (1, 4, 1, 1), (1,))))
    proto = written(data.draw(respelled(respell.batch_norm("h", laid))), shape, front)
    proto.graph.initializer.append(numpy_helper.from_array(values, "w"))
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    assume(runs(proto, x))
    check(proto, x)


def runs(proto, x):
    """Whether the change left a network that runs, on shapes and on numbers."""
    try:
        found = ReferenceEvaluator(proto).run(None, {"x": x})[0]
    except Exception:  # NumPy's and the reference's errors have no common base
        return False
    return np.isfinite(found).all()
