"""Products and quotients: by a constant, by a gate or a norm, or of two signals."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from onnxlrp.graph.model import Layer, Model
from onnxlrp.ops.base import Array, Operation, Tensors, operation
from onnxlrp.ops.broadcast import sum_to_shape
from onnxlrp.ops.gates import ancestors, comes_from, is_gate, unscaled
from onnxlrp.ops.scaling import ConstantFactor

Treatment = Literal["auto", "uniform", "first", "second"]


@operation("Mul")
def multiplication(layer: Layer, model: Model) -> Operation:
    """·c: as /c; by a gate or a norm of itself: all to the other factor; else half to each."""
    for position in (0, 1):
        if layer.node.inputs[position] in model.constants:
            factor = np.asarray(model.constants[layer.node.inputs[position]], np.float32)
            return ConstantFactor(layer, model, 1 - position, factor)
    return Product(layer, model)


@operation("Div")
def division(layer: Layer, model: Model) -> Operation:
    """/c: merged into the linear layer before it, else passes; by a norm of itself: passes."""
    denominator = layer.node.inputs[1]
    if denominator in model.constants:
        factor = 1.0 / np.asarray(model.constants[denominator], np.float64)
        return ConstantFactor(layer, model, 0, factor.astype(np.float32))
    return Quotient(layer, model)


class Product(Operation):
    """Product of two activations.

    * If one factor is computed from the other element by element or through norms and means of it
      (x·σ(x)), or is a gate (a sigmoid, softmax or clip within [0, 1], also reshaped, repeated or
      scaled), or follows from shapes or masks: all to the signal.
    * Two signals: half to each (the uniform rule of AttnLRP).

    ``treatment`` "uniform", "first" or "second" overrides what was found.
    """

    treatment: ClassVar[str] = "all to the signal if the other factor gates it, else half to each"

    def __init__(self, layer: Layer, model: Model, treatment: Treatment = "auto") -> None:
        super().__init__(layer, model)
        found = {"first": 0, "second": 1}.get(treatment)
        if treatment == "auto" or found not in (*layer.signals, None):
            found = self._signal()
        self.signals = layer.signals if found is None else (found,)
        self.held = tuple(i for i in (0, 1) if i not in self.signals)

    def treated(self, treatment: Treatment) -> Product:
        """The same product under another treatment."""
        return Product(self.layer, self.model, treatment)

    def _signal(self) -> int | None:
        """The factor that is let through by the other one; None if both are signals."""
        if len(self.layer.signals) == 1:
            return self.layer.signals[0]
        names = self.node.inputs[0], self.node.inputs[1]
        for position in (0, 1):
            source = unscaled(self.model, names[position])
            if comes_from(self.model, names[1 - position], source):
                return position
        gates = [is_gate(self.model, name) for name in names]
        if gates[0] != gates[1]:
            return 1 if gates[0] else 0
        return None

    def nonnegative(self, inputs: bool) -> bool:
        """A product of what is not negative is not negative (if both factors are looked at)."""
        return inputs and len(self.signals) == 2

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """R to the signal, or R/2 to each."""
        share = relevance if len(self.signals) == 1 else np.float32(0.5) * relevance
        return tuple(sum_to_shape(share, tensors.shape(name)) for name in self.signal_names)


class Quotient(Operation):
    """A quotient by an activation that passes relevance to one of the two.

    * A constant by x: a reciprocal, an activation of x.
    * x by a norm, mean, part or element-wise function of x, or of what x comes from: the norm is
      held fixed, all to x.
    """

    treatment: ClassVar[str] = "all to the numerator, a norm of it in the denominator held fixed"

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        numerator, denominator = self.node.inputs
        self.signals = (0,) if 0 in layer.signals else (1,)
        self.held = tuple(i for i in (0, 1) if i not in self.signals)
        normed = len(layer.signals) < 2 or any(
            comes_from(model, numerator, source, moved=True)
            and comes_from(model, denominator, source, moved=True)
            for source in ancestors(model, numerator)
        )
        if not normed:
            raise self.unsupported(
                f"{numerator!r} is divided by {denominator!r}, which is no norm or function of it"
            )

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """R to the signal."""
        return (sum_to_shape(relevance, tensors.shape(self.signal_names[0])),)
