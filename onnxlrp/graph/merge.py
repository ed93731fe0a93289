"""Folding an affine map into the linear layer before it: W·scale, b·scale + shift."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.graph.affine import Affine, Channels
from onnxlrp.graph.draft import Draft
from onnxlrp.graph.model import Node

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Kernel:
    """Constant weights of a linear layer, and where its output channels are.

    Attributes
    ----------
    weight : ndarray, float32
    bias : ndarray, float64, (K,), or None
    spread : tuple of int
        The shape in which a vector (K,) multiplies the weight, seen in ``blocked`` shape.
    blocked : tuple of int
        The weight's shape with the group axis of a ConvTranspose split off.
    channels : Channels
        Of the output.
    factor : float
        What the node multiplies the weight by (Gemm's alpha).
    attributes : mapping
        The node's attributes once the factor is in the weight.
    takes_bias : bool
        Whether the operator has an input for one.
    """

    weight: NDArray[Any]
    bias: NDArray[np.float64] | None
    spread: tuple[int, ...]
    blocked: tuple[int, ...]
    channels: Channels
    factor: float
    attributes: Mapping[str, Any]
    takes_bias: bool = True


def kernel(node: Node, draft: Draft) -> Kernel | None:
    """Read a weighted node's kernel; None if weight or bias is computed, or cannot fold."""
    make = {
        "Conv": _conv,
        "ConvTranspose": _conv_transpose,
        "Gemm": _gemm,
        "MatMul": _matmul,
        "BatchNormalization": _channel_norm,
        "GroupNormalization": _channel_norm,
        "InstanceNormalization": _channel_norm,
        "LayerNormalization": _last_axis_norm,
        "RMSNormalization": _last_axis_norm,
    }.get(node.op)
    if make is None or node.domain not in ("", "ai.onnx") or len(node.inputs) < 2:
        return None
    weight = draft.constants.get(node.inputs[1])
    if weight is None or weight.dtype != np.float32:
        return None
    found = make(node, weight, draft)
    if found is None or len(node.inputs) < 3 or not node.inputs[2]:
        return found
    bias = draft.constants.get(node.inputs[2])
    # A bias is (K,), or for Gemm whatever broadcasts to (N, K); never laid out like the output.
    along_last = Channels(found.channels.count, 1, 2)
    vector = None if bias is None else along_last.vector(bias)
    if vector is None:
        return None
    return replace(found, bias=vector * node.attributes.get("beta", 1.0))


def _conv(node: Node, weight: Array, draft: Draft) -> Kernel:
    """Read W (K, C/groups, …)."""
    count, rank = weight.shape[0], weight.ndim
    spread = (count,) + (1,) * (rank - 1)
    channels = Channels(count, rank - 1, rank)
    return Kernel(weight, None, spread, weight.shape, channels, 1.0, node.attributes)


def _conv_transpose(node: Node, weight: Array, draft: Draft) -> Kernel:
    """Read W (C, K/groups, …): group g makes the output channels g·K/groups and following."""
    groups = node.attributes.get("group", 1)
    inputs, per_group, *window = weight.shape
    spread = (groups, 1, per_group) + (1,) * len(window)
    blocked = (groups, inputs // groups, per_group, *window)
    channels = Channels(groups * per_group, weight.ndim - 1, weight.ndim)
    return Kernel(weight, None, spread, blocked, channels, 1.0, node.attributes)


def _gemm(node: Node, weight: Array, draft: Draft) -> Kernel | None:
    """Read α·A·W + β·B with W (C, K), or (K, C) if transB is set."""
    if node.attributes.get("transA", 0):
        return None
    transposed = node.attributes.get("transB", 0)
    count = weight.shape[0 if transposed else 1]
    spread = (count, 1) if transposed else (1, count)
    plain = {**node.attributes, "alpha": 1.0, "beta": 1.0}
    alpha = node.attributes.get("alpha", 1.0)
    return Kernel(weight, None, spread, weight.shape, Channels(count, 1, 2), alpha, plain)


def _matmul(node: Node, weight: Array, draft: Draft) -> Kernel | None:
    """Read A·W with W (C, K): the channels are the last axis."""
    if weight.ndim != 2:
        return None
    count = weight.shape[1]
    rank = draft.rank(node.output) or 1
    channels = Channels(count, 1, rank)
    return Kernel(weight, None, (1, count), weight.shape, channels, 1.0, node.attributes)


def _channel_norm(node: Node, weight: Array, draft: Draft) -> Kernel | None:
    """Read the scale (C,) of a normalisation along axis 1."""
    rank = draft.rank(node.output)
    if node.attributes.get("spatial", 1) != 1:  # BatchNormalization until opset 8
        return None
    if rank is None or weight.ndim != 1 or (draft.shape(node.output) or ())[1:2] != weight.shape:
        return None
    channels = Channels(weight.size, rank - 1, rank)
    return Kernel(weight, None, weight.shape, weight.shape, channels, 1.0, node.attributes)


def _last_axis_norm(node: Node, weight: Array, draft: Draft) -> Kernel | None:
    """Read the scale (C,) of a normalisation along the last axis."""
    rank = draft.rank(node.output)
    if rank is None or node.attributes.get("axis", -1) not in (-1, rank - 1) or weight.ndim != 1:
        return None
    channels = Channels(weight.size, 1, rank)
    takes_bias = node.op == "LayerNormalization"
    attributes = node.attributes
    return Kernel(weight, None, weight.shape, weight.shape, channels, 1.0, attributes, takes_bias)


def fold(
    node: Node, kernel: Kernel, step: Affine, taken: Container[str]
) -> tuple[Node, dict[str, Array]] | None:
    """Put scale and shift into a node's weights; return it and the new constants.

    Computed in float64, stored in float32; None if that overflows. A weight that does not change is
    not copied.
    """
    scale = step.scale * kernel.factor
    bias = step.shift if kernel.bias is None else kernel.bias * step.scale + step.shift
    made: dict[str, Array] = {}
    weight_name, bias_name = node.inputs[1], _fresh(f"{node.name}.bias", taken)
    with np.errstate(over="ignore"):
        if kernel.takes_bias:
            made[bias_name] = bias.astype(np.float32)
        if (scale != 1.0).any():
            weight_name = _fresh(f"{node.name}.weight", taken)
            made[weight_name] = _scaled(kernel, scale)
    if not all(np.isfinite(values).all() for values in made.values()):
        return None
    for values in made.values():
        values.flags.writeable = False
    parameters = (weight_name, bias_name) if kernel.takes_bias else (weight_name,)
    inputs = (node.inputs[0], *parameters, *node.inputs[3:])
    return replace(node, inputs=inputs, attributes=kernel.attributes), made


def _scaled(kernel: Kernel, scale: NDArray[np.float64]) -> Array:
    """Return W·scale: a float64 product, rounded once, without a float64 copy of W."""
    weight = kernel.weight.reshape(kernel.blocked)
    out = np.empty(kernel.blocked, np.float32)
    factors = scale.reshape(kernel.spread)
    np.multiply(weight, factors, out=out, dtype=np.float64, casting="same_kind")
    return out.reshape(kernel.weight.shape)


def _fresh(name: str, taken: Container[str]) -> str:
    """Return a tensor name that the model does not use."""
    while name in taken:
        name += "_merged"
    return name
