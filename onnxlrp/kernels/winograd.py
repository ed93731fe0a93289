"""Convolution with a 3×3 window by Winograd's F(4×4, 3×3): a quarter of the multiplications.

The image is cut into tiles of 4×4 outputs. At each of 36 points the transformed weights are one
matrix, and the transformed tiles of a block are its columns; blocks of tiles stay in a core's cache
from the first transform to the last.

A small image has so few tiles that reading the weights of 36 points takes longer than multiplying.
Its tiles have 2×2 outputs: 16 points, and 4 of 9 multiplications.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels import _task as the
from onnxlrp.kernels._convolutions import GAP, TOGETHER
from onnxlrp.kernels._products import STRIP
from onnxlrp.kernels._tiles import LANES, LARGE, MORE, SMALL
from onnxlrp.kernels._vectors import WIDE
from onnxlrp.kernels._winograd import COLUMNS, weight_transform
from onnxlrp.kernels.crew import Numbers
from onnxlrp.kernels.geometry import Sizes
from onnxlrp.kernels.packing import Packed, pack
from onnxlrp.kernels.shares import even_parts, longest, row_ranges
from onnxlrp.kernels.threads import get_num_threads

Array = NDArray[np.float32]

#: Tiles in one block, at most: few enough for the cache.
_TILES = 144
#: Up to so many large tiles, small ones are taken if they need at most so many times the products.
_FEW, _PRODUCTS = 16, 1.4
#: What a block costs besides its products, as many tiles do; and for how many results the products
#: take as long as the input's transform.
_BESIDES, _TRANSFORM = 6, 15


@dataclass(frozen=True, slots=True)
class Winograd:
    """A 3×3 convolution with stride 1: output i sums w_m · source(i + m − origin)."""

    packed: Packed
    origin: tuple[int, int]
    output: int

    def plan(self, source: Sizes, out: Sizes, numbers: Numbers) -> tuple[Numbers, int]:
        """Write into a task what its jobs do; return their table and the memory that one needs.

        Arrays are (N, channel, row, column).
        """
        height, width = out[2:]
        numbers[the.KIND] = the.WINOGRAD
        self.packed.write(numbers)
        numbers[the.ROW_ORIGIN : the.COLUMN_ORIGIN + 1] = self.origin
        numbers[the.IN_HEIGHT : the.IN_WIDTH + 1] = source[2:]
        numbers[the.OUT_HEIGHT : the.OUT_WIDTH + 1] = height, width
        rows, depth = self.packed.rows, self.packed.depth
        numbers[the.TILE] = self.output
        return _table(out[0], height, width, rows, depth, self.output, get_num_threads())


@lru_cache(maxsize=512)
def _table(
    samples: int, height: int, width: int, rows: int, depth: int, output: int, threads: int
) -> tuple[Numbers, int]:
    """Sample, rows of tiles (first, count), columns of tiles, results."""
    high, wide = (-(-size // output) for size in (height, width))
    down, across = _cut(high, wide, samples, rows, output, threads)
    results = row_ranges(rows, len(down) * len(across) * samples)
    ranges = list(itertools.product(down, across, results))
    table = [
        (n, *(number for part in parts for number in (part.start, part.stop - part.start)))
        for n, parts in itertools.product(range(samples), ranges)
    ]
    high, wide, count = map(longest, (down, across, results))
    return np.array(table, np.int64), _memory(high, wide, count, depth, output)


def _memory(high: int, wide: int, results: int, channels: int, output: int) -> int:
    """Numbers for offsets, rows of the source, tiles, points and a part of the result."""
    pitch, line = -(-high * wide // WIDE) * WIDE, -(-wide // LANES) * COLUMNS + LANES
    return (
        channels
        + (output * high + 2) * line
        + (output + MORE) ** 2 * ((channels + results) * pitch + 2 * GAP)
        + min(TOGETHER, results) * output**2 * high * wide
        + 5 * 16
    )


def _cut(
    rows: int, columns: int, samples: int, results: int, output: int, threads: int
) -> tuple[list[slice], list[slice]]:
    """Cut rows and columns of tiles into blocks, for the shortest time on so many threads."""
    across = even_parts(columns, -(-columns // _TILES))  # long rows are transformed fastest
    widest = -(-columns // len(across))

    def seconds(count: int) -> float:
        """Estimate the time: the unit is what the products of one tile take."""
        blocks = samples * count * len(across)
        parts = len(row_ranges(results, blocks))
        heights = (down.stop - down.start for down in even_parts(rows, count))
        padded = sum(_padded(high * widest) for high in heights) / count
        transform = _TRANSFORM / results * (1 + count / (output * rows))  # some rows twice
        each = padded * (1 / parts + transform) + _BESIDES / parts
        rounds = -(-blocks * parts // threads)
        return float(each * rounds)

    fewest = -(-rows // (_TILES // widest))
    down = min(range(fewest, min(rows, 3 * fewest + 3) + 1), key=seconds)
    return even_parts(rows, down), across


def _padded(tiles: int) -> int:
    """Number of tiles whose products take as long, in full vectors, as those of so many do."""
    rest = tiles % WIDE
    return tiles if rest <= tiles // STRIP else tiles - rest + WIDE


def tile_output(height: int, width: int) -> int:
    """Choose the size of a tile's output along an axis, for the output of one sample."""
    large, small = (-(-height // output) * -(-width // output) for output in (LARGE, SMALL))
    products = [
        _padded(tiles) * (output + MORE) ** 2 for tiles, output in ((large, LARGE), (small, SMALL))
    ]
    return SMALL if large <= _FEW and products[1] <= _PRODUCTS * products[0] else LARGE


def prepare_winograd(weight: Array, origin: tuple[int, int], output: int) -> Winograd:
    """Transform and pack weights (result, channel, 3, 3), in float64, for tiles of a size."""
    pairs, transform = weight.reshape(-1, 9).astype(np.float64), weight_transform(output)
    matrices = (np.kron(transform, transform).T @ pairs.T).astype(np.float32)
    return Winograd(pack(matrices.reshape(-1, *weight.shape[:2])), origin, output)
