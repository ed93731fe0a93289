"""Relevance of an input of any rank as rows and columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from onnxlrp.graph.model import Model
from onnxlrp.render.heatmap import channel_sum

_BAND_WIDTH = 448
"""Pixels; what has no rows and columns is drawn as a band of at most this length."""


def relevance_map(model: Model, relevance: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring the relevance of one input of any rank to rows and columns.

    Channels are summed, and so is every further axis of a volume; a signal becomes a band.

    Parameters
    ----------
    model : Model
    relevance : ndarray, float32, the model's input shape with a batch of 1

    Returns
    -------
    ndarray of shape (H, W), float32
    """
    (values,) = relevance
    if values.ndim >= 3:
        layout = _layout(model, values.shape)
        while values.ndim > 3:  # (C, D, H, W) or (D, H, W, C)
            values = values.sum(axis=1 if layout == "NCHW" else 0)
        return channel_sum(values, layout)
    return _band(np.atleast_2d(values))


def _band(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Draw a signal (C, L) as a band of C stripes; a long one is summed up piece by piece."""
    length = signal.shape[1]
    width = min(length, _BAND_WIDTH)
    starts = np.arange(width) * length // width
    stripes = np.add.reduceat(signal, starts, axis=1)
    return np.repeat(stripes, max(1, width // (3 * len(stripes))), axis=0)


def _layout(model: Model, shape: tuple[int, ...]) -> str:
    """Where the channels are: as the preprocessing says, else where an axis has so few."""
    if model.preprocessing is not None:
        return model.preprocessing.layout
    return "NHWC" if shape[-1] <= 4 < shape[0] else "NCHW"
