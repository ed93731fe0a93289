"""From what a person says is to be explained to the relevance that the sweep starts with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import TargetError, did_you_mean
from onnxlrp.graph.model import Model
from onnxlrp.target.classes import Chosen, flat, single_class
from onnxlrp.target.kinds import Target
from onnxlrp.target.text import read_target

AnyTarget = int | str | Sequence[int] | NDArray[Any] | Target
Init = str | NDArray[Any]


def as_target(target: AnyTarget, model: Model) -> AnyTarget:
    """Turn text into the target that it spells; a label is what it is, whatever it looks like."""
    if isinstance(target, str) and target not in model.labels:
        return read_target(target) or target
    return target


def start_of(target: AnyTarget, model: Model) -> str:
    """Name the tensor where the sweep to a target starts.

    Raises
    ------
    TargetError
        No such layer or tensor lies between the picture and the explained output.
    """
    name = target.start if isinstance(target, Target) else ""
    if not name or name == model.output.name:
        return model.explained
    layers = {layer.name: layer.node.output for layer in model.layers}
    tensor = layers.get(name, name)
    if tensor in model.producers:
        return tensor
    hint = did_you_mean(name, [*layers, *model.producers])
    raise TargetError(
        f"target {name!r}: no layer or tensor on the way to {model.explained!r} has this name."
        f"{hint} Another output is explained by loading the model with output=."
    )


def choose(model: Model, output: NDArray[np.float32], target: AnyTarget) -> Chosen:
    """Resolve a target against the outputs.

    Parameters
    ----------
    model : Model
        For its labels.
    output : ndarray, float32, (N, classes), or of any shape (N, …)
    target : Target, int, one int a picture, "top1", a label, or float weights of the outputs' shape
        Weights explain Σ weights·outputs: +1 and −1 explain the difference of two classes. Of maps
        of classes and other outputs with more than one axis a :class:`Target` says what is meant.

    Raises
    ------
    TargetError
        Out of range, unknown or ambiguous label, or an array of another shape.

    Examples
    --------
    >>> logits = np.array([[0.1, 0.7, 0.2]], np.float32)
    >>> choose(None, logits, "top1").index
    array([1])
    """
    nothing = np.full(len(output), -1, np.int64)
    if isinstance(target, Target):
        return Chosen(nothing, target.weigh(model, output))
    values = np.asarray(target)
    if values.dtype.kind == "f" and values.shape in (output.shape, output.shape[1:]):
        weights = np.ascontiguousarray(np.broadcast_to(values, output.shape), np.float32)
        return Chosen(nothing, weights)
    chosen = single_class(model, flat(output), target)
    return Chosen(chosen.index, chosen.weights.reshape(output.shape))


def initial_relevance(
    output: NDArray[np.float32], chosen: Chosen, init: Init
) -> NDArray[np.float32]:
    """R at the explained outputs: "logit": weights·outputs, "one": the weights, or an array.

    Raises
    ------
    TargetError
        Another word, or an array that does not broadcast to the outputs.
    """
    if isinstance(init, str):
        if init == "logit":
            return chosen.weights * output
        if init == "one":
            return chosen.weights
        raise TargetError(
            f"init {init!r}: 'logit', 'one', or an array of the outputs' shape {output.shape}."
            f"{did_you_mean(init, ('logit', 'one'))}"
        )
    values = np.asarray(init)
    if values.shape not in (output.shape, output.shape[1:]) or values.dtype.kind not in "iuf":
        raise TargetError(
            f"init of shape {values.shape} and type {values.dtype}: the outputs have shape "
            f"{output.shape}, give numbers of that shape."
        )
    return np.ascontiguousarray(np.broadcast_to(values, output.shape), np.float32)
