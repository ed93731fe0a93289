"""A network's floating-point numbers, made double: tensors, types and casts."""

from __future__ import annotations

from collections.abc import Container

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from onnxlrp.graph.source import is_standard

_NARROW = frozenset({TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16})
_TYPES = frozenset({"dtype", "output_dtype", "to"})
"""Attributes that name an element type."""


def widen(proto: onnx.ModelProto, elsewhere: Container[str] = ()) -> None:
    """Turn all floats of a network into doubles, in place.

    Parameters
    ----------
    proto : onnx.ModelProto
    elsewhere : container of str
        Initializers whose values are not in ``proto``: they are dropped, to be fed as inputs.
    """
    here = [tensor for tensor in proto.graph.initializer if tensor.name not in elsewhere]
    del proto.graph.initializer[:]
    proto.graph.initializer.extend(here)
    for entry in proto.opset_import:
        entry.domain = _domain(entry.domain)
    _widen_graph(proto.graph)


def widened(function: onnx.FunctionProto) -> onnx.FunctionProto:
    """Copy the body of an operator with doubles for floats."""
    copy = onnx.FunctionProto()
    copy.CopyFrom(function)
    for node in copy.node:
        _widen_node(node)
    return copy


def _domain(name: str) -> str:
    """Spell the standard domain as the reference evaluator knows it."""
    return "" if is_standard(name) else name


def _widen_graph(graph: onnx.GraphProto) -> None:
    """Turn the floats of a graph and of its sub-graphs into doubles."""
    for tensor in graph.initializer:
        _widen_tensor(tensor)
    for port in (*graph.input, *graph.output, *graph.value_info):
        if port.type.tensor_type.elem_type in _NARROW:
            port.type.tensor_type.elem_type = TensorProto.DOUBLE
    for node in graph.node:
        node.domain = _domain(node.domain)
        _widen_node(node)


def _widen_node(node: onnx.NodeProto) -> None:
    """Turn the floats that a node holds or makes into doubles."""
    if node.op_type == "ConstantOfShape" and not node.attribute:
        node.attribute.append(helper.make_attribute("value", _double([0.0])))
    for attribute in node.attribute:
        if node.op_type == "Constant" and attribute.name in ("value_float", "value_floats"):
            number = helper.get_attribute_value(attribute)
            attribute.CopyFrom(helper.make_attribute("value", _double(number)))
        elif attribute.name in _TYPES and _is_narrow(attribute):
            attribute.CopyFrom(helper.make_attribute(attribute.name, TensorProto.DOUBLE))
        elif attribute.type == AttributeProto.TENSOR:
            _widen_tensor(attribute.t)
        for body in (attribute.g, *attribute.graphs):
            _widen_graph(body)


def _is_narrow(attribute: AttributeProto) -> bool:
    """Tell whether an attribute names a float type; norms compute in their ``stash_type``."""
    return attribute.i in _NARROW or attribute.ref_attr_name == "stash_type"


def _double(number: float | list[float]) -> TensorProto:
    """Make a tensor of doubles."""
    return numpy_helper.from_array(np.asarray(number, np.float64))


def _widen_tensor(tensor: TensorProto) -> None:
    """Turn a tensor of floats into one of doubles."""
    if tensor.data_type in _NARROW:
        values = numpy_helper.to_array(tensor).astype(np.float64)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
