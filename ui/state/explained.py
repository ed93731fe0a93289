"""What an explanation looks like on the screen: maps of one picture under one design."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onnxlrp.books import LayerBooks
from onnxlrp.composites import Composite
from onnxlrp.explainer import Result
from onnxlrp.graph.model import Model
from onnxlrp.render.heatmap import channel_sum

Map = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """One picture explained under one design.

    Attributes
    ----------
    relevance : ndarray, float32, (H, W)
        R of every pixel, summed over the channels.
    full : ndarray, float32, shape of the input
        R of every input element.
    maps : mapping of int to ndarray, float32, (H, W)
        Layer index → the relevance that arrives at the layer's *input*, summed over channels.
    books : tuple of LayerBooks
        Where relevance went, from the output down; empty until they were asked for.
    output : ndarray, float32
        The explained outputs of this picture, without a batch axis.
    target : int
        The explained class, −1 where it is none; ``aim`` then writes it out.
    score, started, arrived : float
        The target's value; Σ R at the output, and at the picture.
    seconds : float
        What the sweep took.
    """

    composite: Composite
    relevance: Map
    full: NDArray[np.float32]
    maps: Mapping[int, Map]
    books: tuple[LayerBooks, ...]
    output: NDArray[np.float32]
    target: int
    aim: str
    score: float
    started: float
    arrived: float
    seconds: float

    @property
    def conservation_error(self) -> float:
        """|Σ R at the picture − Σ R at the output| / |Σ R at the output|; NaN if that is 0."""
        return abs(self.arrived - self.started) / abs(self.started) if self.started else np.nan


def read_by(model: Model, index: int) -> str:
    """The tensor at a layer's input."""
    layer = model.layers[index]
    return layer.node.inputs[layer.signals[0]]


def flat_map(relevance: NDArray[np.float32], layout: str) -> Map:
    """The tensor of one picture as a map: Σ over channels; what has no place as a near-square.

    Parameters
    ----------
    relevance : ndarray, float32, (C, H, W), (H, W, C) or any other
    layout : "NCHW" or "NHWC"
    """
    if relevance.ndim == 3:
        return channel_sum(relevance, layout)
    if relevance.ndim == 2:
        return np.ascontiguousarray(relevance)
    line = relevance.reshape(-1)
    width = max(1, int(np.ceil(np.sqrt(line.size))))
    rows = max(1, -(-line.size // width))
    return np.pad(line, (0, rows * width - line.size)).reshape(rows, width)


def as_shown(
    model: Model, result: Result, names: Mapping[int, str], started: float | None, seconds: float
) -> Explained:
    """The first picture of a result, as the screen needs it."""
    layout = model.preprocessing.layout if model.preprocessing is not None else "NCHW"
    score = float(result.score[0])
    full = result.relevance[:1]
    return Explained(
        composite=result.composite,
        relevance=flat_map(full[0], layout),
        full=full,
        maps={i: flat_map(result.tensors[name][0], layout) for i, name in names.items()},
        books=result.books,
        output=result.output[0],
        target=int(result.target[0]),
        aim=result.aim,
        score=score,
        started=score if started is None else started,
        arrived=float(full.sum(dtype=np.float64)),
        seconds=seconds,
    )
