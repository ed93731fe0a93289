"""Products and quotients: by a constant, by a gate, or of two signals."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from onnxlrp.graph.model import Layer, Model
from onnxlrp.ops.base import OPERATIONS, Array, Move, Operation, Pass, Tensors, operation
from onnxlrp.ops.broadcast import sum_to_shape
from onnxlrp.ops.scaling import ConstantFactor

Treatment = Literal["auto", "uniform", "first", "second"]

GATES = ("Sigmoid", "HardSigmoid", "Softmax")
"""Operators whose output lies in [0, 1]: what multiplies a signal with it only lets it through."""


@operation("Mul")
def multiplication(layer: Layer, model: Model) -> Operation:
    """x·c passes relevance; x·y gives all to a gated signal, else half to each factor."""
    for position in (0, 1):
        if layer.node.inputs[position] in model.constants:
            factor = np.asarray(model.constants[layer.node.inputs[position]], np.float32)
            return ConstantFactor(layer, model, 1 - position, factor)
    return Product(layer, model)


@operation("Div")
def division(layer: Layer, model: Model) -> Operation:
    """x/c passes relevance; dividing by an activation is not supported."""
    numerator, denominator = layer.node.inputs
    if denominator in model.constants:
        factor = 1.0 / np.asarray(model.constants[denominator], np.float64)
        return ConstantFactor(layer, model, 0, factor.astype(np.float32))
    op = Operation(layer, model)
    what = "a constant" if numerator in model.constants else "an activation"
    raise op.unsupported(f"{what} divided by an activation has no rule here")


class Product(Operation):
    """Product of two activations.

    * If one factor is computed from the other element by element (x·σ(x)), or is a gate (a
      sigmoid, softmax or clip within [0, 1], also reshaped, repeated or scaled): all to the signal.
    * Two signals: half to each (the uniform rule of AttnLRP).

    ``treatment`` "uniform", "first" or "second" overrides what was found.
    """

    treatment: ClassVar[str] = "all to the signal if the other factor gates it, else half to each"

    def __init__(self, layer: Layer, model: Model, treatment: Treatment = "auto") -> None:
        super().__init__(layer, model)
        found = self._signal() if treatment == "auto" else {"first": 0, "second": 1}.get(treatment)
        self.signals = (0, 1) if found is None else (found,)

    def treated(self, treatment: Treatment) -> Product:
        """The same product under another treatment."""
        return Product(self.layer, self.model, treatment)

    def _signal(self) -> int | None:
        """The factor that is let through by the other one; None if both are signals."""
        names = self.node.inputs[0], self.node.inputs[1]
        for position in (0, 1):
            source = unscaled(self.model, names[position])
            if is_elementwise_of(self.model, names[1 - position], source):
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


def is_gate(model: Model, name: str) -> bool:
    """Whether the tensor lies in [0, 1] by its making, seen through moves and constant factors."""
    layer = model.producers.get(name)
    if layer is None:
        return False
    if layer.op in GATES:
        return True
    if layer.op == "Clip":
        low, high = clip_bounds(layer, model)
        return low >= 0 and high <= 1
    factory = OPERATIONS.get(layer.op)
    looks_through = isinstance(factory, type) and issubclass(factory, Move)
    source = layer.node.inputs[0] if looks_through else unscaled(model, name)
    return source != name and is_gate(model, source)


def clip_bounds(layer: Layer, model: Model) -> tuple[float, float]:
    """Bounds of a Clip, from attributes or constant inputs; ±inf where open or not constant."""
    bounds = []
    for position, key, default in ((1, "min", -np.inf), (2, "max", np.inf)):
        inputs = layer.node.inputs
        name = inputs[position] if position < len(inputs) else ""
        value = model.constants.get(name, layer.node.attributes.get(key, default))
        bounds.append(float(np.asarray(value).reshape(-1)[0]))
    return bounds[0], bounds[1]


def unscaled(model: Model, name: str) -> str:
    """The tensor that this one is a constant multiple of (itself, if none)."""
    layer = model.producers.get(name)
    if layer is None or layer.op not in ("Mul", "Div"):
        return name
    signals = [i for i in layer.node.inputs if i not in model.constants]
    if len(signals) != 1 or (layer.op == "Div" and signals[0] != layer.node.inputs[0]):
        return name
    return unscaled(model, signals[0])


def is_elementwise_of(model: Model, name: str, source: str) -> bool:
    """Whether every element of the tensor is computed from the same element of ``source``."""
    if name == source:
        return True
    layer = model.producers.get(name)
    if layer is None:
        return False
    factory = OPERATIONS.get(layer.op)
    unary = isinstance(factory, type) and issubclass(factory, Pass)
    if not unary and layer.op not in ("Mul", "Div", "Add", "Sub", "Pow"):
        return False
    signals = [i for i in layer.node.inputs if i and i not in model.constants]
    return bool(signals) and all(is_elementwise_of(model, i, source) for i in signals)
