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
from onnxlrp.kernels._vectors import WIDE, Code, Pointer, Vector, vector_function

#: Sizes of a tile's output along an axis; its input has so many numbers more.
LARGE, SMALL, MORE = 4, 2, 2
#: Tiles in a vector, and in one for the end of a short row.
LANES, FEW = WIDE, WIDE // 2
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


_split, _split_edge = (_splitting(LARGE, LANES, edge) for edge in (False, True))
_split_few, _split_few_edge = (_splitting(LARGE, FEW, edge) for edge in (False, True))
_split_small, _split_small_edge = (_splitting(SMALL, LANES, edge) for edge in (False, True))


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


_transform_large, _transform_small = _transforming(LARGE), _transforming(SMALL)


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


_write_large, _write_small = _writing(LARGE), _writing(SMALL)


def _copying(count: int) -> Any:
    """Make the function that copies `count` numbers."""

    def meaning(source: Any, at: int, out: Any, out_at: int) -> None:
        out[out_at : out_at + count] = source[at : at + count]

    @vector_function(read(), i8, write(), i8, meaning=meaning, lanes=count)
    def copy(code: Code, source: Pointer, out: Pointer) -> None:
        source.copy(out, code.lanes)

    return copy


_copy, _copy_few, _copy_one = _copying(LANES), _copying(FEW), _copying(1)


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


@device()
def _split_zeros(plane: Any, to: Any, stride: Any, size: Any) -> None:
    """Write what a row outside of the picture is split into."""
    for j in range(size):
        plane[to + j * stride : to + j * stride + LANES] = np.float32(0.0)


@device()
def _split_rows(
    x: Any, begin: Any, height: Any, columns: Any, output: Any, row_start: Any, column_start: Any,
    tile_rows: Any, tile_columns: Any, stride: Any, plane: Any,
) -> None:  # fmt: skip
    """Split the rows of one channel, which begins at `begin`, so that tiles lie side by side."""
    size, small, shift = output + MORE, output == SMALL, output // 2  # 4 = 2², 2 = 2¹
    line = output * size * stride
    for row in range(output * tile_rows + MORE):
        h = row_start + row
        to = (row & output - 1) * size * stride + (row >> shift) * tile_columns
        for j in range(0, tile_columns, LANES):
            left, first = tile_columns - j, column_start + output * j
            at, low, high = begin + h * columns + first, -first, columns - first
            few = left <= FEW and not small
            reach = (output + 1) * (FEW if few else LANES)
            if h < 0 or h >= height:
                _split_zeros(plane, to + j, stride, size)
            elif at < 0 or at + reach > x.size:  # no memory to read beyond the picture
                for q in range(max(0, low), min(reach, high)):
                    plane[line + q] = x[at + q]
                if small:
                    _split_small_edge(plane, line, plane, to + j, stride, low, high)
                else:
                    _split_edge(plane, line, plane, to + j, stride, low, high)
            elif low <= 0 and output * min(left, LANES) + MORE <= high:
                if small:
                    _split_small(x, at, plane, to + j, stride)
                elif few:
                    _split_few(x, at, plane, to + j, stride)
                else:
                    _split(x, at, plane, to + j, stride)
            elif small:
                _split_small_edge(x, at, plane, to + j, stride, low, high)
            elif few:
                _split_few_edge(x, at, plane, to + j, stride, low, high)
            else:
                _split_edge(x, at, plane, to + j, stride, low, high)


@device()
def transform_input(
    x: Any, output: Any, row_start: Any, column_start: Any, tile_rows: Any, tile_columns: Any,
    pitch: Any, step: Any, plane: Any, out: Any,
) -> None:  # fmt: skip
    """Transform some rows of tiles of x (channel, row, column) to out (point, channel, tile)."""
    channels, height, columns = x.shape
    numbers = x.reshape(-1)
    stride = (tile_rows + 1) * tile_columns + LANES  # a row's last vector writes beyond its end
    for c in range(channels):
        _split_rows(
            numbers, c * height * columns, height, columns, output, row_start, column_start,
            tile_rows, tile_columns, stride, plane,
        )  # fmt: skip
        for tile in range(0, tile_rows * tile_columns, LANES):
            # Lanes beyond the last tile lie between the channels, or are overwritten.
            if output == LARGE:
                _transform_large(plane, tile, stride, tile_columns, out, c * pitch + tile, step)
            else:
                _transform_small(plane, tile, stride, tile_columns, out, c * pitch + tile, step)


@device()
def transform_output(
    points: Any, output: Any, row_start: Any, column_start: Any, tile_rows: Any, tile_columns: Any,
    pitch: Any, step: Any, plane: Any, out: Any,
) -> None:  # fmt: skip
    """Transform points (point, channel, tile) back to some rows of tiles of out."""
    channels, height, width = out.shape
    numbers, tiles = out.reshape(-1), tile_rows * tile_columns
    shift, row_length = output // 2, output * LANES * ((tiles + LANES - 1) // LANES)
    valid = min(output * tile_columns, width - column_start)
    for c in range(channels):
        for tile in range(0, tiles, LANES):
            if output == LARGE:
                _write_large(points, c * pitch + tile, step, plane, output * tile, row_length)
            else:
                _write_small(points, c * pitch + tile, step, plane, output * tile, row_length)
        for h in range(row_start, min(height, row_start + output * tile_rows)):
            row, to = h - row_start, (c * height + h) * width + column_start
            at = (row & output - 1) * row_length + (row >> shift) * output * tile_columns
            _copy_row(plane, at, numbers, to, valid)
