"""The box of a z^B layer: its lower and upper bounds, as the layer sees them."""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxlrp.errors import RuleError
from onnxlrp.graph.model import Model, first_layers
from onnxlrp.maps import Maps
from onnxlrp.ops.base import Array, Shape
from onnxlrp.plan import Step
from onnxlrp.rules.frame import InputMap
from onnxlrp.runtime.activations import Activations
from onnxlrp.runtime.forward import Forward

Ends = tuple[tuple[Array, ...], tuple[Array, ...]]
"""(low, high), each with one array for every signal input, broadcasting over the batch."""


class Bounds:
    """Finds the bounds of z^B layers.

    For a first layer a rule's bounds are those of the model's own input; they are carried to the
    layer through the network's first steps (normalising, transposing, padding), which are run on
    them. Deeper down they are bounds of the layer's own input.

    Parameters
    ----------
    model : Model
    forward : Forward
        Runs the first steps.
    picture : tuple of int
        Shape of the input, batch included.
    maps : Maps
        Keeps what was found, for it does not depend on what the pictures show.
    """

    def __init__(self, model: Model, forward: Forward, picture: Shape, maps: Maps) -> None:
        self._model = model
        self._forward = forward
        self._picture = picture
        self._maps = maps

    def of(self, step: Step, shapes: tuple[Shape, ...]) -> Ends:
        """(low, high) of a step's inputs, which have these shapes.

        Raises
        ------
        RuleError
            The bounds do not broadcast to the input.
        """
        assert step.rule is not None
        view = step.rule.input
        key = ("bounds", step.layer.index, view, self._picture[1:])
        ends = self._maps.constants(key, lambda: self._find(step, view, shapes))
        return ends[: len(shapes)], ends[len(shapes) :]

    def _find(self, step: Step, view: InputMap, shapes: tuple[Shape, ...]) -> tuple[Array, ...]:
        """The lower bounds and then the upper ones, an array for every signal input each."""
        names = step.operation.signal_names
        first = first_layers(self._model)
        if step.layer.index not in first or names == (self._model.input.name,):
            return tuple(
                _broadcast(bound, (1, *shape[1:]), step)
                for bound in (view.low, view.high)
                for shape in shapes
            )
        batch = (self._model.fixed_batch or 1, *self._picture[1:])
        ends = []
        for bound in (view.low, view.high):
            carried = Activations(self._forward, _broadcast(bound, batch, step))
            ends.append([carried.value(name)[:1] for name in names])
        # A negative factor on the way turns the box round.
        both = (*map(np.minimum, *ends), *map(np.maximum, *ends))
        return tuple(map(np.ascontiguousarray, both))


def _broadcast(bound: Any, shape: Shape, step: Step) -> Array:
    try:
        return np.array(np.broadcast_to(np.asarray(bound, np.float32), shape), order="C")
    except ValueError as error:
        raise RuleError(
            f"layer {step.layer}: bounds of shape {np.shape(bound)} do not broadcast to {shape}."
        ) from error
