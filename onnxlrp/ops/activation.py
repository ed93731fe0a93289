"""Activations: element-wise functions, through which relevance passes unchanged."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from onnxlrp.graph.model import Layer, Model
from onnxlrp.ops.base import Array, Pass, Tensors, operation
from onnxlrp.ops.broadcast import sum_to_shape


@operation(
    "Elu", "Selu", "Celu", "LeakyRelu", "PRelu", "Gelu", "HardSwish", "Swish", "Mish", "Softsign",
    "Shrink", "Erf", "LRN", "Neg", "Log", "Reciprocal", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan",
    "Sinh", "Tanh", "Asinh", "Atanh", "com.microsoft.Gelu", "com.microsoft.QuickGelu",
)  # fmt: skip
class Activation(Pass):
    """An element-wise function whose output can have either sign."""


@operation("Relu", "Sigmoid", "HardSigmoid", "Softplus", "Abs", "Sqrt", "Exp", "Cosh", "Acosh")
class PositiveActivation(Pass):
    """An element-wise function that never gives a negative output."""

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self.passes_silence = self.cuts_off = layer.op == "Relu"

    def nonnegative(self, inputs: bool) -> bool:
        """True, whatever the inputs."""
        return True


@operation("Identity", "Dropout", "Cast", "Floor", "Ceil", "Round", "Sign", "ThresholdedRelu")
class Rounding(Pass):
    """A function that keeps the sign: the element itself, rounded, or cut off below a threshold."""

    def nonnegative(self, inputs: bool) -> bool:
        """Rounding never makes a negative of what is not."""
        return inputs


@operation("QuantizeLinear", "DequantizeLinear")
class Quantization(Pass):
    """One half of a pair that rounds: the first makes integers, the second reads them."""


@operation("CastLike")
class CastLike(Pass):
    """A cast to the type of input 1; a constant, cast so, keeps its relevance."""

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self.signals = tuple(i for i in layer.signals if i == 0)
        self.held = (1,)

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """R_in = R_out, if anything of the picture came in."""
        return (relevance,) * len(self.signals)

    def absorbed(self, relevance: Array, tensors: Tensors) -> tuple[Array | None, Array | None]:
        """A constant keeps all of it."""
        return (None if self.signals else relevance), None


@operation("Clip")
class Clip(Pass):
    """min(max(x, low), high), bounds as attributes (up to opset 10) or as inputs."""

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        low, high = self.bounds
        self.cuts_off = low == 0 <= high

    @property
    def bounds(self) -> tuple[float, float]:
        """(low, high); ±inf where open or computed."""
        found = []
        for position, key, default in ((1, "min", -np.inf), (2, "max", np.inf)):
            bound = self.node.attributes.get(key, default)
            if self.is_constant(position):
                bound = self.constant(position)
            found.append(float(np.asarray(bound).reshape(-1)[0]))
        return found[0], found[1]

    def nonnegative(self, inputs: bool) -> bool:
        """Whether the bounds, or the input and the upper bound, rule out a negative element."""
        low, high = self.bounds
        return not self.computed(1, 2) and high >= 0 and (inputs or low >= 0)


@operation("Pow")
class Power(Pass):
    """xᶜ or cˣ with a constant c."""

    treatment: ClassVar[str] = "passes relevance to what is no constant; two activations: refused"

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self.signals = layer.signals
        if len(self.signals) > 1:
            raise self.unsupported("a power of two activations has no rule here")

    def nonnegative(self, inputs: bool) -> bool:
        """Whether the base is not negative, or the exponent even."""
        if not self.is_constant(1):
            return self.is_constant(0) and bool(np.all(np.asarray(self.constant(0)) >= 0))
        return inputs or bool(np.all(np.asarray(self.constant(1)) % 2 == 0))

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """R_in = R_out, summed where the input was repeated."""
        return (sum_to_shape(relevance, tensors.shape(self.signal_names[0])),)
