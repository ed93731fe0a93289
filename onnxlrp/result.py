"""What an explanation gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onnxlrp.books import LayerBooks
from onnxlrp.composites import Composite
from onnxlrp.ops.base import Array


@dataclass(frozen=True, slots=True)
class Result:
    """An explanation of N pictures.

    Attributes
    ----------
    relevance : ndarray, float32, shape of x
        R of every input element, in units of the explained output.
    target : ndarray, int64, (N,)
        The explained class of each picture; −1 where the target was no class.
    aim : str
        What was explained, written out, where it was no class: "region:15"; "" else.
    score : ndarray, float32, (N,)
        Its value in each picture: a class's output, the sum over a region, a neuron's activation.
    output : ndarray, float32, (N, classes)
        The explained outputs: logits, where a final softmax was cut off. Maps of classes, boxes and
        layers within have the shape that they have in the network.
    tensors : mapping of str to ndarray
        Relevance of every recorded layer's output or tensor.
    provider : str
        Who ran the forward pass: an onnxruntime provider, or "float64 reference".
    books : tuple of LayerBooks
        Where relevance went, from the output down; empty unless asked for.
    composite : Composite
    """

    relevance: Array
    target: NDArray[np.int64]
    aim: str
    score: Array
    output: Array
    tensors: Mapping[str, Array]
    provider: str
    composite: Composite
    books: tuple[LayerBooks, ...] = ()
