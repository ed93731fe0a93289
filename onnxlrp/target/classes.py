"""Classes: from numbers and labels to weights over the outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import TargetError, did_you_mean
from onnxlrp.graph.model import Model

Weights = NDArray[np.float32]
Label = int | str
"""A class: its number, or its name."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The target of N pictures.

    Attributes
    ----------
    index : ndarray, int64, (N,)
        Class of each picture; −1 where the target is no single class.
    weights : ndarray, float32, the outputs' shape
        What is explained is Σ weights·outputs; one-hot rows for classes.
    """

    index: NDArray[np.int64]
    weights: Weights


def as_scores(
    output: NDArray[np.float32], model: Model | None = None, tensor: str = ""
) -> NDArray[np.float32]:
    """Lay outputs out as (N, classes), where that is what they are.

    They are where only one axis beside the batch is longer than 1, and where ``tensor`` is what
    ``model`` explains and the model itself flattens it for an output of two axes.
    """
    declared = model.output.shape if model is not None and tensor == model.explained else None
    flattened = declared is not None and len(declared) == 2
    long = sum(size > 1 for size in output.shape[1:])
    return output.reshape(len(output), -1) if long < 2 or flattened else output


def flat(output: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the outputs as (N, classes); refuse maps of classes."""
    scores = as_scores(output)
    if scores.ndim > 2:
        raise TargetError(
            f"a class alone does not say what is meant in outputs of shape {output.shape}: give "
            "Target.region(class) for a map of classes ('region:15' on the command line), "
            "Target.box(box, column) for boxes ('box:17/9'), or Target.element(…) ('element:3,20')."
        )
    return scores


def single_class(model: Model, output: NDArray[np.float32], target: Any) -> Chosen:
    """One class for all pictures, or one each."""
    samples, classes = output.shape
    if isinstance(target, str):
        index = output.argmax(axis=1) if target == "top1" else _named(model, classes, target)
        return one_hot(np.broadcast_to(index, (samples,)), classes)
    values = np.asarray(target)
    if values.dtype.kind in "iu" and values.shape in ((), (1,), (samples,)):
        return one_hot(np.broadcast_to(values, (samples,)), classes)
    raise TargetError(
        f"target of shape {values.shape} and type {values.dtype}: give one class, one class for "
        f"each of the {samples} pictures (integers), or weights over {classes} outputs (floats)."
    )


def one_hot(index: NDArray[Any], classes: int) -> Chosen:
    """One class for each picture, checked."""
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


def number_of(model: Model, classes: int, label: Label) -> int:
    """The number of a class, checked."""
    number = _named(model, classes, label) if isinstance(label, str) else int(label)
    return int(one_hot(np.array([number]), classes).index[0])


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


def class_axis(model: Model, shape: tuple[int, ...]) -> int:
    """The axis of the classes in a map of them: 1, or the last one."""
    if model.labels and shape[1] != len(model.labels) == shape[-1]:
        return -1
    layout = model.preprocessing.layout if model.preprocessing is not None else "NCHW"
    return 1 if layout == "NCHW" else -1
