"""The mean of every channel of a tensor, over each picture or over a data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError
from onnxlrp.explainer import Workspace
from onnxlrp.graph.model import Model
from onnxlrp.runtime.activations import Activations
from onnxlrp.runtime.device import Device
from onnxlrp.runtime.feed import checked_input

Array = NDArray[np.float32]

PICTURES = 16
"""Pictures of a data set that are run at once."""


def picture_means(values: Array, axis: int) -> Array:
    """Mean of every channel over the positions of each picture, (N, 1, …, C, …, 1)."""
    positions = tuple(i for i in range(1, values.ndim) if i != axis)
    return np.asarray(values.mean(axis=positions, keepdims=True, dtype=np.float64), np.float32)


def data_means(
    model: Model, reference: Any, axes: Mapping[str, int], device: Device
) -> dict[str, Array]:
    """Mean of every channel over the positions of all pictures of a data set.

    Parameters
    ----------
    model : Model
    reference : array of numbers, the model's input shape (M pictures)
    axes : mapping of tensor name to its channel axis
    device : "auto", "cpu" or "cuda"

    Returns
    -------
    dict of tensor name to ndarray, float32, (1, …, C, …, 1)

    Raises
    ------
    InputError
        ``reference`` does not fit the model.
    """
    try:
        pictures = checked_input(model, reference)
    except InputError as error:
        raise InputError(f"reference: {error}") from error
    forward = Workspace.of(model).forward(device, "single")
    fixed = model.fixed_batch or 1
    size = max(PICTURES - PICTURES % fixed, fixed)
    totals: dict[str, NDArray[np.float64]] = {}
    for start in range(0, len(pictures), size):
        part = pictures[start : start + size]
        activations = Activations(forward, part)
        activations.fetch(axes)
        for name, axis in axes.items():
            means = picture_means(activations.value(name), axis)
            total = means.sum(axis=0, keepdims=True, dtype=np.float64)
            totals[name] = total + totals.get(name, 0.0)
    return {name: np.asarray(total / len(pictures), np.float32) for name, total in totals.items()}
