"""Convolution with a 3×3 window by Winograd's F(4×4, 3×3): a quarter of the multiplications.

The image is cut into tiles of 4×4 outputs. At each of 36 points the transformed weights are one
matrix, and the transformed tiles of a block are its columns; blocks of tiles stay in a core's cache
from the first transform to the last.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels._vectors import WIDE
from onnxlrp.kernels._winograd import (
    COLUMNS,
    LANES,
    OUTPUT,
    POINTS,
    transform_input,
    transform_output,
    weight_transform,
)
from onnxlrp.kernels.epilogues import Epilogue
from onnxlrp.kernels.packing import Packed, pack
from onnxlrp.kernels.scratch import scratch
from onnxlrp.kernels.shares import even_parts, row_ranges
from onnxlrp.kernels.threads import Job, get_num_threads

Array = NDArray[np.float32]

#: Tiles in one block, at most: few enough for the cache.
_TILES = 144
#: What a block costs besides its products, as many tiles do; and for how many results the products
#: take as long as the input's transform.
_BESIDES, _TRANSFORM = 6, 15
#: Results that are transformed back before what comes then: they stay in the cache.
_TOGETHER = 64
#: Points do not lie a power of two apart: they would share the same few lines of the cache.
_GAP = 16


@dataclass(frozen=True, slots=True)
class Winograd:
    """A 3×3 convolution with stride 1: output i sums w_m · source(i + m − origin)."""

    packed: Packed
    origin: tuple[int, int]

    def jobs(self, source: Array, out: Array, then: Epilogue | None = None) -> list[Job]:
        """Jobs for (N, channel, row, column) arrays; no two write the same element."""
        rows, columns = (-(-size // OUTPUT) for size in out.shape[2:])
        down, across = _cut(rows, columns, len(source), self.packed.rows, get_num_threads())
        results = row_ranges(self.packed.rows, len(down) * len(across) * len(source))
        return [
            partial(self._work, source[n], out, n, part, tile_rows, tile_columns, then)
            for n in range(len(source))
            for tile_rows, tile_columns, part in itertools.product(down, across, results)
        ]

    def _work(
        self, source: Array, out: Array, n: int, results: slice, rows: slice, columns: slice,
        then: Epilogue | None,
    ) -> None:  # fmt: skip
        """Compute some results for a block of tiles."""
        channels, count = len(source), results.stop - results.start
        high, wide = rows.stop - rows.start, columns.stop - columns.start
        pitch = -(-high * wide // WIDE) * WIDE
        line = -(-wide // LANES) * COLUMNS
        plane = scratch("plane", (OUTPUT * high + 2) * (line + LANES))
        step, points_step = channels * pitch + _GAP, count * pitch + _GAP
        tiles = scratch("tiles", POINTS * step)
        points = scratch("points", POINTS * points_step)
        top, left = OUTPUT * rows.start, OUTPUT * columns.start
        transform_input(
            source, top - self.origin[0], left - self.origin[1], high, wide, pitch, step,
            line + LANES, plane, tiles,
        )  # fmt: skip
        offsets = np.arange(channels, dtype=np.int32) * np.int32(pitch)
        self.packed.multiply(
            offsets, tiles, step, points, points_step, pitch, pitch, slice(0, POINTS), results
        )
        height, width = out.shape[2:]
        lines = slice(top, min(height, OUTPUT * rows.stop))
        across = slice(left, min(width, OUTPUT * columns.stop))
        size = lines.stop - lines.start, across.stop - across.start
        for first in range(results.start, results.stop, count if then is None else _TOGETHER):
            some = slice(first, min(results.stop, first + _TOGETHER))
            if then is None:
                part, corner = out[n, results], (top, left)
            else:
                part = scratch("part", (some.stop - some.start) * size[0] * size[1])
                part, corner = part.reshape(-1, *size), (0, 0)
            transform_output(
                points[(first - results.start) * pitch :], *corner, high, wide, pitch,
                points_step, plane, part,
            )  # fmt: skip
            if then is not None:
                then.on(part.reshape(-1), out, n, some, lines, width, across)


@lru_cache(maxsize=512)
def _cut(
    rows: int, columns: int, samples: int, results: int, threads: int
) -> tuple[list[slice], list[slice]]:
    """Cut rows and columns of tiles into blocks, for the shortest time on so many threads."""
    across = even_parts(columns, -(-columns // _TILES))  # long rows are transformed fastest
    widest = -(-columns // len(across))

    def seconds(count: int) -> float:
        """Estimate the time: the unit is what the products of one tile take."""
        blocks = samples * count * len(across)
        parts = len(row_ranges(results, blocks))
        heights = (down.stop - down.start for down in even_parts(rows, count))
        padded = sum(-(-high * widest // WIDE) * WIDE for high in heights) / count
        transform = _TRANSFORM / results * (1 + count / (OUTPUT * rows))  # some rows twice
        each = padded * (1 / parts + transform) + _BESIDES / parts
        rounds = -(-blocks * parts // threads)
        return float(each * rounds)

    fewest = -(-rows // (_TILES // widest))
    down = min(range(fewest, min(rows, 3 * fewest + 3) + 1), key=seconds)
    return even_parts(rows, down), across


def prepare_winograd(weight: Array, origin: tuple[int, int]) -> Winograd:
    """Transform and pack weights (result, channel, 3, 3), in float64."""
    pairs = weight.reshape(-1, 9).astype(np.float64)
    matrices = (np.kron(weight_transform(), weight_transform()).T @ pairs.T).astype(np.float32)
    return Winograd(pack(matrices.reshape(POINTS, *weight.shape[:2])), origin)
