"""Rows of an image, split so that the tiles of Winograd's convolution lie side by side.

A vector holds one number of each of some tiles.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxlrp.kernels._jit import device, i8, read, write
from onnxlrp.kernels._vectors import WIDE, Code, Pointer, Vector, vector_function

#: Sizes of a tile's output along an axis; its input has so many numbers more.
LARGE, SMALL, MORE = 4, 2, 2
#: Tiles in a vector, and in one for the end of a short row.
LANES, FEW = WIDE, WIDE // 2


def _splitting(output: int, lanes: int, is_edge: bool) -> Any:
    """Make the function that splits a row of the input: number j of each of `lanes` tiles.

    At an edge, the numbers before `low` and from `high` on are 0.
    """

    def meaning(
        source: Any, at: int, out: Any, out_at: int, stride: int, low: int = 0,
        high: int = (LARGE + 1) * LANES,
    ) -> None:  # fmt: skip
        numbers = source[at : at + (output + 1) * lanes].copy()
        numbers[: max(0, low)] = numbers[max(0, high) :] = 0.0
        for j in range(output + MORE):
            place = out_at + j * stride
            out[place : place + lanes] = numbers[j : j + output * lanes : output]

    edges = (i8, i8) if is_edge else ()

    @vector_function(read(), i8, write(), i8, i8, *edges, meaning=meaning, lanes=lanes)
    def split(code: Code, source: Pointer, out: Pointer, stride: Any, *edges: Any) -> None:
        parts = [(source + lanes * k).load() for k in range(output + 1)]
        if edges:
            parts = [
                code.choose(code.within(lanes * k, *edges), part, code.zero())
                for k, part in enumerate(parts)
            ]
        phases = every_of(code, parts[:output])
        following = [
            code.shuffle([phases[j], parts[output]], [*range(1, lanes), lanes + j])
            for j in range(MORE)
        ]
        for j, numbers in enumerate(phases + following):
            (out + code.times(stride, j)).store(numbers)

    def every_of(code: Code, parts: list[Vector]) -> list[Vector]:
        """Numbers in phases: as many phases as there are parts."""
        if len(parts) == 1:
            return parts
        halves = [
            [
                code.shuffle(parts[k : k + 2], range(b, 2 * lanes, 2))
                for k in range(0, len(parts), 2)
            ]
            for b in (0, 1)
        ]
        even, odd = (every_of(code, half) for half in halves)
        return [phase for pair in zip(even, odd, strict=True) for phase in pair]

    return split


@device()
def _split_zeros(plane: Any, to: Any, stride: Any, size: Any) -> None:
    """Write what a row outside of the picture is split into."""
    for j in range(size):
        plane[to + j * stride : to + j * stride + LANES] = np.float32(0.0)


def splitting_rows(output: int) -> Any:
    """Make the function that splits the rows of a channel; the compiler knows the tile's size."""
    size = output + MORE
    split, split_edge = (_splitting(output, LANES, edge) for edge in (False, True))
    split_few, split_few_edge = (_splitting(output, FEW, edge) for edge in (False, True))

    @device()
    def split_rows(
        x: Any, begin: Any, height: Any, columns: Any, row_start: Any, column_start: Any,
        tile_rows: Any, tile_columns: Any, stride: Any, plane: Any,
    ) -> None:  # fmt: skip
        """Split the rows of the channel that begins at `begin`: tiles lie side by side."""
        line = output * size * stride
        for row in range(output * tile_rows + MORE):
            h = row_start + row
            to = row % output * size * stride + row // output * tile_columns
            for j in range(0, tile_columns, LANES):
                left, first = tile_columns - j, column_start + output * j
                at, low, high = begin + h * columns + first, -first, columns - first
                few = left <= FEW
                reach = (output + 1) * (FEW if few else LANES)
                if h < 0 or h >= height:
                    _split_zeros(plane, to + j, stride, size)
                elif at < 0 or at + reach > x.size:  # no memory to read beyond the picture
                    for q in range(max(0, low), min(reach, high)):
                        plane[line + q] = x[at + q]
                    split_edge(plane, line, plane, to + j, stride, low, high)
                elif low <= 0 and output * min(left, LANES) + MORE <= high:
                    if few:
                        split_few(x, at, plane, to + j, stride)
                    else:
                        split(x, at, plane, to + j, stride)
                elif few:
                    split_few_edge(x, at, plane, to + j, stride, low, high)
                else:
                    split_edge(x, at, plane, to + j, stride, low, high)

    return split_rows
