"""Convolution with a 1×1 window and no stride: one product of all positions."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels._products import STRIP
from onnxlrp.kernels._vectors import WIDE
from onnxlrp.kernels.epilogues import Epilogue
from onnxlrp.kernels.packing import Packed
from onnxlrp.kernels.scratch import scratch
from onnxlrp.kernels.shares import even_ranges, row_ranges
from onnxlrp.kernels.threads import Job

Array = NDArray[np.float32]

#: Numbers that a job reads and writes, about: they stay in a core's cache (1 MiB).
_BLOCK = 262144
#: Positions from which a channel's lie so far apart that the product reads them from a copy.
_FAR = 512
#: Fewer positions do not fill a vector.
LEAST_POSITIONS = WIDE


@dataclass(frozen=True, slots=True)
class Pointwise:
    """Product of packed weights (result, channel) with every position."""

    packed: Packed

    @property
    def _strips(self) -> int:
        """Strips of positions in a job, at most."""
        return max(4, _BLOCK // (STRIP * (self.packed.rows + self.packed.depth)))

    def jobs(self, source: Array, out: Array, then: Epilogue | None = None) -> list[Job]:
        """Jobs for (N, channel, ...) arrays with at least `LEAST_POSITIONS` positions."""
        channels = source.reshape(len(source), self.packed.depth, -1)
        places = out.reshape(len(out), self.packed.rows, -1)
        parts = _parts(channels.shape[2], self._strips)
        results = row_ranges(self.packed.rows, len(parts) * len(source))
        return [
            partial(self._work, channels, places, n, part, rows, then)
            for n in range(len(source))
            for part, rows in itertools.product(parts, results)
        ]

    def _work(
        self, source: Array, out: Array, n: int, part: slice, rows: slice, then: Epilogue | None
    ) -> None:
        """Compute some results at some positions."""
        depth, positions = source.shape[1:]
        count, pitch, channels = part.stop - part.start, positions, source[n]
        if then is None:
            target, stride = out[n, rows].reshape(-1)[part.start :], positions
        else:
            stride = count
            target = scratch("results", (rows.stop - rows.start) * count)
        if depth > self.packed.rows and positions >= _FAR:
            pitch, channels = count, scratch("channels", depth * count).reshape(depth, count)
            np.copyto(channels, source[n, :, part])
            part_of_source = channels.reshape(-1)
        else:
            part_of_source = channels.reshape(-1)[part.start :]
        self.packed.multiply(
            _offsets(depth, pitch), part_of_source, 0, target, 0, stride, count, slice(0, 1), rows,
        )  # fmt: skip
        if then is not None:
            then.on(target, out, n, rows, slice(0, 1), positions, part)


@lru_cache(maxsize=512)
def _parts(positions: int, most: int) -> tuple[slice, ...]:
    """Ranges of positions, in full strips, `most` of them, but for the last."""
    strips = even_ranges(positions // STRIP, most)
    edges = [STRIP * strip.start for strip in strips] + [positions]
    return tuple(slice(a, b) for a, b in itertools.pairwise(edges))


@lru_cache(maxsize=512)
def _offsets(channels: int, step: int) -> NDArray[np.int32]:
    """Offset of each channel."""
    offsets = np.arange(channels, dtype=np.int32) * np.int32(step)
    offsets.flags.writeable = False
    return offsets
