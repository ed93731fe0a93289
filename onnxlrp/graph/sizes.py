"""Sizes that are known before anything runs: what Shape says of tensors whose axes are fixed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.graph.model import Change, Tensor
from onnxlrp.graph.proto import attributes, inferred, label

if TYPE_CHECKING:
    import onnx

Sizes = NDArray[np.int64]
"""A number or a list of them; those that are not known are ``OPEN``."""

OPEN = np.iinfo(np.int64).min

_LONGEST = 64
"""Elements up to which a constant is looked at: shapes and what computes them are short."""


def fold_sizes(proto: onnx.ModelProto) -> tuple[onnx.ModelProto, tuple[Change, ...]]:
    """Replace what follows from fixed sizes by constants: Shape, and Gather, Slice, … of it.

    1. Shape and Size of a tensor whose axes are all fixed
    2. a part of a Shape that concerns fixed axes only: Gather, Slice, Squeeze, Unsqueeze, Cast
    3. Concat of such parts

    What is computed from constants alone is not this function's affair.
    """
    from onnx import numpy_helper

    partly = _followed(proto, inferred(proto))
    known = {name: sizes for name, sizes in partly.items() if _is_known(sizes)}
    gone = [node for node in proto.graph.node if node.output and node.output[0] in known]
    if not gone:
        return proto, ()
    names = {node.output[0] for node in gone}
    kept = [node for node in proto.graph.node if not node.output or node.output[0] not in names]
    del proto.graph.node[:]
    proto.graph.node.extend(kept)
    proto.graph.initializer.extend(numpy_helper.from_array(known[name], name) for name in names)
    return proto, tuple(
        Change("folded", node.name or node.output[0], "", f"{label(node)} follows from fixed sizes")
        for node in gone
    )


def _followed(proto: onnx.ModelProto, types: Mapping[str, Tensor]) -> dict[str, Sizes]:
    """Follow the sizes through the graph, as far as they are known."""
    constants = _short_constants(proto)
    found: dict[str, Sizes] = {}
    for node in proto.graph.node:
        read = _READERS.get(node.op_type)
        if read is None or node.domain not in ("", "ai.onnx"):
            continue
        if node.op_type in ("Shape", "Size"):
            given = [_sizes(types.get(node.input[0]))]
        else:
            if found.keys().isdisjoint(node.input):
                continue
            given = [found.get(name, constants.get(name)) for name in node.input]
        if all(part is not None for part in given):
            result = read(attributes(node), *given)
            if result is not None:
                found[node.output[0]] = result
    return found


def _short_constants(proto: onnx.ModelProto) -> dict[str, Sizes]:
    """Read the short initializers and Constant nodes of whole numbers."""
    from onnx import TensorProto, numpy_helper

    values: dict[str, NDArray[Any]] = {}
    for tensor in proto.graph.initializer:
        is_whole = tensor.data_type in (TensorProto.INT64, TensorProto.INT32)
        is_short = len(tensor.dims) <= 1 and sum(tensor.dims) <= _LONGEST
        if is_whole and is_short and not tensor.external_data:
            values[tensor.name] = numpy_helper.to_array(tensor)
    for node in proto.graph.node:
        if node.op_type == "Constant":
            (value,) = attributes(node).values() or (None,)
            array = np.asarray(value)
            if array.dtype.kind == "i" and array.size <= _LONGEST:
                values[node.output[0]] = array
    return {name: array.astype(np.int64) for name, array in values.items()}


def _sizes(tensor: Tensor | None) -> Sizes | None:
    """Return a tensor's shape; None if not even the rank is known."""
    if tensor is None or tensor.shape is None:
        return None
    sizes = [size if isinstance(size, int) else OPEN for size in tensor.shape]
    return np.array(sizes, np.int64)


def _is_known(sizes: Sizes) -> bool:
    """Tell whether every number is known."""
    return not (sizes == OPEN).any()


def _shape(attributes: Mapping[str, Any], sizes: Sizes) -> Sizes:
    return sizes[attributes.get("start", 0) : attributes.get("end", len(sizes))]


def _size(attributes: Mapping[str, Any], sizes: Sizes) -> Sizes:
    return np.asarray(np.prod(sizes) if _is_known(sizes) else OPEN, np.int64)


def _gather(attributes: Mapping[str, Any], sizes: Sizes, indices: Sizes) -> Sizes | None:
    if sizes.ndim != 1 or not _is_known(indices):
        return None
    if (np.abs(indices + 0.5) > sizes.size).any():  # onnxruntime will refuse it
        return None
    return np.asarray(sizes[indices])


def _slice(attributes: Mapping[str, Any], sizes: Sizes, *bounds: Sizes) -> Sizes | None:
    """Slice of opset 10 on, along the only axis there is."""
    if not bounds or sizes.ndim != 1 or not all(map(_is_known, bounds)):
        return None
    start, end, _, step, *_ = (*(int(b.reshape(-1)[0]) for b in bounds), *(None, None, None))
    return sizes[start:end:step]


def _squeeze(attributes: Mapping[str, Any], sizes: Sizes, *axes: Sizes) -> Sizes | None:
    return sizes.reshape(()) if sizes.size == 1 else None


def _unsqueeze(attributes: Mapping[str, Any], sizes: Sizes, *axes: Sizes) -> Sizes | None:
    return sizes.reshape((1,)) if sizes.ndim == 0 else None


def _cast(attributes: Mapping[str, Any], sizes: Sizes, *rest: Sizes) -> Sizes | None:
    from onnx import TensorProto

    return sizes if attributes["to"] == TensorProto.INT64 else None


def _concat(attributes: Mapping[str, Any], *parts: Sizes) -> Sizes | None:
    if any(part.ndim != 1 for part in parts):
        return None
    return np.concatenate(parts)


_READERS: Mapping[str, Callable[..., Sizes | None]] = {
    "Shape": _shape,
    "Size": _size,
    "Gather": _gather,
    "Slice": _slice,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Cast": _cast,
    "Concat": _concat,
}
"""Operator → what it makes of sizes; None where that is not followed."""
