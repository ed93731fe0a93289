"""Compiled transforms of Winograd's convolutions with a 3×3 window, a vector of tiles at a time.

    Y = Aᵀ [ (G w Gᵀ) ∘ (Bᵀ d B) ] A

d is a 6×6 or 4×4 tile of the input, Y the 4×4 or 2×2 tile of the output: F(4×4, 3×3) or F(2×2, 3×3)
(Lavin and Gray, 2016). The formulas of one axis are written once, for NumPy arrays and for vectors
in registers alike.

A vector holds one number of each of some tiles. The tiles of a block are numbered row by row, and a
vector may go on from one row of tiles to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels._jit import device, i8, read, write
from onnxlrp.kernels._tiles import FEW, LANES, LARGE, MORE, SMALL, splitting_rows
from onnxlrp.kernels._vectors import Code, Pointer, Vector, copying, vector_function

#: Numbers of `plane` for each row of the input and each vector of tiles, at least.
COLUMNS = 2 * (LARGE + MORE) * LANES

#: The six points of one axis of a large tile: 0, ±A, ±B and ∞. These two lose four times less
#: accuracy than the customary 1 and 2, and their powers are exact in float32. Those of a small tile
#: are 0, ±1 and ∞.
A, B = 0.75, 1.5


def weight_transform(output: int) -> NDArray[np.float64]:
    """Gᵀ: the taps of a window → its values at the points, divided by Π (point − other point)."""
    points = np.array([0, A, -A, B, -B] if output == LARGE else [0.0, 1.0, -1.0])
    distances = points[:, None] - points + np.eye(len(points))
    values = points ** np.arange(3)[:, None] / distances.prod(axis=1)
    return np.column_stack([values, [0, 0, 1]])


def _plus(total: Any, factor: float, number: Any) -> Any:
    """Total + factor · number, of arrays or vectors."""
    if isinstance(total, Vector):
        return total.plus(factor, number)
    return total + np.float32(factor) * number


def input_transform(d: Sequence[Any]) -> list[Any]:
    """Bᵀd along one axis: the numbers of the input → as many points."""
    if len(d) == SMALL + MORE:
        return [d[2] - d[0], d[2] + d[1], d[2] - d[1], d[3] - d[1]]
    even_a, odd_a = _plus(d[4], -B * B, d[2]), _plus(d[3], -B * B, d[1])
    even_b, odd_b = _plus(d[4], -A * A, d[2]), _plus(d[3], -A * A, d[1])
    return [
        _plus(_plus(d[4], -A * A - B * B, d[2]), A * A * B * B, d[0]),
        _plus(even_a, A, odd_a),
        _plus(even_a, -A, odd_a),
        _plus(even_b, B, odd_b),
        _plus(even_b, -B, odd_b),
        _plus(_plus(d[5], -A * A - B * B, d[3]), A * A * B * B, d[1]),
    ]


def output_transform(m: Sequence[Any]) -> list[Any]:
    """Aᵀm along one axis: the points → two numbers of the output fewer."""
    if len(m) == SMALL + MORE:
        return [m[0] + (m[1] + m[2]), (m[1] - m[2]) + m[3]]
    sum_a, difference_a, sum_b, difference_b = m[1] + m[2], m[1] - m[2], m[3] + m[4], m[3] - m[4]
    return [
        m[0] + sum_a + sum_b,
        _plus(A * difference_a, B, difference_b),
        _plus(A**2 * sum_a, B**2, sum_b),
        _plus(_plus(m[5], A**3, difference_a), B**3, difference_b),
    ]


def _transforming(output: int) -> Any:
    """Make the function that transforms the tiles of a vector; point p goes to out + p·step.

    Number (i, j) of the tiles lies at (INPUT·(i mod OUTPUT) + j)·stride, and `below` further from
    row OUTPUT on.
    """
    size = output + MORE

    def meaning(
        source: Any, at: int, stride: int, below: int, out: Any, out_at: int, step: int
    ) -> None:  # fmt: skip
        tiles = []
        for i in range(size):
            begin = at + i % output * size * stride + i // output * below
            tiles.append([source[begin + j * stride :][:LANES] for j in range(size)])
        columns = [input_transform(column) for column in zip(*tiles, strict=True)]
        for i, row in enumerate(zip(*columns, strict=True)):
            for j, values in enumerate(input_transform(row)):
                place = out_at + (size * i + j) * step
                out[place : place + LANES] = values

    @vector_function(read(), i8, i8, i8, write(), i8, i8, meaning=meaning, lanes=LANES)
    def transform(
        code: Code, source: Pointer, stride: Any, below: Any, out: Pointer, step: Any
    ) -> None:
        rows, some = [source, source + below], size // 2
        for half in range(2):  # all points at once would need more registers than there are
            columns = []
            for j in range(size):
                column = [
                    (rows[i // output] + code.times(stride, i % output * size + j)).load()
                    for i in range(size)
                ]
                columns.append(input_transform(column)[some * half : some * half + some])
            for i, row in enumerate(zip(*columns, strict=True)):
                for j, values in enumerate(input_transform(row)):
                    point = size * (some * half + i) + j
                    (out + code.times(step, point)).store(values)

    return transform


def _both_axes(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Transform points back along columns, then along rows."""
    columns = [output_transform(column) for column in zip(*rows, strict=True)]
    return [output_transform(row) for row in zip(*columns, strict=True)]


def _writing(output: int) -> Any:
    """Make the function that transforms the points of the tiles of a vector back, row by row."""
    size = output + MORE

    def meaning(
        source: Any, at: int, step: int, out: Any, out_at: int, pitch: int
    ) -> None:  # fmt: skip
        points = [source[at + p * step : at + p * step + LANES] for p in range(size * size)]
        rows = [points[i : i + size] for i in range(0, size * size, size)]
        for i, phases in enumerate(_both_axes(rows)):
            place = out_at + i * pitch
            out[place : place + output * LANES] = np.stack(phases, 1).ravel()

    @vector_function(read(), i8, i8, write(), i8, i8, meaning=meaning, lanes=LANES)
    def write_tiles(code: Code, source: Pointer, step: Any, out: Pointer, pitch: Any) -> None:
        points = [(source + code.times(step, p)).load() for p in range(size * size)]
        rows = [points[i : i + size] for i in range(0, size * size, size)]
        for i, phases in enumerate(_both_axes(rows)):
            numbers = code.alternate(phases[0], phases[output // 2])
            if output == LARGE:
                pairs = zip(numbers, code.alternate(phases[1], phases[3]), strict=True)
                numbers = [part for pair in pairs for part in code.alternate(*pair)]
            row = out + code.times(pitch, i)
            for k, part in enumerate(numbers):
                (row + LANES * k).store(part)

    return write_tiles


_copy, _copy_few, _copy_one = copying(LANES), copying(FEW), copying(1)


@device()
def _copy_row(source: Any, at: Any, out: Any, to: Any, count: Any) -> None:
    """Copy some numbers; the last ones may be copied twice."""
    if count >= LANES:
        for q in range(0, count - LANES, LANES):
            _copy(source, at + q, out, to + q)
        _copy(source, at + count - LANES, out, to + count - LANES)
    elif count >= FEW:
        _copy_few(source, at, out, to)
        _copy_few(source, at + count - FEW, out, to + count - FEW)
    else:
        for q in range(count):
            _copy_one(source, at + q, out, to + q)


def _transforming_inputs(output: int) -> Any:
    """Make the function that transforms the input of some tiles."""
    split_rows, transform = splitting_rows(output), _transforming(output)

    @device()
    def transform_input(
        x: Any, row_start: Any, column_start: Any, tile_rows: Any, tile_columns: Any,
        pitch: Any, step: Any, plane: Any, out: Any,
    ) -> None:  # fmt: skip
        """Transform rows of tiles of x (channel, row, column) to out (point, channel, tile)."""
        channels, height, columns = x.shape
        numbers = x.reshape(-1)
        stride = (tile_rows + 1) * tile_columns + LANES  # a row's last vector writes beyond its end
        for c in range(channels):
            split_rows(
                numbers, c * height * columns, height, columns, row_start, column_start,
                tile_rows, tile_columns, stride, plane,
            )  # fmt: skip
            for tile in range(0, tile_rows * tile_columns, LANES):
                # Lanes beyond the last tile lie between the channels, or are overwritten.
                transform(plane, tile, stride, tile_columns, out, c * pitch + tile, step)

    return transform_input


def _transforming_outputs(output: int) -> Any:
    """Make the function that transforms the points of some tiles back."""
    write_tiles = _writing(output)

    @device()
    def transform_output(
        points: Any, row_start: Any, column_start: Any, tile_rows: Any, tile_columns: Any,
        pitch: Any, step: Any, plane: Any, out: Any,
    ) -> None:  # fmt: skip
        """Transform points (point, channel, tile) back to some rows of tiles of out."""
        channels, height, width = out.shape
        numbers, tiles = out.reshape(-1), tile_rows * tile_columns
        row_length = output * LANES * ((tiles + LANES - 1) // LANES)
        valid = min(output * tile_columns, width - column_start)
        for c in range(channels):
            for tile in range(0, tiles, LANES):
                write_tiles(points, c * pitch + tile, step, plane, output * tile, row_length)
            for h in range(row_start, min(height, row_start + output * tile_rows)):
                row, to = h - row_start, (c * height + h) * width + column_start
                at = row % output * row_length + row // output * output * tile_columns
                _copy_row(plane, at, numbers, to, valid)

    return transform_output


_large_input, _small_input = (_transforming_inputs(o) for o in (LARGE, SMALL))
_large_output, _small_output = (_transforming_outputs(o) for o in (LARGE, SMALL))


@device()
def transform_input(
    x: Any, output: Any, row: Any, column: Any, high: Any, wide: Any, pitch: Any, step: Any,
    plane: Any, tiles: Any,
) -> None:  # fmt: skip
    """Transform the input of tiles of one size or the other."""
    if output == LARGE:
        _large_input(x, row, column, high, wide, pitch, step, plane, tiles)
    else:
        _small_input(x, row, column, high, wide, pitch, step, plane, tiles)


@device()
def transform_output(
    points: Any, output: Any, row: Any, column: Any, high: Any, wide: Any, pitch: Any, step: Any,
    plane: Any, out: Any,
) -> None:  # fmt: skip
    """Transform the points of tiles of one size or the other back."""
    if output == LARGE:
        _large_output(points, row, column, high, wide, pitch, step, plane, out)
    else:
        _small_output(points, row, column, high, wide, pitch, step, plane, out)
