"""Sums of activations and constants: Add, Sub, Sum, Mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from onnxlrp.graph.model import Layer, Model
from onnxlrp.ops.base import Array, Linear, LinearMap, Shape, operation
from onnxlrp.ops.broadcast import sum_to_shape


class WeightedSumMap:
    """z = Σₖ wₖ·xₖ with one weight an input, broadcasting as NumPy does."""

    def __init__(self, weight: Array) -> None:
        self._weight = weight

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return int(self._weight.nbytes)

    def forward(self, xs: tuple[Array, ...], out_shape: Shape) -> Array:
        """The weighted sum, without bias."""
        z = np.zeros(out_shape, np.float32)
        for w, x in zip(self._weight, xs, strict=True):
            z += x if w == 1 else w * x
        return z

    def adjoint(self, s: Array, in_shapes: tuple[Shape, ...]) -> tuple[Array, ...]:
        """Every input's share of s."""
        pairs = zip(self._weight, in_shapes, strict=True)
        return tuple(sum_to_shape(s if w == 1 else w * s, shape) for w, shape in pairs)


class Addition(Linear):
    """A weighted sum of its inputs; constant inputs are its bias."""

    treatment: ClassVar[str] = (
        "in proportion to the summands (z-rule); constants absorb their share"
    )

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        signs = self._factors(len(self.node.inputs))
        fixed = [i for i in range(len(signs)) if self.is_constant(i)]
        self.signals = tuple(i for i in range(len(signs)) if i not in fixed)
        if not self.signals:
            raise self.unsupported("all its inputs are constant")
        self.weight = np.array([signs[i] for i in self.signals], np.float32)
        total = sum(signs[i] * np.asarray(self.constant(i), np.float64) for i in fixed)
        self.bias = np.asarray(total, np.float32) if np.any(total) else None

    def _factors(self, count: int) -> tuple[float, ...]:
        return (1.0,) * count

    def nonnegative(self, inputs: bool) -> bool:
        """Whether the output has no negative element."""
        return (
            inputs
            and bool((self.weight >= 0).all())
            and (self.bias is None or bool((self.bias >= 0).all()))
        )

    def prepare(self, see: Callable[[Array], Array]) -> LinearMap:
        """The sum with weights ``see(w)``."""
        return WeightedSumMap(see(self.weight))


@operation("Add", "Sum")
class Add(Addition):
    """Σₖ xₖ."""


@operation("Sub")
class Sub(Addition):
    """x₀ − x₁."""

    def _factors(self, count: int) -> tuple[float, ...]:
        return (1.0, -1.0)


@operation("Mean")
class Mean(Addition):
    """Σₖ xₖ / count."""

    def _factors(self, count: int) -> tuple[float, ...]:
        return (1.0 / count,) * count
