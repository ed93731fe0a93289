"""Small networks written as text, and one layer run on its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import ValueInfoProto, helper, numpy_helper, parser

from onnxlrp.graph.inference import open_session
from onnxlrp.runtime import run

ROOT = Path(__file__).parents[2]
REAL = (
    *sorted((ROOT / "tests/data/models").glob("*.onnx")),
    ROOT / "onnxlrp/assets/squeezenet1_1.onnx",
)


def network(text, opset=17, ir=8, **weights):
    """Parse a graph, "(float[N,3] x) => (float[N,2] y) { y = MatMul(x, w) }", and add weights."""
    proto = parser.parse_model(f'<ir_version: {ir}, opset_import: ["" : {opset}]> net {text}')
    for name, values in weights.items():
        proto.graph.initializer.append(numpy_helper.from_array(np.asarray(values), name))
    return proto


def linear(rows=4, columns=3, seed=0):
    """A random weight matrix."""
    return np.random.default_rng(seed).standard_normal((rows, columns)).astype(np.float32)


def run_layer(model, layer, x):
    """What a layer's own node makes of ``x``, by onnxruntime; MatMul may carry a bias."""
    node = layer.node
    arrays = {name: model.constants[name] for name in node.inputs[1:] if name}
    attributes = {k: list(v) if isinstance(v, tuple) else v for k, v in node.attributes.items()}
    inputs = list(node.inputs)
    with_bias = node.op == "MatMul" and len(inputs) == 3
    made = "product" if with_bias else node.output
    nodes = [helper.make_node(node.op, inputs[:2] if with_bias else inputs, [made], **attributes)]
    if with_bias:
        nodes.append(helper.make_node("Add", [made, inputs[2]], [node.output]))
    graph = helper.make_graph(
        nodes,
        "layer",
        [helper.make_tensor_value_info(inputs[0], 1, x.shape)],
        [ValueInfoProto(name=node.output)],
        [numpy_helper.from_array(values, name) for name, values in arrays.items()],
    )
    opset = helper.make_opsetid("", model.opset)
    proto = helper.make_model(graph, opset_imports=[opset], ir_version=model.ir_version)
    return open_session(proto, {}).run(None, {inputs[0]: x})[0]


def check_layers(model, x, layers=None):
    """Every merged layer, run alone with its folded weights, makes onnxruntime's own tensor."""
    layers = layers or [layer for layer in model.layers if layer.merged]
    names = {name for layer in layers for name in (layer.node.inputs[0], layer.node.output)}
    tensors = run(model, x, names)
    for layer in layers:
        expected = tensors.value(layer.node.output)
        alone = run_layer(model, layer, tensors.value(layer.node.inputs[0]))
        error = np.linalg.norm(alone - expected) / np.linalg.norm(expected)
        assert error < 1e-5, layer.name
