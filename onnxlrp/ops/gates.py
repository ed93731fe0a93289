"""Reading the graph around a product: which factor is the signal, which one a gate or a norm."""

from __future__ import annotations

from collections.abc import Iterator

from onnxlrp.graph.model import Layer, Model
from onnxlrp.ops.activation import Clip
from onnxlrp.ops.base import OPERATIONS, Move, Pass, qualified

GATES = frozenset({"Sigmoid", "HardSigmoid", "Softmax"})
"""Operators whose output lies in [0, 1]: what multiplies a signal with it only lets it through."""

ELEMENTWISE = frozenset({"Mul", "Div", "Add", "Sub", "Pow", "Sum", "Mean", "Max", "Min", "Where"})
"""Operators that work element by element on several inputs."""

STATISTICS = frozenset({
    "ReduceMean", "ReduceSum", "ReduceSumSquare", "ReduceL1", "ReduceL2", "ReduceMax", "ReduceMin",
    "ReduceLogSum", "ReduceLogSumExp", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool",
})  # fmt: skip
"""Operators that make one number of many elements: norms, means, extremes."""

SHAPING = frozenset({"Reshape", "Squeeze", "Unsqueeze", "Expand"})
"""Moves by which a norm is laid out like the signal again."""


def is_gate(model: Model, name: str) -> bool:
    """Whether the tensor lies in [0, 1] by its making, seen through moves and constant factors."""
    layer = model.producers.get(name)
    if layer is None:
        return False
    if layer.op in GATES:
        return True
    if layer.op == "Clip":
        low, high = Clip(layer, model).bounds
        return low >= 0 and high <= 1
    source = layer.node.inputs[0] if _is(layer, Move) else unscaled(model, name)
    return source != name and is_gate(model, source)


def unscaled(model: Model, name: str) -> str:
    """The tensor that this one is a constant multiple of (itself, if none)."""
    layer = model.producers.get(name)
    if layer is None or layer.op not in ("Mul", "Div"):
        return name
    signals = _signals(layer)
    if len(signals) != 1 or (layer.op == "Div" and signals[0] != layer.node.inputs[0]):
        return name
    return unscaled(model, signals[0])


def comes_from(model: Model, name: str, source: str, moved: bool = False) -> bool:
    """Whether the tensor is made of ``source`` alone, element by element or by statistics of it.

    ``moved``: or of parts of it, and of its elements in other places.
    """
    pending, seen = [name], {source}
    while pending:
        tensor = pending.pop()
        if tensor in seen:
            continue
        seen.add(tensor)
        layer = model.producers.get(tensor)
        if layer is None or not _is_function(layer, moved):
            return False
        pending += _signals(layer)
    return True


def ancestors(model: Model, name: str) -> Iterator[str]:
    """The tensor and all that it is made of as above, moves included, nearest first."""
    found = [name]
    for tensor in found:
        layer = model.producers.get(tensor)
        if layer is not None and _is_function(layer, moved=True):
            found += [i for i in _signals(layer) if i not in found]
    yield from found


def _is_function(layer: Layer, moved: bool) -> bool:
    """Whether the layer works element by element, makes statistics, or lays them out again."""
    known = layer.op in ELEMENTWISE | STATISTICS | SHAPING or _is(layer, Pass)
    return known or (moved and _is(layer, Move))


def _is(layer: Layer, kind: type) -> bool:
    """Whether the layer's operation is of that kind, whatever its attributes."""
    factory = OPERATIONS.get(qualified(layer.node))
    return isinstance(factory, type) and issubclass(factory, kind)


def _signals(layer: Layer) -> list[str]:
    """The layer's inputs that depend on the picture's values."""
    return [layer.node.inputs[i] for i in layer.signals]
