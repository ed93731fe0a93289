"""Element-wise choices: Max and Min of activations, Where. The chosen element takes all."""

from __future__ import annotations

from functools import reduce
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from onnxlrp.graph.model import Layer, Model
from onnxlrp.ops.base import Array, Operation, Tensors, operation
from onnxlrp.ops.broadcast import sum_to_shape


@operation("Max", "Min")
class Extremum(Operation):
    """The greatest (least) of its inputs; constants only bound it, and pass relevance like Clip."""

    treatment: ClassVar[str] = (
        "winner takes all, the first one on ties; a bound by constants passes relevance"
    )

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self.signals = layer.signals

    def nonnegative(self, inputs: bool) -> bool:
        """Whether one input (Min: every one) is never negative."""
        fixed = [
            bool(np.all(np.asarray(self.constant(i)) >= 0))
            for i in range(len(self.node.inputs))
            if self.is_constant(i)
        ]
        if self.node.op == "Max":
            return inputs or any(fixed)
        return inputs and all(fixed) and len(fixed) + len(self.signals) == len(self.node.inputs)

    def values(self) -> tuple[str, ...]:
        """The inputs decide who wins."""
        return self.signal_names if len(self.signals) > 1 else ()

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """R → the winner among the inputs that are no constants."""
        shapes = [tensors.shape(name) for name in self.signal_names]
        if len(self.signals) == 1:
            return (sum_to_shape(relevance, shapes[0]),)
        xs = [np.broadcast_to(tensors.value(n), relevance.shape) for n in self.signal_names]
        best = reduce(np.maximum if self.node.op == "Max" else np.minimum, xs)
        parts, free = [], np.ones(relevance.shape, bool)
        for x, shape in zip(xs, shapes, strict=True):
            wins = free & (x == best)
            free &= ~wins
            parts.append(sum_to_shape(np.where(wins, relevance, np.float32(0)), shape))
        return tuple(parts)


@operation("Where")
class Where(Operation):
    """condition ? x : y; the condition is held fixed."""

    treatment: ClassVar[str] = "to the chosen element; constants keep their share"

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self.signals = tuple(i for i in layer.signals if i > 0)
        self.held = (0,)

    def nonnegative(self, inputs: bool) -> bool:
        """Whether the constant among the choices is not negative either."""
        fixed = [i for i in (1, 2) if i not in self.signals]
        return inputs and all(
            self.is_constant(i) and bool(np.all(np.asarray(self.constant(i)) >= 0)) for i in fixed
        )

    def values(self) -> tuple[str, ...]:
        """The condition, if it is computed."""
        return self.computed(0)

    def _chosen(self, position: int, relevance: Array, tensors: Tensors) -> NDArray[np.bool_]:
        """Where that input was chosen."""
        condition = np.asarray(self.setting(0, tensors), bool)
        return np.broadcast_to(condition if position == 1 else ~condition, relevance.shape)

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """R → the element that was chosen."""
        return tuple(
            sum_to_shape(
                np.where(self._chosen(i, relevance, tensors), relevance, np.float32(0)),
                tensors.shape(self.node.inputs[i]),
            )
            for i in self.signals
        )

    def absorbed(self, relevance: Array, tensors: Tensors) -> tuple[Array | None, Array | None]:
        """R where a constant was chosen."""
        fixed = [i for i in (1, 2) if i not in self.signals]
        kept = [self._chosen(i, relevance, tensors) for i in fixed]
        return (np.where(kept[0], relevance, np.float32(0)) if kept else None), None
