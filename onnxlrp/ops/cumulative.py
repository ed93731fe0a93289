"""Running sums: CumSum."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from onnxlrp.graph.model import Layer, Model
from onnxlrp.ops.base import Array, Linear, LinearMap, Shape, operation


class RunningSumMap:
    """zₖ = w·Σ xᵢ over all i up to k (before k, if exclusive; from k on, if reverse)."""

    nbytes = 0

    def __init__(self, op: CumSum, weight: Array) -> None:
        self._op = op
        self._weight = weight

    def forward(self, xs: tuple[Array, ...], out_shape: Shape) -> Array:
        """The weighted sum, without bias."""
        return self._weight * self._run(xs[0], self._op.reverse)

    def adjoint(self, s: Array, in_shapes: tuple[Shape, ...]) -> tuple[Array, ...]:
        """Every input's share of s: the running sum from the other end."""
        return (self._weight * self._run(s, not self._op.reverse),)

    def _run(self, x: Array, reverse: bool) -> Array:
        axis = self._op.axis
        turned = np.flip(x, axis) if reverse else x
        total = np.cumsum(turned, axis=axis, dtype=np.float32)
        if self._op.exclusive:
            total = np.roll(total, 1, axis)
            np.moveaxis(total, axis, 0)[0] = 0
        return np.flip(total, axis) if reverse else total


@operation("CumSum")
class CumSum(Linear):
    """The running sum along a constant axis."""

    treatment: ClassVar[str] = "in proportion to the summands (z-rule)"

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self.axis = int(np.asarray(self.constant(1)).reshape(-1)[0])
        self.exclusive = bool(self.node.attributes.get("exclusive", 0))
        self.reverse = bool(self.node.attributes.get("reverse", 0))
        self.weight = np.ones(1, np.float32)
        if self.axis == 0:
            raise self.unsupported("it sums over the batch axis and so mixes pictures")

    def nonnegative(self, inputs: bool) -> bool:
        """A sum of what is not negative is not negative."""
        return inputs

    def prepare(self, see: Callable[[Array], Array]) -> LinearMap:
        """The sum with weights ``see(1)``."""
        return RunningSumMap(self, see(self.weight))
