"""Norms and other reductions that are not linear: every element takes its share of the sum inside.

    ReduceL1 Σ|x|    ReduceL2 √Σx²    ReduceSumSquare Σx²    LpPool (Σ|x|ᵖ)^(1/p)
    ReduceLogSum log Σx    ReduceLogSumExp log Σeˣ    ReduceProd Πx: equal shares

The function around the sum is element-wise and passes relevance: R_i = c_i·R/stab(Σ c).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import ClassVar

import numpy as np

from onnxlrp.graph.model import Layer, Model
from onnxlrp.kernels import window_sum, window_sum_adjoint
from onnxlrp.ops.base import Array, Operation, Tensors, operation
from onnxlrp.ops.pooling import pool_geometry, pool_window
from onnxlrp.ops.proportion import FixedMap, Proportional
from onnxlrp.ops.reduction import Axes, SpatialAxes

Measure = Callable[[Array], Array]

MEASURES: Mapping[str, Measure] = {
    "ReduceL1": np.abs,
    "ReduceL2": np.square,
    "ReduceSumSquare": np.square,
    "ReduceLogSum": lambda x: x,
}
"""Operator → what it sums, element by element."""


class SharedSum(Proportional):
    """f(Σ c(x)): R to the elements in proportion to c(x)."""

    treatment: ClassVar[str] = "in proportion to what it sums: |x|, x², |x|ᵖ or eˣ"

    def values(self) -> tuple[str, ...]:
        """Its input."""
        return self.signal_names


@operation("ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp")
class NormReduction(SharedSum):
    """A norm or the logarithm of a sum over whole axes."""

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self._axes = Axes(self)

    def nonnegative(self, inputs: bool) -> bool:
        """Norms are not negative, logarithms can be."""
        return not self.node.op.startswith("ReduceLog")

    def fixed_map(self, tensors: Tensors) -> FixedMap:
        """The sum of c(x) over the axes."""
        x = tensors.value(self.node.inputs[0])
        axes = self._axes.of(x.ndim)
        if self.node.op == "ReduceLogSumExp":  # shares do not change with what is taken off all x
            c = np.exp(x - x.max(axis=axes, keepdims=True))
        else:
            c = np.asarray(MEASURES[self.node.op](x), np.float32)
        z = c.sum(axis=axes, dtype=np.float32).reshape(tensors.shape(self.node.output))
        return FixedMap((c,), z, lambda s: (self._axes.keep(s, x.shape),))


@operation("ReduceProd")
class ReduceProd(Operation):
    """A product of activations over whole axes: equal shares (the uniform rule of AttnLRP)."""

    treatment: ClassVar[str] = "equal shares to all factors"

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self._axes = Axes(self)

    def nonnegative(self, inputs: bool) -> bool:
        """A product of what is not negative is not negative."""
        return inputs

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """R/n to each of the n factors."""
        shape = tensors.shape(self.node.inputs[0])
        count = math.prod(shape[axis] for axis in self._axes.of(len(shape)))
        return (np.broadcast_to(self._axes.keep(relevance, shape) / np.float32(count), shape),)


@operation("GlobalLpPool")
class GlobalLpPool(SharedSum):
    """(Σ|x|ᵖ)^(1/p) over all spatial positions."""

    def nonnegative(self, inputs: bool) -> bool:
        """A norm is not negative."""
        return True

    def fixed_map(self, tensors: Tensors) -> FixedMap:
        """The sum of |x|ᵖ."""
        x = tensors.value(self.node.inputs[0])
        c = np.abs(x) ** np.float32(self.node.attributes.get("p", 2))
        axes = SpatialAxes()
        z = c.sum(axis=axes.of(x.ndim), keepdims=True, dtype=np.float32)
        return FixedMap((c,), z, lambda s: (axes.keep(s, x.shape),))


@operation("LpPool")
class LpPool(SharedSum):
    """(Σ|x|ᵖ)^(1/p) over a window."""

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self._window = pool_window(self)

    def nonnegative(self, inputs: bool) -> bool:
        """A norm is not negative."""
        return True

    def fixed_map(self, tensors: Tensors) -> FixedMap:
        """The sum of |x|ᵖ over each window."""
        x = tensors.value(self.node.inputs[0])
        c = np.abs(x) ** np.float32(self.node.attributes.get("p", 2))
        spatial = x.shape[2:]
        geometry = pool_geometry(self._window, spatial)
        z = window_sum(c, geometry, tensors.shape(self.node.output)[2:])
        return FixedMap((c,), z, lambda s: (window_sum_adjoint(s, geometry, spatial),))
