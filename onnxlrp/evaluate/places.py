"""Finding a tensor by its own or its layer's name, and the axis along which its channels lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onnxlrp.errors import InputError, ModelError, did_you_mean
from onnxlrp.graph.model import Model

if TYPE_CHECKING:
    import onnx

Shape = tuple[int, ...]

_SECOND = frozenset(
    {
        *("Conv", "ConvTranspose", "BatchNormalization", "InstanceNormalization"),
        *("GroupNormalization", "LRN", "MaxPool", "AveragePool", "LpPool", "GlobalMaxPool"),
        *("GlobalAveragePool", "DepthToSpace", "SpaceToDepth"),
    }
)
"""Operators that ONNX defines for channels on the second axis."""

_LAST = frozenset({"Gemm", "MatMul"})
"""Operators whose features are the last axis."""

_RESHAPING = frozenset({"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Expand", "Gather"})
"""Operators behind which an axis is no longer what it was."""


@dataclass(frozen=True, slots=True)
class Place:
    """A tensor of the graph, and the name that it was asked for by.

    Attributes
    ----------
    name : str
        A layer's, which stands for its output, or the tensor's own.
    tensor : str
    """

    name: str
    tensor: str


def locate(model: Model, layer: str | int) -> Place:
    """Find the output of a layer, or any tensor of the user's graph.

    Parameters
    ----------
    model : Model
    layer : str or int
        Name or index of a layer, or name of a tensor; if it is both, the layer is meant.

    Raises
    ------
    ModelError
        No such layer or tensor; names the nearest one.
    """
    if not isinstance(layer, str):
        found = model.layer(layer)
        return Place(found.name, found.node.output)
    layers = {each.name: each.node.output for each in model.layers}
    if layer in layers:
        return Place(layer, layers[layer])
    tensors = [model.input.name, *_makers(model)]
    if layer in tensors:
        return Place(layer, layer)
    hint = did_you_mean(layer, [*layers, *tensors])
    raise ModelError(f"layer {layer!r}: {model.name} has no layer or tensor of this name.{hint}")


def channel_axis(model: Model, place: Place, shape: Shape, axis: int | None = None) -> int:
    """Tell along which axis of a tensor its channels lie.

    Followed up to the operator that settles it: the second axis behind a convolution or a pool, the
    last one behind a product with a matrix, moved along by every Transpose; for the input, what the
    preprocessing says (NCHW or NHWC). Where reshaping hides it, the second axis.

    Parameters
    ----------
    model : Model
    place : Place
    shape : tuple of int
        The tensor's, batch included.
    axis : int, optional
        The answer, where the caller knows better; negative ones count from the end.

    Raises
    ------
    InputError
        The tensor has no such axis, or it is the batch's.
    """
    rank = len(shape)
    if rank < 2:
        raise InputError(f"{place.name}: its tensor of shape {shape} has no channel axis.")
    if axis is None:
        return _derived(model, place.tensor, rank)
    if not -rank < axis < rank or axis == 0:
        raise InputError(
            f"axis={axis}: {place.name} has shape {shape}; its channel axis is one of 1 to "
            f"{rank - 1}, axis 0 is the batch."
        )
    return axis % rank


def _makers(model: Model) -> Mapping[str, onnx.NodeProto]:
    """Map every tensor that the network computes to its node."""
    return {name: node for node in model.proto.graph.node for name in node.output if name}


def _derived(model: Model, tensor: str, rank: int) -> int:
    """Follow a tensor upwards until its channel axis is certain, and carry it back down."""
    makers = _makers(model)
    permutations: list[list[int]] = []
    axis = 1 if rank == 2 else None
    while axis is None:
        node = makers.get(tensor)
        if node is None:
            axis = rank - 1 if _is_channels_last(model, tensor) else 1
        elif node.op_type in _LAST:
            axis = rank - 1
        elif node.op_type in _SECOND or _hides_axes(node):
            axis = 1
        else:
            if node.op_type == "Transpose":
                permutations.append(_permutation(node, rank))
            tensor = _signal(model, node, makers)
    for permutation in reversed(permutations):
        axis = permutation.index(axis)
    return axis or 1  # axis 0 would be the batch's


def _is_channels_last(model: Model, tensor: str) -> bool:
    """Whether a tensor is the input and holds pictures as (N, H, W, C)."""
    known = model.preprocessing
    return tensor == model.input.name and known is not None and known.layout == "NHWC"


def _hides_axes(node: onnx.NodeProto) -> bool:
    """Whether an axis of the output may be another one than in the input."""
    drops_axes = any(a.name == "keepdims" and a.i == 0 for a in node.attribute)
    return node.op_type in _RESHAPING or drops_axes


def _permutation(node: onnx.NodeProto, rank: int) -> list[int]:
    """Return a Transpose's order of axes: reversed, where it does not say."""
    return next((list(a.ints) for a in node.attribute if a.name == "perm"), [*range(rank)][::-1])


def _signal(model: Model, node: onnx.NodeProto, makers: Mapping[str, onnx.NodeProto]) -> str:
    """Name the input that an operator works on: the first one that is computed."""
    inputs = [name for name in node.input if name in makers or name == model.input.name]
    return inputs[0] if inputs else ""
