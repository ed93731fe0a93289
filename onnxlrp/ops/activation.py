"""Activations: element-wise functions, through which relevance passes unchanged."""

from __future__ import annotations

import numpy as np

from onnxlrp.ops.base import Pass, operation


@operation(
    "Identity", "Dropout", "Cast", "Elu", "Selu", "Celu", "LeakyRelu", "PRelu", "ThresholdedRelu",
    "Tanh", "Gelu", "HardSwish", "Swish", "Mish", "Softsign", "Shrink", "Erf", "LRN",
)  # fmt: skip
class Activation(Pass):
    """An element-wise function whose output can have either sign."""


@operation("Relu", "Sigmoid", "HardSigmoid", "Softplus")
class PositiveActivation(Pass):
    """An element-wise function that never gives a negative output."""

    def nonnegative(self, inputs: bool) -> bool:
        """True, whatever the inputs."""
        return True


@operation("Clip")
class Clip(Pass):
    """min(max(x, low), high), bounds as attributes (up to opset 10) or as inputs."""

    def nonnegative(self, inputs: bool) -> bool:
        """Whether the lower bound is at least 0."""
        low = self.node.attributes.get("min", -np.inf)
        if self.is_constant(1):
            low = self.constant(1)
        return inputs or bool(np.all(np.asarray(low) >= 0))
