"""Element-wise nodes with constants, read as one scale and one shift a channel: scale·z + shift."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.graph.model import Node

Vector = NDArray[np.float64]
Constants = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Channels:
    """Where the output channels of a layer run.

    Attributes
    ----------
    count : int
    from_end : int
        Their axis, counted from the end: 1 is the last one.
    rank : int
        Number of axes (the least possible one if it is not known).
    """

    count: int
    from_end: int
    rank: int

    def vector(self, constant: NDArray[Any]) -> Vector | None:
        """Return the constant as one number a channel; None if it has, or adds, another axis."""
        if constant.ndim > self.rank or constant.dtype.kind != "f":
            return None
        shape = (1,) * (self.rank - constant.ndim) + constant.shape
        along = shape[self.rank - self.from_end]
        if along not in (1, self.count) or constant.size != along:
            return None
        return np.broadcast_to(constant.astype(np.float64).reshape(-1), (self.count,))


@dataclass(frozen=True, slots=True)
class Affine:
    """y = scale·z + shift, float64, one number a channel."""

    scale: Vector
    shift: Vector

    def then(self, other: Affine) -> Affine:
        """Apply ``other`` after this one."""
        return Affine(self.scale * other.scale, self.shift * other.scale + other.shift)

    @property
    def is_finite(self) -> bool:
        """Whether no number is NaN or infinite."""
        return bool(np.isfinite(self.scale).all() and np.isfinite(self.shift).all())


def identity(channels: Channels) -> Affine:
    """Return y = z."""
    return Affine(np.ones(channels.count), np.zeros(channels.count))


def affine(node: Node, z: str, channels: Channels, constants: Constants) -> Affine | None:
    """Read what a node does to the tensor ``z``; None if that is no scale and shift a channel.

    1. BatchNormalization (inference, per channel, all four parameters constant)
    2. z·c, c·z    3. z/c    4. z+c, c+z    5. z−c    6. c−z    7. −z
    """
    if node.domain not in ("", "ai.onnx"):
        return None
    if node.op == "BatchNormalization":
        return _batch_normalization(node, z, channels, constants)
    if node.op == "Neg":
        return Affine(-np.ones(channels.count), np.zeros(channels.count))
    form = _FORMS.get((node.op, node.inputs.index(z)))
    if form is None or len(node.inputs) != 2:
        return None
    other = constants.get(node.inputs[1 - node.inputs.index(z)])
    c = None if other is None else channels.vector(other)
    return None if c is None else form(c)


_FORMS: Mapping[tuple[str, int], Callable[[Vector], Affine]] = {
    ("Mul", 0): lambda c: Affine(c, 0 * c),
    ("Mul", 1): lambda c: Affine(c, 0 * c),
    ("Div", 0): lambda c: Affine(_reciprocal(c), 0 * c),
    ("Add", 0): lambda c: Affine(np.ones_like(c), c),
    ("Add", 1): lambda c: Affine(np.ones_like(c), c),
    ("Sub", 0): lambda c: Affine(np.ones_like(c), -c),
    ("Sub", 1): lambda c: Affine(-np.ones_like(c), c),
}
"""(operator, position of z) → the affine map for the constant at the other position."""


def _reciprocal(c: Vector) -> Vector:
    """Return 1/c, infinite where c is 0."""
    with np.errstate(divide="ignore"):
        return 1.0 / c


def _batch_normalization(
    node: Node, z: str, channels: Channels, constants: Constants
) -> Affine | None:
    """Read γ·(z − μ)/√(σ² + ε) + β; its channels are always axis 1."""
    parameters = [constants.get(name) for name in node.inputs[1:5]]
    on_axis_1 = channels.rank - channels.from_end == 1
    per_channel = node.attributes.get("spatial", 1) == 1  # until opset 8
    if node.inputs[0] != z or not on_axis_1 or not per_channel:
        return None
    vectors = [p.astype(np.float64) for p in parameters if p is not None]
    if len(vectors) < 4 or any(v.shape != (channels.count,) for v in vectors):
        return None
    gamma, beta, mean, variance = vectors
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = gamma / np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
        return Affine(scale, beta - mean * scale)
