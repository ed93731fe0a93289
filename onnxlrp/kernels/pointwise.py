"""Convolution with a 1×1 window and no stride: one product of all positions."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels._jit import i8, kernel, read, write
from onnxlrp.kernels._stencil import copy_row
from onnxlrp.kernels.packing import Packed
from onnxlrp.kernels.scratch import scratch
from onnxlrp.kernels.shares import even_ranges, row_ranges
from onnxlrp.kernels.threads import Job

Array = NDArray[np.float32]

#: Numbers of the source that one block reads (256 KiB): they stay in a core's cache.
_BLOCK = 65536
#: Positions that a block has, at least and at most, in strips that fill registers best.
_LEAST, _MOST, _STRIP = 48, 240, 24
#: Fewer positions do not fill a vector.
LEAST_POSITIONS = 8


@dataclass(frozen=True, slots=True)
class Pointwise:
    """Product of packed weights (result, channel) with every position."""

    packed: Packed

    def jobs(self, source: Array, out: Array) -> list[Job]:
        """Jobs for (N, channel, ...) arrays with at least `LEAST_POSITIONS` positions."""
        channels = source.reshape(len(source), self.packed.depth, -1)
        places = out.reshape(len(out), self.packed.rows, -1)
        parts = _parts(self.packed.depth, channels.shape[2])
        results = row_ranges(self.packed.rows, len(parts) * len(source))
        return [
            partial(self._work, channels[n], places[n, rows], part, rows)
            for n in range(len(source))
            for part, rows in itertools.product(parts, results)
        ]

    def _work(self, source: Array, out: Array, part: slice, rows: slice) -> None:
        """Compute some results at some positions."""
        positions, count = source.shape[1], part.stop - part.start
        columns = source.reshape(-1)
        if count < positions:
            # Side by side, rows of channels lie in few pages of memory and in whole cache lines.
            columns = scratch("columns", source.shape[0] * count)
            take_columns(source, part.start, part.stop, columns)
        self.packed.multiply(
            _offsets(self.packed.depth, count), columns, 0, out.reshape(-1)[part.start :], 0,
            positions, count, slice(0, 1), rows,
        )  # fmt: skip


@lru_cache(maxsize=512)
def _parts(channels: int, positions: int) -> tuple[slice, ...]:
    """Ranges of positions, in full strips but for the last."""
    fit = max(_LEAST, min(_MOST, _BLOCK // channels))
    strips = even_ranges(positions // _STRIP, fit // _STRIP)
    edges = [_STRIP * strip.start for strip in strips] + [positions]
    return tuple(slice(a, b) for a, b in itertools.pairwise(edges))


@lru_cache(maxsize=512)
def _offsets(channels: int, step: int) -> NDArray[np.int32]:
    """Offset of each channel."""
    offsets = np.arange(channels, dtype=np.int32) * np.int32(step)
    offsets.flags.writeable = False
    return offsets


@kernel(read(2), i8, i8, write())
def take_columns(source: Any, first: Any, last: Any, out: Any) -> None:
    """Copy the columns first to last of all rows."""
    flat, count = source.reshape(-1), last - first
    for row in range(source.shape[0]):
        copy_row(flat, row * source.shape[1] + first, out, row * count, count)
