"""Taking the big tensors out of a ModelProto: one copy, which layers and sessions both read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import ModelFileError
from onnxlrp.graph.inference import Weights
from onnxlrp.graph.proto import dtype_of, label
from onnxlrp.graph.source import HEAVY, PLAIN, Source

if TYPE_CHECKING:
    import onnx


def separate(source: Source) -> tuple[onnx.ModelProto, Weights]:
    """Copy the model without its big tensors, and take those out as read-only arrays.

    Every tensor keeps its name and value, but an initializer that is listed as a graph input, too,
    is a constant from here on, and a big Constant node becomes an initializer.

    Raises
    ------
    ModelFileError
        Sparse or damaged tensors; external data that is missing or not beside the file.
    """
    _refuse_strays(source)
    light, graph = _bare(source.proto), source.proto.graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        value = _big_constant(node)
        if value is None:
            light.graph.node.append(node)
        else:
            tensors[node.output[0]] = value
    weights: dict[str, NDArray[Any]] = {}
    for name, tensor in tensors.items():
        values = _values(name, tensor, source)
        if values is None:
            light.graph.initializer.append(tensor)
        else:
            weights[name] = values
            light.graph.initializer.append(_placeholder(name, tensor))
    light.graph.input.extend(port for port in graph.input if port.name not in tensors)
    return light, weights


def _bare(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Copy the model without nodes, inputs and initializers."""
    import onnx

    bare = onnx.ModelProto(
        ir_version=proto.ir_version,
        producer_name=proto.producer_name,
        producer_version=proto.producer_version,
        domain=proto.domain,
        model_version=proto.model_version,
        opset_import=proto.opset_import,
        functions=proto.functions,
        metadata_props=proto.metadata_props,
    )
    bare.graph.name = proto.graph.name or "graph"  # onnxruntime refuses a graph without a name
    bare.graph.output.extend(proto.graph.output)
    constants = {tensor.name for tensor in proto.graph.initializer}  # they have shapes of their own
    declared = proto.graph.value_info
    bare.graph.value_info.extend(port for port in declared if port.name not in constants)
    for port in bare.graph.value_info:  # shapes may hold for another input than the declared one
        port.type.tensor_type.ClearField("shape")
    return bare


def _big_constant(node: onnx.NodeProto) -> onnx.TensorProto | None:
    """Return the tensor of a Constant node that is too big to stay in the ModelProto."""
    if node.op_type != "Constant":
        return None
    tensors = (attribute.t for attribute in node.attribute if attribute.name == "value")
    return next((t for t in tensors if _is_plain(t) and _size(t) >= HEAVY), None)


def _is_plain(tensor: onnx.TensorProto) -> bool:
    """Tell whether the tensor's values can live outside of the ModelProto."""
    dtype = dtype_of(tensor.data_type)
    return dtype is not None and dtype.name in PLAIN


def _size(tensor: onnx.TensorProto) -> int:
    """Count the bytes of a plain tensor's values."""
    dtype = dtype_of(tensor.data_type)
    return int(math.prod(tensor.dims)) * (dtype.itemsize if dtype else 1)


def _values(name: str, tensor: onnx.TensorProto, source: Source) -> NDArray[Any] | None:
    """Read the tensor's values; return them if they leave the ModelProto, else None."""
    from onnx import TensorProto, numpy_helper

    if tensor.data_location == TensorProto.EXTERNAL:
        return _external(name, tensor, source)
    raw, dtype = source.values.get(name), dtype_of(tensor.data_type)
    values: NDArray[Any]
    try:
        if raw is None or dtype is None:
            values = numpy_helper.to_array(tensor)
        else:
            values = raw.view(dtype).reshape(tuple(tensor.dims))
    except (ValueError, TypeError, KeyError) as error:
        raise ModelFileError(
            f"{source.where}: initializer {name!r} of shape {tuple(tensor.dims)} is damaged "
            f"({error}); export or copy the model again."
        ) from error
    if not _is_plain(tensor) or _size(tensor) < HEAVY:
        return None
    values.flags.writeable = False
    return values


def _placeholder(name: str, tensor: onnx.TensorProto) -> onnx.TensorProto:
    """Keep the tensor's name, type and shape, marked as "values are elsewhere"."""
    from onnx import TensorProto

    empty = TensorProto(
        name=name, data_type=tensor.data_type, dims=tensor.dims, data_location=TensorProto.EXTERNAL
    )
    empty.external_data.add(key="location", value="weights")
    return empty


def _external(name: str, tensor: onnx.TensorProto, source: Source) -> NDArray[Any]:
    """Read a tensor's values from the file that it names, which must lie beside the model."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    path = _beside(name, entries.get("location", ""), source)
    dtype = dtype_of(tensor.data_type)
    if dtype is None or not _is_plain(tensor):
        raise ModelFileError(
            f"{source.where}: initializer {name!r} has external data of type {dtype}, which is "
            "not supported; save the model in one file."
        )
    offset = int(entries.get("offset", 0))
    if not path.is_file():
        raise ModelFileError(
            f"{source.where}: its weights file {path.name!r} (for {name!r}) is missing; put it "
            f"into {path.parent}."
        )
    if path.stat().st_size < offset + _size(tensor):
        raise ModelFileError(
            f"{source.where}: its weights file {path.name!r} is truncated: {name!r} needs bytes "
            f"{offset} to {offset + _size(tensor)} of {path.stat().st_size}; copy it again."
        )
    values: NDArray[Any] = np.fromfile(path, dtype, math.prod(tensor.dims), offset=offset)
    values = values.reshape(tuple(tensor.dims))
    values.flags.writeable = False
    return values


def _beside(name: str, location: str, source: Source) -> Path:
    """Resolve the path of external data, refused unless it stays within the model's folder."""
    if source.folder is None:
        raise ModelFileError(
            f"the model keeps {name!r} in the file {location!r}: pass the path of the .onnx file "
            "instead of its content."
        )
    folder = source.folder.resolve()
    path = (folder / location).resolve()
    if not location or Path(location).is_absolute() or not path.is_relative_to(folder):
        raise ModelFileError(
            f"{source.where}: external data of {name!r} lies at {location!r}, outside of the "
            "model's folder; move it beside the model and save the model again."
        )
    return path


def _refuse_strays(source: Source) -> None:
    """Refuse tensors that :func:`separate` does not reach and onnxruntime would treat by itself."""
    from onnx import TensorProto

    graph = source.proto.graph
    if graph.sparse_initializer:
        name = graph.sparse_initializer[0].values.name
        raise ModelFileError(
            f"{source.where}: initializer {name!r} is sparse, which is not supported; save it "
            "dense."
        )
    nodes = [*graph.node, *(node for f in source.proto.functions for node in f.node)]
    for node, tensor in _attribute_tensors(nodes):
        if tensor.data_location == TensorProto.EXTERNAL:
            raise ModelFileError(
                f"{source.where}: node {label(node)} keeps a tensor in external data; save the "
                "model in one file."
            )


def _attribute_tensors(
    nodes: Iterable[onnx.NodeProto],
) -> Iterator[tuple[onnx.NodeProto, onnx.TensorProto]]:
    """Yield all tensors among the attributes of nodes, and whatever their sub-graphs hold."""
    for node in nodes:
        for attribute in node.attribute:
            yield from ((node, tensor) for tensor in (attribute.t, *attribute.tensors))
            for graph in (attribute.g, *attribute.graphs):
                yield from ((node, tensor) for tensor in graph.initializer)
                yield from _attribute_tensors(graph.node)
