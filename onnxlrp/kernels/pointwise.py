"""Convolution with a 1×1 window and no stride: one product of all positions."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels._products import STRIP
from onnxlrp.kernels._vectors import WIDE
from onnxlrp.kernels.packing import Packed
from onnxlrp.kernels.shares import even_ranges, row_ranges
from onnxlrp.kernels.threads import Job

Array = NDArray[np.float32]

#: Positions that a job has, at most.
_MOST = 1536
#: Fewer positions do not fill a vector.
LEAST_POSITIONS = WIDE


@dataclass(frozen=True, slots=True)
class Pointwise:
    """Product of packed weights (result, channel) with every position."""

    packed: Packed

    def jobs(self, source: Array, out: Array) -> list[Job]:
        """Jobs for (N, channel, ...) arrays with at least `LEAST_POSITIONS` positions."""
        channels = source.reshape(len(source), self.packed.depth, -1)
        places = out.reshape(len(out), self.packed.rows, -1)
        parts = _parts(channels.shape[2])
        results = row_ranges(self.packed.rows, len(parts) * len(source))
        return [
            partial(self._work, channels[n], places[n, rows], part, rows)
            for n in range(len(source))
            for part, rows in itertools.product(parts, results)
        ]

    def _work(self, source: Array, out: Array, part: slice, rows: slice) -> None:
        """Compute some results at some positions."""
        positions, count = source.shape[1], part.stop - part.start
        self.packed.multiply(
            _offsets(self.packed.depth, positions), source.reshape(-1)[part.start :], 0,
            out.reshape(-1)[part.start :], 0, positions, count, slice(0, 1), rows,
        )  # fmt: skip


@lru_cache(maxsize=512)
def _parts(positions: int) -> tuple[slice, ...]:
    """Ranges of positions, in full strips but for the last."""
    strips = even_ranges(positions // STRIP, _MOST // STRIP)
    edges = [STRIP * strip.start for strip in strips] + [positions]
    return tuple(slice(a, b) for a, b in itertools.pairwise(edges))


@lru_cache(maxsize=512)
def _offsets(channels: int, step: int) -> NDArray[np.int32]:
    """Offset of each channel."""
    offsets = np.arange(channels, dtype=np.int32) * np.int32(step)
    offsets.flags.writeable = False
    return offsets
