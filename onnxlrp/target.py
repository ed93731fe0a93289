"""What is explained: a class, one a picture, the top one, a label, or weights over the outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import TargetError, did_you_mean
from onnxlrp.graph.model import Model

Target = int | str | Sequence[int] | NDArray[Any]
Init = str | NDArray[Any]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The target of N pictures.

    Attributes
    ----------
    index : ndarray, int64, (N,)
        Class of each picture; −1 where weights over the outputs were given.
    weights : ndarray, float32, (N, classes)
        One-hot rows, or the weights that were given.
    """

    index: NDArray[np.int64]
    weights: NDArray[np.float32]


def choose(model: Model, output: NDArray[np.float32], target: Target) -> Chosen:
    """Resolve a target against the explained outputs.

    Parameters
    ----------
    model : Model
        For its labels.
    output : ndarray, float32, (N, classes)
    target : int, one int a picture, "top1", a label, or float weights (classes,) or (N, classes)
        Weights explain Σ weights·outputs: +1 and −1 explain the difference of two classes.

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
    samples, classes = output.shape
    if isinstance(target, str):
        index = output.argmax(axis=1) if target == "top1" else _named(model, classes, target)
        return _one_hot(np.broadcast_to(index, (samples,)), classes)
    values = np.asarray(target)
    if values.dtype.kind == "f" and values.shape in ((classes,), output.shape):
        weights = np.ascontiguousarray(np.broadcast_to(values, output.shape), np.float32)
        return Chosen(np.full(samples, -1, np.int64), weights)
    if values.dtype.kind in "iu" and values.shape in ((), (1,), (samples,)):
        return _one_hot(np.broadcast_to(values, (samples,)), classes)
    raise TargetError(
        f"target of shape {values.shape} and type {values.dtype}: give one class, one class for "
        f"each of the {samples} pictures (integers), or weights over {classes} outputs (floats)."
    )


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


def _one_hot(index: NDArray[Any], classes: int) -> Chosen:
    index = np.asarray(index, np.int64)
    wrong = index[(index < 0) | (index >= classes)]
    if wrong.size:
        raise TargetError(
            f"target {int(wrong[0])}: this model has outputs 0 to {classes - 1}. "
            "Choose one of them, or 'top1'."
        )
    weights = np.zeros((len(index), classes), np.float32)
    weights[np.arange(len(index)), index] = 1
    return Chosen(index, weights)


def _named(model: Model, classes: int, name: str) -> int:
    """The class of a label (whole, or one of its comma-separated names), or of a written number."""
    if name.strip().lstrip("-").isdigit():
        return int(name)
    wanted = name.strip().casefold()
    names = [[part.strip().casefold() for part in label.split(",")] for label in model.labels]
    exact = [i for i, label in enumerate(model.labels) if label.casefold() == wanted]
    found = exact or [i for i, parts in enumerate(names) if wanted in parts]
    if len(found) == 1:
        return found[0]
    if len(found) > 1:
        choices = ", ".join(f"{i} ({model.labels[i]})" for i in found)
        raise TargetError(f"target {name!r} names several classes: {choices}. Give the number.")
    if not model.labels:
        raise TargetError(
            f"target {name!r}: this model has no labels. Give a number from 0 to {classes - 1}, "
            "'top1', or load the model with labels=."
        )
    hint = did_you_mean(wanted, [part for parts in names for part in parts])
    raise TargetError(f"target {name!r}: no class has this label.{hint} Or give its number.")
