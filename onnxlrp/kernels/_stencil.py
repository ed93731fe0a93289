"""Compiled loops of `blocks`: rows of the source in phases and padded, results back in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxlrp.kernels._jit import device, i8, kernel, read, write
from onnxlrp.kernels._vectors import LANES, Code, Pointer, vector_function


def _copying(count: int, parameters: tuple[Any, ...]) -> Any:
    """Make the function that copies `count` numbers."""

    def meaning(source: Any, at: int, out: Any, out_at: int) -> None:
        out.reshape(-1)[out_at : out_at + count] = source.reshape(-1)[at : at + count]

    @vector_function(*parameters, meaning=meaning)
    def copy(code: Code, source: Pointer, out: Pointer) -> None:
        source.copy(out, count)

    return copy


_IN, _OUT = (read(4), i8, write(), i8), (read(), i8, write(4), i8)
_read_1, _read_4, _read_8 = (_copying(count, _IN) for count in (1, 4, 8))
_write_1, _write_4, _write_8 = (_copying(count, _OUT) for count in (1, 4, 8))


def _meaning_of_read_seconds(source: Any, at: int, out: Any, out_at: int) -> None:
    out[out_at : out_at + LANES] = source.reshape(-1)[at : at + 2 * LANES : 2]


@vector_function(*_IN, meaning=_meaning_of_read_seconds)
def _read_seconds(code: Code, source: Pointer, out: Pointer) -> None:
    """Copy every second of 16 numbers."""
    pair = [source.load(), (source + LANES).load()]
    out.store(code.shuffle(pair, range(0, 2 * LANES, 2)))


def _meaning_of_write_seconds(source: Any, at: int, out: Any, out_at: int) -> None:
    out.reshape(-1)[out_at : out_at + 2 * LANES : 2] = source[at : at + LANES]


@vector_function(*_OUT, meaning=_meaning_of_write_seconds)
def _write_seconds(code: Code, source: Pointer, out: Pointer) -> None:
    """Replace every second of 16 numbers."""
    numbers = source.load()
    for half in range(2):
        place = out + LANES * half
        first = LANES + LANES // 2 * half
        lanes = [first + i // 2 if i % 2 == 0 else i for i in range(LANES)]
        place.store(code.shuffle([place.load(), numbers], lanes))


@device
def _read_row(x: Any, at: Any, step: Any, out: Any, out_at: Any, count: Any) -> None:
    """Copy every `step`-th number of x."""
    q = 0
    if step == 1:
        while q + 8 <= count:
            _read_8(x, at + q, out, out_at + q)
            q += 8
        if q < count and count >= 8:
            _read_8(x, at + count - 8, out, out_at + count - 8)
            return
        if count - q >= 4:
            _read_4(x, at + q, out, out_at + q)
            _read_4(x, at + count - 4, out, out_at + count - 4)
            return
    while step == 2 and q + 8 <= count and at + 2 * q + 16 <= x.size:
        _read_seconds(x, at + 2 * q, out, out_at + q)
        q += 8
    for i in range(q, count):
        _read_1(x, at + i * step, out, out_at + i)


@device
def _write_row(sums: Any, at: Any, out: Any, out_at: Any, step: Any, count: Any, end: Any) -> None:
    """Write to every `step`-th number of out, and touch nothing from `end` on."""
    q = 0
    if step == 1:
        while q + 8 <= count:
            _write_8(sums, at + q, out, out_at + q)
            q += 8
        if q < count and count >= 8:
            _write_8(sums, at + count - 8, out, out_at + count - 8)
            return
        if count - q >= 4:
            _write_4(sums, at + q, out, out_at + q)
            _write_4(sums, at + count - 4, out, out_at + count - 4)
            return
    while step == 2 and q + 8 <= count and out_at + 2 * q + 16 <= end:
        _write_seconds(sums, at + q, out, out_at + 2 * q)
        q += 8
    for i in range(q, count):
        _write_1(sums, at + i, out, out_at + i * step)


@kernel(read(4), *(read(1, i8),) * 3, *(i8,) * 6, write())
def lay_out(
    x: Any, depths: Any, row_phases: Any, column_phases: Any, row_step: Any, row_start: Any,
    rows: Any, column_step: Any, column_start: Any, columns: Any, out: Any,
) -> None:  # fmt: skip
    """Copy x (channel, depth, height, width) to (channel, depth tap, phases, row, column).

    Zeros stand for what lies outside of x.
    """
    channels, depth, height, width = x.shape
    at = 0
    for c in range(channels):
        for d in depths:
            for row_phase in row_phases:
                for phase in column_phases:
                    start = column_start + phase
                    low = (
                        0 if start >= 0 else min(columns, (column_step - 1 - start) // column_step)
                    )
                    high = max(low, min(columns, (width - start + column_step - 1) // column_step))
                    for row in range(rows):
                        h = row_start + row * row_step + row_phase
                        inside = 0 <= d < depth and 0 <= h < height
                        if not inside:
                            out[at : at + columns] = np.float32(0.0)
                        else:
                            for q in range(low):
                                out[at + q] = np.float32(0.0)
                            for q in range(high, columns):
                                out[at + q] = np.float32(0.0)
                            source = ((c * depth + d) * height + h) * width + start
                            source += low * column_step
                            _read_row(x, source, column_step, out, at + low, high - low)
                        at += columns


@kernel(read(), i8, i8, write(4), *(i8,) * 7)
def hand_out(
    sums: Any, stride: Any, pitch: Any, out: Any, d: Any, row_start: Any, row_step: Any,
    rows: Any, column_start: Any, column_step: Any, columns: Any,
) -> None:  # fmt: skip
    """Write the valid columns of the sums (channel, row · pitch + column) to their places."""
    channels, depth, height, width = out.shape
    for c in range(channels):
        for row in range(rows):
            line = ((c * depth + d) * height + row_start + row * row_step) * width
            at = c * stride + row * pitch
            _write_row(sums, at, out, line + column_start, column_step, columns, line + width)
