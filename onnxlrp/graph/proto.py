"""Reading and cutting a ModelProto: who reads what, types, shapes, the part that makes a tensor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from onnxlrp.errors import ModelError
from onnxlrp.graph.inference import reason
from onnxlrp.graph.model import Tensor

if TYPE_CHECKING:
    import onnx


def label(node: onnx.NodeProto) -> str:
    """Name a node for a message: 'conv_3' (Conv)."""
    name = node.name or next(iter(node.output), "")
    op = node.op_type if node.op_type.isidentifier() else repr(node.op_type)
    return f"{name!r} ({op})"


def dtype_of(element_type: int) -> np.dtype[Any] | None:
    """Return the NumPy type of an ONNX element type; None if there is no such type."""
    from onnx import helper

    try:
        return helper.tensor_dtype_to_np_dtype(element_type)
    except KeyError:
        return None


def opset_of(proto: onnx.ModelProto) -> int:
    """Return the version of the standard operators."""
    (opset,) = (entry.version for entry in proto.opset_import if entry.domain in ("", "ai.onnx"))
    return opset


def reads(node: onnx.NodeProto) -> Iterator[str]:
    """Name the tensors a node reads: its inputs, and what its sub-graphs take from outside."""
    yield from (name for name in node.input if name)
    for graph in subgraphs(node):
        inner = {port.name for port in graph.input} | {t.name for t in graph.initializer}
        for inside in graph.node:
            yield from (name for name in reads(inside) if name not in inner)
            inner.update(inside.output)
        yield from (port.name for port in graph.output if port.name not in inner)


def subgraphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """Yield the bodies of If, Loop and Scan."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def attributes(node: onnx.NodeProto) -> Mapping[str, Any]:
    """Return attributes as Python values: numbers, str, tuples, arrays; sub-graphs as they are."""
    return {a.name: _plain(a) for a in node.attribute}


def _plain(attribute: onnx.AttributeProto) -> Any:
    """Return one attribute's value."""
    from onnx import TensorProto, helper, numpy_helper

    value = helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, TensorProto):
        return numpy_helper.to_array(value)
    if isinstance(value, str | int | float) or not isinstance(value, Sequence):
        return value
    return tuple(item.decode() if isinstance(item, bytes) else item for item in value)


def tensor(port: onnx.ValueInfoProto) -> Tensor | None:
    """Read a declared tensor; None for sequences, maps and optionals."""
    kind = port.type.tensor_type
    dtype = dtype_of(kind.elem_type)
    if not port.type.HasField("tensor_type") or dtype is None:
        return None
    shape: tuple[int | str | None, ...] | None = None
    if kind.HasField("shape"):
        # Some exporters write 0 or -1 where the size is not known.
        sizes = (d.dim_param or (d.dim_value if d.dim_value > 0 else None) for d in kind.shape.dim)
        shape = tuple(sizes)
    return Tensor(port.name, dtype.name, shape)


def inferred(proto: onnx.ModelProto) -> Mapping[str, Tensor]:
    """Infer types and, as far as they can be known, shapes of the graph's tensors.

    Raises
    ------
    ModelError
        An operator is called in a way that has no meaning.
    """
    from onnx import shape_inference

    try:
        graph = shape_inference.infer_shapes(proto, data_prop=True).graph
    except (shape_inference.InferenceError, ValueError) as error:
        raise ModelError(f"the graph is broken, see onnx.checker: {reason(error)}") from error
    ports = (*graph.input, *graph.value_info, *graph.output)
    return {port.name: found for port in ports if (found := tensor(port)) is not None}


SPELLED_OUT = frozenset({"Attention", "RotaryEmbedding"})
"""Standard operators that ONNX itself defines as functions of others, for which rules are known."""


def inlined(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Replace the calls of functions by their nodes: the model's own ones, and attention's."""
    from onnx import inliner

    if proto.functions:
        proto = inliner.inline_local_functions(proto)
    standard = {node.op_type for node in proto.graph.node if node.domain in ("", "ai.onnx")}
    wanted = [("", name) for name in sorted(standard & SPELLED_OUT)]
    if not wanted:
        return proto
    proto = _with_types_of_constants(proto)
    proto = inliner.inline_selected_functions(proto, wanted, inline_schema_functions=True)
    constants = {tensor.name for tensor in proto.graph.initializer}
    declared = [port for port in proto.graph.value_info if port.name not in constants]
    del proto.graph.value_info[:]
    proto.graph.value_info.extend(declared)
    return proto


def _with_types_of_constants(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Declare initializers like other tensors: ONNX's inliner reads no types elsewhere."""
    import onnx

    typed = onnx.ModelProto()
    typed.CopyFrom(proto)
    for constant in proto.graph.initializer:
        port = onnx.helper.make_tensor_value_info(
            constant.name, constant.data_type, list(constant.dims)
        )
        typed.graph.value_info.append(port)
    return typed


def in_order(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Sort the nodes so that each stands behind those that it reads, else as they are.

    onnxruntime runs a graph in any order, and some converters leave one. ``proto`` is changed: pass
    a copy. What reads a tensor that nothing makes, or in a circle, comes last.
    """
    made = {name for node in proto.graph.node for name in node.output if name}
    ready = {""}
    waiting, sorted_already = list(proto.graph.node), True
    ordered: list[onnx.NodeProto] = []
    while waiting:
        late: list[onnx.NodeProto] = []
        for node in waiting:
            if all(name in ready or name not in made for name in reads(node)):
                ordered.append(node)
                ready.update(node.output)
            else:
                late.append(node)
        if len(late) == len(waiting):
            ordered += late
            break
        waiting, sorted_already = late, sorted_already and not late
    if not sorted_already:
        del proto.graph.node[:]
        proto.graph.node.extend(ordered)
    return proto


def extracted(proto: onnx.ModelProto, outputs: Iterable[str]) -> onnx.ModelProto:
    """Cut out the part of the model that computes these tensors; IR and opsets stay."""
    import onnx

    wanted = list(outputs)
    needed = set(wanted)
    nodes: list[onnx.NodeProto] = []
    for node in reversed(proto.graph.node):
        if not needed.isdisjoint(node.output):
            nodes.append(node)
            needed.update(reads(node))
    part = onnx.ModelProto(
        ir_version=proto.ir_version,
        opset_import=proto.opset_import,
        metadata_props=proto.metadata_props,
    )
    part.graph.name = proto.graph.name
    part.graph.node.extend(reversed(nodes))
    part.graph.input.extend(port for port in proto.graph.input if port.name in needed)
    part.graph.initializer.extend(t for t in proto.graph.initializer if t.name in needed)
    part.graph.output.extend(onnx.ValueInfoProto(name=name) for name in wanted)
    return part
