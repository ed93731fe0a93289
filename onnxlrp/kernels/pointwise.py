"""Convolution with a 1×1 window and no stride: a product that reads and writes without copies."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels.packing import Packed
from onnxlrp.kernels.shares import even_ranges, row_ranges
from onnxlrp.kernels.threads import Job

Array = NDArray[np.float32]

#: Numbers of the source that one block reads (256 KiB): they stay in a core's cache.
_BLOCK = 65536
#: A sample is cut into about this many jobs, so that all threads end at about the same time.
_JOBS = 8
#: Positions that a block has at least, and a multiple of them that fills registers best.
_POSITIONS, _STRIP = 48, 24
#: Fewer positions do not fill a vector.
LEAST_POSITIONS = 8


@dataclass(frozen=True, slots=True)
class Pointwise:
    """Product of packed weights (result, channel) with every position."""

    packed: Packed

    def jobs(self, source: Array, out: Array) -> list[Job]:
        """Jobs for (N, channel, ...) arrays with at least `LEAST_POSITIONS` positions."""
        positions = source[0, 0].size
        offsets = np.arange(self.packed.depth, dtype=np.int32) * np.int32(positions)
        fit = max(_POSITIONS, min(_BLOCK // self.packed.depth, -(-positions // _JOBS)))
        strips = even_ranges(positions // _STRIP, -(-fit // _STRIP))
        edges = [_STRIP * strip.start for strip in strips] + [positions]
        parts = [slice(a, b) for a, b in itertools.pairwise(edges)]
        results = row_ranges(self.packed.rows, len(parts) * len(source))
        return [
            partial(
                self._work, source[n].reshape(-1), out[n, rows].reshape(-1), offsets, part, rows
            )
            for n in range(len(source))
            for part, rows in itertools.product(parts, results)
        ]

    def _work(
        self, source: Array, out: Array, offsets: NDArray[np.int32], part: slice, rows: slice
    ) -> None:
        """Compute some results at some positions."""
        positions = source.size // self.packed.depth
        self.packed.multiply(
            offsets, source[part.start :], 0, out[part.start :], 0, positions,
            part.stop - part.start, slice(0, 1), rows,
        )  # fmt: skip
