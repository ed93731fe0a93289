"""Resize and Upsample: nearest is a move, linear and cubic interpolation share in proportion."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from onnxlrp.graph.model import Layer, Model
from onnxlrp.ops.base import Array, Linear, LinearMap, Move, Operation, Shape, Tensors, operation
from onnxlrp.ops.grid import Grid
from onnxlrp.ops.indexing import gather_adjoint
from onnxlrp.ops.proportion import FixedMap, Proportional


@operation("Resize", "Upsample")
def resize(layer: Layer, model: Model) -> Operation:
    """Nearest moves relevance back exactly; linear and cubic share in proportion (z-rule)."""
    op = Operation(layer, model)
    grid = Grid(op)
    if grid.mode == "nearest":
        return NearestResize(layer, model, grid)
    if op.computed(scales_input(op)):
        return SteeredInterpolation(layer, model, grid)
    return Interpolation(layer, model, grid)


def scales_input(op: Operation) -> int:
    """The input position of the scales; before opset 9 they are an attribute."""
    return 1 if op.node.op == "Upsample" or op.model.opset < 11 else 2


def scales_of(op: Operation, tensors: Tensors | None) -> NDArray[np.float32] | None:
    """The scales that the node is given, if any; computed ones are read from ``tensors``."""
    if "scales" in op.node.attributes:
        return np.asarray(op.node.attributes["scales"], np.float32)
    position = scales_input(op)
    given = op.constant(position) if tensors is None else op.setting(position, tensors)
    return None if given is None else np.asarray(given, np.float32)


class NearestResize(Move):
    """Every output copies one input element; its copies' relevances add up."""

    def __init__(self, layer: Layer, model: Model, grid: Grid) -> None:
        super().__init__(layer, model)
        self._grid = grid

    def values(self) -> tuple[str, ...]:
        """The scales, if they are computed."""
        return self.computed(scales_input(self))

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """Add every relevance to the element it copied."""
        in_shape, out_shape = tensors.shape(self.node.inputs[0]), relevance.shape
        for axis, scale in self._grid.steps(in_shape, out_shape, scales_of(self, tensors)):
            source = self._grid.sources(in_shape[axis], out_shape[axis], scale)
            relevance = gather_adjoint(relevance, source, axis, in_shape[axis])
        return (relevance,)


class InterpolationMap:
    """z = w·(⊗ₐ Mₐ)·x, one small matrix for every axis that is resized."""

    nbytes = 0

    def __init__(self, grid: Grid, scales: NDArray[np.float32] | None, weight: Array) -> None:
        self._grid = grid
        self._scales = scales
        self._weight = weight

    def forward(self, xs: tuple[Array, ...], out_shape: Shape) -> Array:
        """The weighted sum, without bias."""
        (z,) = xs
        in_shape = z.shape
        for axis, scale in self._grid.steps(in_shape, out_shape, self._scales):
            matrix = self._grid.matrix(in_shape[axis], out_shape[axis], scale)
            z = np.moveaxis(np.tensordot(matrix, z, axes=(1, axis)), 0, axis)
        return np.ascontiguousarray(z) * self._weight

    def adjoint(self, s: Array, in_shapes: tuple[Shape, ...]) -> tuple[Array, ...]:
        """Every input's share of s."""
        (in_shape,) = in_shapes
        out_shape = s.shape
        for axis, scale in self._grid.steps(in_shape, out_shape, self._scales):
            matrix = self._grid.matrix(in_shape[axis], out_shape[axis], scale)
            s = np.moveaxis(np.tensordot(matrix, s, axes=(0, axis)), 0, axis)
        return (np.ascontiguousarray(s) * self._weight,)


class Interpolation(Linear):
    """Linear or cubic interpolation: the output is a mean of neighbours, weighted by distance.

    Linear weights are not negative, so that a rule's view of them is one factor. Cubic ones have
    both signs: rules that treat these differently, and w² and flat, have no separable form.
    """

    treatment: ClassVar[str] = "in proportion to the activations (z-rule)"

    def __init__(self, layer: Layer, model: Model, grid: Grid) -> None:
        super().__init__(layer, model)
        self._grid = grid
        self._scales = scales_of(self, None)
        self.weight = np.ones(1, np.float32)

    def nonnegative(self, inputs: bool) -> bool:
        """Linear interpolation of what is not negative gives nothing negative."""
        return inputs and self._grid.mode == "linear"

    def prepare(self, see: Callable[[Array], Array]) -> LinearMap:
        """Interpolation with all weights multiplied by ``see(1)``; other maps do not separate."""
        factor = see(self.weight)
        probe = (2, -1) if self._grid.mode == "cubic" else (2,)
        if any(see(k * self.weight) != k * factor for k in probe):
            raise self.unsupported("this rule has no separable form here; use ε, or pass")
        return InterpolationMap(self._grid, self._scales, factor)


class SteeredInterpolation(Proportional):
    """Interpolation by scales that follow from shapes."""

    treatment: ClassVar[str] = Interpolation.treatment

    def __init__(self, layer: Layer, model: Model, grid: Grid) -> None:
        super().__init__(layer, model)
        self._grid = grid

    def values(self) -> tuple[str, ...]:
        """Input, output and scales."""
        return (*self.signal_names, self.node.output, *self.computed(scales_input(self)))

    def fixed_map(self, tensors: Tensors) -> FixedMap:
        """The interpolation as it is."""
        x, z = (tensors.value(name) for name in (*self.signal_names, self.node.output))
        plain = InterpolationMap(self._grid, scales_of(self, tensors), np.ones(1, np.float32))
        return FixedMap((x,), z, lambda s: plain.adjoint(s, (x.shape,)))
