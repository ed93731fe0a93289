"""Reductions over whole axes: means and sums share in proportion, the maximum takes all."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from onnxlrp.graph.model import Layer, Model
from onnxlrp.graph.proto import inferred
from onnxlrp.kernels import PoolGeometry, weighted_sum, window_sum_adjoint
from onnxlrp.ops.base import Array, Linear, LinearMap, Operation, Shape, Tensors, operation

_MIXES = "it reduces the batch axis and so mixes pictures"


class Axes:
    """The axes a node reduces: an attribute up to opset 17, an input after, all if neither."""

    def __init__(self, op: Operation) -> None:
        self._op = op
        axes = op.constant(1) if len(op.node.inputs) > 1 else op.node.attributes.get("axes")
        self._axes = None if axes is None or len(axes) == 0 else tuple(int(a) for a in axes)
        if self._axes is None and op.node.attributes.get("noop_with_empty_axes", 0):
            raise op.unsupported("noop_with_empty_axes without axes reduces nothing")
        if self._axes is None or (0 in self._axes and pictures_in_front(op)):
            raise op.unsupported(_MIXES)

    def of(self, rank: int) -> tuple[int, ...]:
        """The axes as non-negative numbers for a tensor of that rank."""
        axes = tuple(sorted(axis % rank for axis in self._axes or ()))
        if 0 in axes and 0 not in (self._axes or ()) and pictures_in_front(self._op):
            raise self._op.unsupported(_MIXES)
        return axes

    def keep(self, reduced: Array, in_shape: Shape) -> Array:
        """The reduced tensor with its reduced axes put back as ones."""
        axes = self.of(len(in_shape))
        return reduced.reshape([1 if i in axes else n for i, n in enumerate(in_shape)])


def pictures_in_front(op: Operation) -> bool:
    """Whether axis 0 of the input may be that of the pictures, for all that is known of its size.

    Branches that were stacked stand on an axis of their own, of another size.
    """
    found = inferred(op.model.proto).get(op.node.inputs[0])
    size = found.shape[0] if found is not None and found.shape else None
    return not isinstance(size, int) or size == op.model.fixed_batch


class ReductionMap:
    """z = see(w)·Σ over the axes, w = 1/n for a mean and 1 for a sum."""

    nbytes = 0

    def __init__(self, op: Reduction, see: Callable[[Array], Array]) -> None:
        self._op = op
        self._see = see

    def _weight(self, in_shape: Shape) -> Array:
        axes = self._op.axes.of(len(in_shape))
        count = float(np.prod([in_shape[axis] for axis in axes]))
        return self._see(np.array([1.0 / count if self._op.mean else 1.0], np.float32))

    def forward(self, xs: tuple[Array, ...], out_shape: Shape) -> Array:
        """The weighted sum, without bias."""
        (x,) = xs
        total = x.sum(axis=self._op.axes.of(x.ndim), dtype=np.float32)
        return np.asarray(total * self._weight(x.shape), np.float32).reshape(out_shape)

    def adjoint(self, s: Array, in_shapes: tuple[Shape, ...]) -> tuple[Array, ...]:
        """Every input's share of s."""
        (shape,) = in_shapes
        kept, weight = self._op.axes.keep(s, shape), self._weight(shape)
        rank = len(shape) - 2
        if not (1 <= rank <= 3 and self._op.axes.of(len(shape)) == tuple(range(2, len(shape)))):
            return (np.broadcast_to(kept * weight, shape),)
        weighted, one, none = np.empty(kept.shape, np.float32), (1,) * rank, (0,) * rank
        kept = np.ascontiguousarray(kept)
        weighted_sum(kept, float(weight[0]), kept, 0.0, weighted)
        everything = PoolGeometry(shape[2:], one, none, none, one)
        return (window_sum_adjoint(weighted, everything, shape[2:]),)


class Reduction(Linear):
    """A mean or a sum over whole axes."""

    treatment: ClassVar[str] = "in proportion to the activations (z-rule)"
    mean: ClassVar[bool] = True

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self.axes = self._read_axes()
        self.weight = np.ones(1, np.float32)

    def _read_axes(self) -> Axes:
        return Axes(self)

    def nonnegative(self, inputs: bool) -> bool:
        """A sum of what is not negative is not negative."""
        return inputs

    def prepare(self, see: Callable[[Array], Array]) -> LinearMap:
        """The reduction with weights ``see(w)``."""
        return ReductionMap(self, see)


@operation("ReduceMean")
class ReduceMean(Reduction):
    """Mean over axes."""


@operation("ReduceSum")
class ReduceSum(Reduction):
    """Sum over axes."""

    mean: ClassVar[bool] = False


class SpatialAxes(Axes):
    """Every axis after batch and channels."""

    def __init__(self) -> None:
        """Nothing has to be read."""

    def of(self, rank: int) -> tuple[int, ...]:
        """Axes 2 and up."""
        return tuple(range(2, rank))


@operation("GlobalAveragePool")
class GlobalAveragePool(Reduction):
    """Mean over all spatial positions."""

    def _read_axes(self) -> Axes:
        return SpatialAxes()


@operation("ReduceMax", "ReduceMin")
class Extreme(Operation):
    """Winner takes all over whole axes, the first maximum (minimum) on ties."""

    treatment: ClassVar[str] = "winner takes all, the first one on ties"

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self.axes = self._read_axes()

    def _read_axes(self) -> Axes:
        return Axes(self)

    def nonnegative(self, inputs: bool) -> bool:
        """An element of what is not negative is not negative."""
        return inputs

    def values(self) -> tuple[str, ...]:
        """The input decides who wins."""
        return (self.node.inputs[0],)

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """R of each group → its winner."""
        x = tensors.value(self.node.inputs[0])
        axes = self.axes.of(x.ndim)
        front = [axis for axis in range(x.ndim) if axis not in axes]
        order = (*front, *axes)
        grouped = np.transpose(x, order)
        rows = grouped.reshape(*grouped.shape[: len(front)], -1)
        winners = np.zeros(rows.shape, np.float32)
        best = rows.argmin(axis=-1) if self.node.op == "ReduceMin" else rows.argmax(axis=-1)
        first = best[..., None]
        np.put_along_axis(winners, first, relevance.reshape(first.shape), axis=-1)
        return (np.transpose(winners.reshape(grouped.shape), np.argsort(order)),)


@operation("GlobalMaxPool")
class GlobalMaxPool(Extreme):
    """Winner takes all over all spatial positions."""

    def _read_axes(self) -> Axes:
        return SpatialAxes()
