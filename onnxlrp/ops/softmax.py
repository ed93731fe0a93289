"""Softmax inside a network: attention's weights, or the mixture of several paths."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from onnxlrp.graph.model import Layer, Model
from onnxlrp.ops.base import Array, Operation, Tensors, operation


@operation("Softmax", "LogSoftmax")
class Softmax(Operation):
    """p = softmax(x): R_in = x∘(R − p·ΣR) along its axis; LogSoftmax likewise, its log passes.

    The z-rule on the tangent at x, whose value at x = 0 is the bias that absorbs the rest.

    Notes
    -----
    Achtibat et al. 2024, arXiv 2402.05602 (AttnLRP).
    """

    treatment: ClassVar[str] = "x·(R − softmax(x)·ΣR) along its axis; its offset absorbs the rest"

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self._flattens = model.opset < 13
        self._axis = int(self.node.attributes.get("axis", 1 if self._flattens else -1))

    def nonnegative(self, inputs: bool) -> bool:
        """Probabilities are not negative, their logarithms are not positive."""
        return self.node.op == "Softmax"

    def values(self) -> tuple[str, ...]:
        """Input and output."""
        return (self.node.inputs[0], self.node.output)

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """R_in = x∘(R − p·ΣR)."""
        x, p, axes = self._read(tensors)
        return (softmax_relevance(relevance, x, p, axes),)

    def absorbed(self, relevance: Array, tensors: Tensors) -> tuple[Array | None, Array | None]:
        """R·(1 − x + Σ p·x): the tangent's value at 0, relative to p."""
        x, p, axes = self._read(tensors)
        mean = np.sum(p * x, axis=axes, keepdims=True, dtype=np.float32)
        return relevance * (1 - x + mean), None

    def _read(self, tensors: Tensors) -> tuple[Array, Array, tuple[int, ...]]:
        """Input x, probabilities p, and the axes that are normalised together.

        Until opset 12 these are all from the given one on.
        """
        x, y = (tensors.value(name) for name in self.values())
        p = np.exp(y) if self.node.op == "LogSoftmax" else y
        axis = self._axis % x.ndim
        return x, p, tuple(range(axis, x.ndim)) if self._flattens else (axis,)


def softmax_relevance(relevance: Array, x: Array, p: Array, axes: tuple[int, ...]) -> Array:
    """x∘(R − p·ΣR) along the axes."""
    total = np.sum(relevance, axis=axes, keepdims=True, dtype=np.float32)
    return np.asarray(x * (relevance - p * total), np.float32)
