"""Sums of activations and constants: Add, Sub, Sum, Mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from onnxlrp.graph.model import Layer, Model
from onnxlrp.ops.base import (
    Array,
    Linear,
    LinearMap,
    Operation,
    Shape,
    SumMap,
    Tensors,
    operation,
)
from onnxlrp.ops.broadcast import sum_to_shape
from onnxlrp.ops.proportion import FixedMap, Proportional


class WeightedSumMap(SumMap):
    """z = Σₖ wₖ·xₖ with one weight an input, broadcasting as NumPy does."""

    def __init__(self, weight: Array) -> None:
        self.factors = weight

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return int(self.factors.nbytes)

    def forward(self, xs: tuple[Array, ...], out_shape: Shape) -> Array:
        """The weighted sum, without bias."""
        z = np.zeros(out_shape, np.float32)
        for w, x in zip(self.factors, xs, strict=True):
            z += x if w == 1 else w * x
        return z

    def adjoint(self, s: Array, in_shapes: tuple[Shape, ...]) -> tuple[Array, ...]:
        """Every input's share of s."""
        pairs = zip(self.factors, in_shapes, strict=True)
        return tuple(sum_to_shape(s if w == 1 else w * s, shape) for w, shape in pairs)


TREATMENT = "in proportion to the summands (z-rule); constants absorb their share"


class Addition(Linear):
    """A weighted sum of its inputs; constant inputs are its bias."""

    treatment: ClassVar[str] = TREATMENT

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        factors = summand_factors(layer)
        self.signals = layer.signals
        self.weight = np.array([factors[i] for i in self.signals], np.float32)
        fixed = [i for i in range(len(factors)) if i not in self.signals]
        total = sum(factors[i] * np.asarray(self.constant(i), np.float64) for i in fixed)
        self.bias = np.asarray(total, np.float32) if np.any(total) else None

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


class SteeredAddition(Proportional):
    """A sum of which a summand follows from shapes or masks: a bias that each picture makes."""

    treatment: ClassVar[str] = TREATMENT

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self.signals = layer.signals

    def values(self) -> tuple[str, ...]:
        """The summands and the sum."""
        return (*self.computed(*range(len(self.node.inputs))), self.node.output)

    def fixed_map(self, tensors: Tensors) -> FixedMap:
        """The weighted sum; what carries no relevance is its bias."""
        factors = summand_factors(self.layer)
        terms = [self.setting(i, tensors) for i in range(len(factors))]
        xs = tuple(np.asarray(terms[i], np.float32) for i in self.signals)
        fixed = [i for i in range(len(factors)) if i not in self.signals]
        bias = sum(np.float32(factors[i]) * np.asarray(terms[i], np.float32) for i in fixed)
        weight = np.array([factors[i] for i in self.signals], np.float32)
        shapes = tuple(x.shape for x in xs)
        return FixedMap(
            xs,
            tensors.value(self.node.output),
            lambda s: WeightedSumMap(weight).adjoint(s, shapes),
            np.asarray(bias, np.float32),
        )


def summand_factors(layer: Layer) -> tuple[float, ...]:
    """What every input of a sum is multiplied by."""
    count = len(layer.node.inputs)
    return {"Sub": (1.0, -1.0), "Mean": (1.0 / count,) * count}.get(layer.op, (1.0,) * count)


@operation("Add", "Sub", "Sum", "Mean")
def addition(layer: Layer, model: Model) -> Operation:
    """In proportion to the summands (z-rule); constants absorb their share."""
    fixed = (name for i, name in enumerate(layer.node.inputs) if i not in layer.signals)
    known = all(name in model.constants for name in fixed)
    return Addition(layer, model) if known else SteeredAddition(layer, model)
