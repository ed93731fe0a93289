"""Where the relevance of a layer went: what it handed on, and what it kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.graph.model import Layer
from onnxlrp.kernels import sum_per_sample


@dataclass(frozen=True, slots=True)
class LayerBooks:
    """Where the relevance of one layer went, in units of relevance, float64 (N,) each.

    ``arrived`` = ``handed`` + ``bias`` + ``epsilon`` + ``other``. Where a tensor's first axis is
    not that of the pictures, only the sum over all pictures counts.

    Attributes
    ----------
    layer : Layer
    rule : str
        Its rule, "" where relevance only moves.
    arrived : Σ R at the layer's output
    handed : Σ R handed to its inputs
    bias, epsilon : absorbed by the bias (by constants), by the stabiliser
    inputs : mapping of str to Σ R
        Input tensor → its part of ``handed``.
    """

    layer: Layer
    rule: str
    arrived: NDArray[np.float64]
    handed: NDArray[np.float64]
    bias: NDArray[np.float64]
    epsilon: NDArray[np.float64]
    inputs: Mapping[str, NDArray[np.float64]] = field(default_factory=dict, kw_only=True)

    @property
    def lost(self) -> NDArray[np.float64]:
        """What the layer did not hand on; negative where it handed on more than arrived."""
        return self.arrived - self.handed

    @property
    def other(self) -> NDArray[np.float64]:
        """Neither handed on nor absorbed: neurons without contributions, coefficients off 1."""
        rest: NDArray[np.float64] = self.arrived - self.handed - self.bias - self.epsilon
        return rest


def total(relevances: Iterable[NDArray[Any] | None], pictures: int) -> NDArray[np.float64]:
    """Σ R over all tensors, per picture; in equal parts where the first axis cannot be theirs."""
    total = np.zeros(pictures)
    for relevance in relevances:
        if relevance is None:
            continue
        sums = relevance
        if relevance.dtype == np.float32:
            sums = sum_per_sample(np.ascontiguousarray(relevance))
        divides = len(sums) % pictures == 0
        total += sums.reshape(pictures, -1).sum(axis=1) if divides else sums.sum() / pictures
    return total
