"""Number types that onnxruntime has no convolutions for: computed in float32 instead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from onnxlrp.errors import ModelError
from onnxlrp.graph.inference import Weights, open_session
from onnxlrp.graph.model import Change
from onnxlrp.graph.proto import subgraphs

if TYPE_CHECKING:
    import onnx


def in_single_precision(
    proto: onnx.ModelProto, weights: Weights
) -> tuple[onnx.ModelProto, Weights, tuple[Change, ...]]:
    """Turn a float64 or bfloat16 network that onnxruntime cannot run into a float32 one.

    Inputs, outputs, weights and casts of that type become float32. A network that runs as it is, or
    does not run for another reason either way, is left as it is. ``proto`` is changed: pass a copy.
    """
    from onnx import TensorProto

    wide: dict[int, str] = {TensorProto.DOUBLE: "float64", TensorProto.BFLOAT16: "bfloat16"}
    found = {wide[t.data_type] for t in proto.graph.initializer if t.data_type in wide}
    found |= {wide[t] for t in map(_element, proto.graph.input) if t in wide}
    if not found or _runs(proto, weights):
        return proto, weights, ()
    narrow: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]] = {}
    for name, values in weights.items():
        if values.dtype == np.float64:
            narrow[name] = values.astype(np.float32)
            narrow[name].flags.writeable = False
    _retype(proto.graph, frozenset(wide))
    detail = f"{', '.join(sorted(found))} computed in float32: onnxruntime has no such convolutions"
    return proto, {**weights, **narrow}, (Change("folded", proto.graph.name, "", detail),)


def _runs(proto: onnx.ModelProto, weights: Weights) -> bool:
    """Tell whether onnxruntime can run the network as it is."""
    try:
        open_session(proto, weights)
    except ModelError:
        return False
    return True


def _element(port: onnx.ValueInfoProto) -> int:
    return port.type.tensor_type.elem_type


def _retype(graph: onnx.GraphProto, wide: frozenset[int]) -> None:
    """Make float32 of these element types, in a graph and all its sub-graphs."""
    from onnx import TensorProto

    for port in (*graph.input, *graph.output, *graph.value_info):
        if _element(port) in wide:
            port.type.tensor_type.elem_type = TensorProto.FLOAT
    for tensor in (*graph.initializer, *_attribute_tensors(graph)):
        if tensor.data_type in wide:
            _narrow(tensor)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name in ("to", "dtype", "output_dtype") and attribute.i in wide:
                attribute.i = TensorProto.FLOAT
        for inner in subgraphs(node):
            _retype(inner, wide)


def _attribute_tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Yield the tensors that nodes hold themselves."""
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def _narrow(tensor: onnx.TensorProto) -> None:
    """Rewrite a tensor in float32; one whose values are elsewhere keeps its shape only."""
    from onnx import TensorProto, numpy_helper

    if tensor.data_location == TensorProto.EXTERNAL:
        tensor.data_type = TensorProto.FLOAT
    else:
        values = numpy_helper.to_array(tensor).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
