"""Elements picked and put by index, in float64, also where the indices are fewer than the data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx.reference.op_run import OpRun

Array = NDArray[np.float64]


def _places(indices: NDArray[np.int64], shape: tuple[int, ...], axis: int) -> tuple[Any, ...]:
    """Where in the data every index points: its own place, but for the axis."""
    places = list(np.ogrid[tuple(slice(n) for n in indices.shape)])
    places[axis] = indices % shape[axis]
    return tuple(places)


class GatherElements(OpRun):
    """y[…, i, …] = x[…, indices[…, i, …], …]."""

    def _run(self, x: Array, indices: NDArray[np.int64], axis: int = 0) -> tuple[Array]:
        return (x[_places(indices, x.shape, axis)],)


class Scatter(OpRun):
    """A copy of x with y[…, indices[…, i, …], …] = updates[…, i, …] (opset 9 and 10)."""

    op_domain = ""

    def _run(
        self, x: Array, indices: NDArray[np.int64], updates: Array, axis: int = 0
    ) -> tuple[Array]:
        y = x.copy()
        y[_places(indices, x.shape, axis)] = updates
        return (y,)
