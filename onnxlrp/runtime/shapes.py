"""Shapes of a network's tensors for one concrete input shape."""

from __future__ import annotations

from collections.abc import Mapping

from onnxlrp.graph.model import Model
from onnxlrp.graph.proto import inferred

Shape = tuple[int, ...]


def static_shapes(model: Model, input_shape: Shape) -> Mapping[str, Shape]:
    """Follow the shapes through the graph; a tensor whose shape depends on values is left out.

    Parameters
    ----------
    model : Model
    input_shape : tuple of int
        Of the picture's input, batch included.
    """
    import onnx

    proto = onnx.ModelProto()
    proto.CopyFrom(model.proto)
    # What the file says about other tensors may hold for another input shape only.
    del proto.graph.value_info[:]
    for port in proto.graph.output:
        port.type.tensor_type.ClearField("shape")
    for port in proto.graph.input:
        if port.name == model.input.name:
            port.type.tensor_type.ClearField("shape")
            for size in input_shape:
                port.type.tensor_type.shape.dim.add(dim_value=size)
    shapes: dict[str, Shape] = {model.input.name: input_shape}
    for name, tensor in inferred(proto).items():
        sizes = [size for size in tensor.shape or () if isinstance(size, int)]
        if tensor.shape is not None and len(sizes) == len(tensor.shape):
            shapes[name] = tuple(sizes)
    shapes |= {name: values.shape for name, values in model.constants.items()}
    return shapes
