"""Compiled transforms of Winograd's convolution F(4×4, 3×3), eight tiles at a time.

    Y = Aᵀ [ (G w Gᵀ) ∘ (Bᵀ d B) ] A

d is a 6×6 tile of the input, Y the 4×4 tile of the output (Lavin and Gray, 2016). The formulas of
one axis are written once, for NumPy arrays and for vectors in registers alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels._jit import i8, kernel, read, write
from onnxlrp.kernels._vectors import LANES, Code, Pointer, Vector, vector_function

#: Size of a tile's input and output along an axis.
INPUT, OUTPUT = 6, 4
POINTS = INPUT * INPUT
#: Columns of output that eight tiles make.
COLUMNS = OUTPUT * LANES

#: The six points of one axis: 0, ±A, ±B and ∞. These two lose four times less accuracy than the
#: customary 1 and 2, and their powers are exact in float32.
A, B = 0.75, 1.5


def weight_transform() -> NDArray[np.float64]:
    """Gᵀ: the taps of a window → its values at the points, divided by Π (point − other point)."""
    points = np.array([0, A, -A, B, -B])
    distances = points[:, None] - points + np.eye(5)
    values = points ** np.arange(3)[:, None] / distances.prod(axis=1)
    return np.column_stack([values, [0, 0, 1]])


def input_transform(d: Sequence[Any]) -> list[Any]:
    """Bᵀd along one axis: six numbers of the input → six points."""
    even_a, odd_a = d[4] - B * B * d[2], A * (d[3] - B * B * d[1])
    even_b, odd_b = d[4] - A * A * d[2], B * (d[3] - A * A * d[1])
    return [
        A * A * B * B * d[0] - (A * A + B * B) * d[2] + d[4],
        even_a + odd_a,
        even_a - odd_a,
        even_b + odd_b,
        even_b - odd_b,
        A * A * B * B * d[1] - (A * A + B * B) * d[3] + d[5],
    ]


def output_transform(m: Sequence[Any]) -> list[Any]:
    """Aᵀm along one axis: six points → four numbers of the output."""
    sum_a, difference_a, sum_b, difference_b = m[1] + m[2], m[1] - m[2], m[3] + m[4], m[3] - m[4]
    return [
        m[0] + sum_a + sum_b,
        A * difference_a + B * difference_b,
        A**2 * sum_a + B**2 * sum_b,
        A**3 * difference_a + B**3 * difference_b + m[5],
    ]


def _both_axes(transform: Any, rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Transform along columns, then along rows."""
    columns = [transform(column) for column in zip(*rows, strict=True)]
    return [transform(row) for row in zip(*columns, strict=True)]


def _read_tiles(
    source: Any, at: int, pitch: int, out: Any, out_at: int, step: int
) -> None:  # fmt: skip
    tiles = at + OUTPUT * np.arange(LANES)
    rows = [[source[tiles + i * pitch + j] for j in range(INPUT)] for i in range(INPUT)]
    for point, values in enumerate(chain(*_both_axes(input_transform, rows))):
        out[out_at + point * step : out_at + point * step + LANES] = values


@vector_function(read(), i8, i8, write(), i8, i8, meaning=_read_tiles)
def read_tiles(code: Code, source: Pointer, pitch: Any, out: Pointer, step: Any) -> None:
    """Transform eight neighbouring 6×6 tiles; point p goes to out + p·step."""
    rows = []
    for i in range(INPUT):
        row = source + code.builder.mul(pitch, pitch.type(i))
        first = [(row + LANES * k).load() for k in range(OUTPUT)]
        second = [(row + OUTPUT + LANES * k).load() for k in range(OUTPUT)]
        every_fourth = [range(j, COLUMNS, OUTPUT) for j in range(OUTPUT)]
        rows.append(
            [code.shuffle(first, lanes) for lanes in every_fourth]
            + [code.shuffle(second, lanes) for lanes in every_fourth[: INPUT - OUTPUT]]
        )
    for point, values in enumerate(chain(*_both_axes(input_transform, rows))):
        (out + code.builder.mul(step, step.type(point))).store(values)


def _write_tiles(
    source: Any, at: int, step: int, out: Any, out_at: int, pitch: int
) -> None:  # fmt: skip
    points = [source[at + p * step : at + p * step + LANES] for p in range(POINTS)]
    rows = [points[i : i + INPUT] for i in range(0, POINTS, INPUT)]
    for i, phases in enumerate(_both_axes(output_transform, rows)):
        out[out_at + i * pitch : out_at + i * pitch + COLUMNS] = np.stack(phases, 1).ravel()


@vector_function(read(), i8, i8, write(), i8, i8, meaning=_write_tiles)
def write_tiles(code: Code, source: Pointer, step: Any, out: Pointer, pitch: Any) -> None:
    """Transform the points of eight neighbouring tiles back, to four rows of 32 numbers."""
    points: list[Vector] = [
        (source + code.builder.mul(step, step.type(p))).load() for p in range(POINTS)
    ]
    rows = [points[i : i + INPUT] for i in range(0, POINTS, INPUT)]
    for i, phases in enumerate(_both_axes(output_transform, rows)):
        row = out + code.builder.mul(pitch, pitch.type(i))
        for k in range(OUTPUT):
            column = range(LANES * k, LANES * (k + 1))
            lanes = [LANES * (q % OUTPUT) + q // OUTPUT for q in column]
            (row + LANES * k).store(code.shuffle(phases, lanes))


@kernel(read(3), *(i8,) * 7, write(), write())
def transform_input(
    x: Any, row_start: Any, column_start: Any, tile_rows: Any, tile_columns: Any, pitch: Any,
    step: Any, width: Any, plane: Any, out: Any,
) -> None:  # fmt: skip
    """Transform some rows of tiles of x (channel, row, column) to out (point, channel, tile)."""
    channels, height, columns = x.shape
    low, high = min(width, max(0, -column_start)), max(0, min(width, columns - column_start))
    low = min(low, high)
    for c in range(channels):
        for row in range(4 * tile_rows + 2):
            h = row_start + row
            line = plane[row * width : (row + 1) * width]
            if h < 0 or h >= height:
                line[:] = np.float32(0.0)
                continue
            line[:low] = np.float32(0.0)
            line[high:] = np.float32(0.0)
            inner, source = line[low:high], x[c, h, max(0, column_start) :]
            for q in range(inner.size):
                inner[q] = source[q]
        for i in range(tile_rows):
            # Lanes beyond the last tile of a row are overwritten by what comes next.
            for j in range(0, tile_columns, 8):
                at = c * pitch + i * tile_columns + j
                read_tiles(plane, 4 * (i * width + j), width, out, at, step)


@kernel(read(), *(i8,) * 6, write(), write(3))
def transform_output(
    points: Any, row_start: Any, column_start: Any, tile_rows: Any, tile_columns: Any, pitch: Any,
    step: Any, plane: Any, out: Any,
) -> None:  # fmt: skip
    """Transform points (point, channel, tile) back to some rows of tiles of out."""
    channels, height, width = out.shape
    row_length = (tile_columns + 7) // 8 * 32
    valid = min(4 * tile_columns, width - column_start)
    for c in range(channels):
        for i in range(tile_rows):
            for j in range(0, tile_columns, 8):
                at = c * pitch + i * tile_columns + j
                write_tiles(points, at, step, plane, 4 * j, row_length)
            for row in range(min(4, height - row_start - 4 * i)):
                target = out[c, row_start + 4 * i + row, column_start:]
                line = plane[row * row_length : row * row_length + valid]
                for q in range(valid):
                    target[q] = line[q]
