"""A model's ModelProto with its weights in it again, to be changed and loaded anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onnxlrp.graph.model import Model

if TYPE_CHECKING:
    import onnx


def whole(model: Model) -> onnx.ModelProto:
    """Copy a model's ModelProto with all its weights in it."""
    import onnx
    from onnx import numpy_helper

    proto = onnx.ModelProto()
    proto.CopyFrom(model.proto)
    small = [tensor for tensor in proto.graph.initializer if tensor.name not in model.weights]
    del proto.graph.initializer[:]
    proto.graph.initializer.extend(small)
    proto.graph.initializer.extend(
        numpy_helper.from_array(values, name) for name, values in model.weights.items()
    )
    return proto
