"""Resize and Upsample: nearest is a move, linear shares in proportion."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from onnxlrp.graph.model import Layer, Model
from onnxlrp.ops.base import Array, Linear, LinearMap, Move, Operation, Shape, Tensors, operation
from onnxlrp.ops.indexing import gather_adjoint


class Grid:
    """Where each output position of a resized axis looks in the input (ONNX Resize).

    Given the scale, in = f(out) by ``coordinate_transformation_mode``.
    """

    def __init__(self, op: Operation) -> None:
        attributes = op.node.attributes
        old = op.node.op == "Upsample" or len(op.node.inputs) == 2  # opset 10 and before
        self.mode = text(attributes.get("mode", "nearest"))
        default = "asymmetric" if old else "half_pixel"
        self.transform = text(attributes.get("coordinate_transformation_mode", default))
        self.rounding = text(
            attributes.get("nearest_mode", "floor" if old else "round_prefer_floor")
        )
        self._scales = self._given_scales(op, old)
        self._axes = attributes.get("axes")
        if self.mode not in ("nearest", "linear", "bilinear", "trilinear"):
            raise op.unsupported(f"mode {self.mode!r}; nearest and linear are supported")
        if self.transform not in TRANSFORMS:
            raise op.unsupported(f"coordinate transformation {self.transform!r}")
        if attributes.get("antialias", 0) and self.mode != "nearest":
            raise op.unsupported("antialias")

    @staticmethod
    def _given_scales(op: Operation, old: bool) -> NDArray[np.float32] | None:
        if "scales" in op.node.attributes:
            return np.asarray(op.node.attributes["scales"], np.float32)
        position = 1 if old else 2
        scales = op.constant(position) if op.is_constant(position) else None
        return None if scales is None or scales.size == 0 else np.asarray(scales, np.float32)

    def axes(self, in_shape: Shape, out_shape: Shape) -> list[tuple[int, float]]:
        """The axes that change, with their scale."""
        given = dict(enumerate(in_shape)) if self._axes is None else {int(a): 0 for a in self._axes}
        scales = dict(zip(given, self._scales, strict=True)) if self._scales is not None else {}
        return [
            (axis, float(scales.get(axis, out / size)))
            for axis, (size, out) in enumerate(zip(in_shape, out_shape, strict=True))
            if size != out or scales.get(axis, 1.0) != 1.0
        ]

    def positions(self, size: int, out: int, scale: float) -> NDArray[np.float64]:
        """The input coordinate of every output position."""
        return TRANSFORMS[self.transform](np.arange(out, dtype=np.float64), size, out, scale)

    def sources(self, size: int, out: int, scale: float) -> NDArray[np.int64]:
        """The input element that every output position copies (nearest)."""
        x = self.positions(size, out, scale)
        return np.clip(ROUNDINGS[self.rounding](x), 0, size - 1).astype(np.int64)

    def matrix(self, size: int, out: int, scale: float) -> Array:
        """(out, size) weights of linear interpolation, clamped at the border."""
        x = np.clip(self.positions(size, out, scale), 0, size - 1)
        low = np.floor(x).astype(np.int64)
        high = np.minimum(low + 1, size - 1)
        weights = np.zeros((out, size), np.float32)
        rows = np.arange(out)
        np.add.at(weights, (rows, low), 1 - (x - low))
        np.add.at(weights, (rows, high), x - low)
        return weights


TRANSFORMS: dict[str, Callable[[NDArray[np.float64], int, int, float], NDArray[np.float64]]] = {
    "half_pixel": lambda x, size, out, scale: (x + 0.5) / scale - 0.5,
    "pytorch_half_pixel": lambda x, size, out, scale: (
        (x + 0.5) / scale - 0.5 if out > 1 else np.zeros_like(x)
    ),
    "half_pixel_symmetric": lambda x, size, out, scale: (
        size / 2 * (1 - out / (scale * size)) + (x + 0.5) / scale - 0.5
    ),
    "asymmetric": lambda x, size, out, scale: x / scale,
    "align_corners": lambda x, size, out, scale: (
        x * (size - 1) / (out - 1) if out > 1 else np.zeros_like(x)
    ),
}
ROUNDINGS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


def text(value: bytes | str) -> str:
    """An attribute as str."""
    return value.decode() if isinstance(value, bytes) else str(value)


class NearestResize(Move):
    """Every output copies one input element; its copies' relevances add up."""

    def __init__(self, layer: Layer, model: Model, grid: Grid) -> None:
        super().__init__(layer, model)
        self._grid = grid

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """Add every relevance to the element it copied."""
        in_shape, out_shape = tensors.shape(self.node.inputs[0]), relevance.shape
        for axis, scale in self._grid.axes(in_shape, out_shape):
            source = self._grid.sources(in_shape[axis], out_shape[axis], scale)
            relevance = gather_adjoint(relevance, source, axis, in_shape[axis])
        return (relevance,)


class InterpolationMap:
    """z = (⊗ₐ Mₐ)·x, one small matrix for every axis that is resized."""

    nbytes = 0

    def __init__(self, grid: Grid, scale: Array) -> None:
        self._grid = grid
        self._scale = scale

    def forward(self, xs: tuple[Array, ...], out_shape: Shape) -> Array:
        """The weighted sum, without bias."""
        (z,) = xs
        for axis, scale in self._grid.axes(z.shape, out_shape):
            matrix = self._grid.matrix(z.shape[axis], out_shape[axis], scale)
            z = np.moveaxis(np.tensordot(matrix, z, axes=(1, axis)), 0, axis)
        return np.ascontiguousarray(z) * self._scale

    def adjoint(self, s: Array, in_shapes: tuple[Shape, ...]) -> tuple[Array, ...]:
        """Every input's share of s."""
        (in_shape,) = in_shapes
        for axis, scale in self._grid.axes(in_shape, s.shape):
            matrix = self._grid.matrix(in_shape[axis], s.shape[axis], scale)
            s = np.moveaxis(np.tensordot(matrix, s, axes=(0, axis)), 0, axis)
        return (np.ascontiguousarray(s) * self._scale,)


class LinearResize(Linear):
    """Linear interpolation: the output is a mean of neighbours, weighted by distance."""

    def __init__(self, layer: Layer, model: Model, grid: Grid) -> None:
        super().__init__(layer, model)
        self._grid = grid
        self.weight = np.ones(1, np.float32)

    def nonnegative(self, inputs: bool) -> bool:
        """Interpolating what is not negative gives nothing negative."""
        return inputs

    def prepare(self, see: Callable[[Array], Array]) -> LinearMap:
        """Interpolation with all weights multiplied by ``see(1)``; other maps do not separate."""
        scale = see(self.weight)
        if see(2 * self.weight) != 2 * scale:
            raise self.unsupported("w² and flat have no separable form; use ε, γ, αβ or pass")
        return InterpolationMap(self._grid, scale)


@operation("Resize", "Upsample")
def resize(layer: Layer, model: Model) -> Operation:
    """Nearest moves relevance back exactly; linear shares it in proportion (z-rule)."""
    grid = Grid(Operation(layer, model))
    if grid.mode == "nearest":
        return NearestResize(layer, model, grid)
    return LinearResize(layer, model, grid)
