"""Operators of onnxruntime's own that exporters write into float networks."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from onnxlrp.ops.base import Tensors, operation
from onnxlrp.ops.proportion import FixedMap, Proportional


@operation("com.microsoft.BiasGelu", "com.microsoft.FastGelu")
class BiasGelu(Proportional):
    """gelu(x + b): the bias absorbs its share, gelu passes relevance."""

    treatment: ClassVar[str] = "passes relevance; the bias absorbs its share (z-rule)"

    def values(self) -> tuple[str, ...]:
        """Its input."""
        return self.signal_names

    def fixed_map(self, tensors: Tensors) -> FixedMap:
        """X + b."""
        x = tensors.value(self.node.inputs[0])
        given = self.constant(1)
        bias = np.zeros(1, np.float32) if given is None else np.asarray(given, np.float32)
        return FixedMap((x,), np.asarray(x + bias, np.float32), lambda s: (s,), bias)
