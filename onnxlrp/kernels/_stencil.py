"""Compiled loops of `blocks`: rows of the source in phases and padded, results back in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxlrp.kernels._jit import device, i8, read, write
from onnxlrp.kernels._vectors import LANES, Code, Pointer, copying, vector_function

_FROM_TO = (read(), i8, write(), i8)


_copy_1, _copy_4, _copy_8, _copy_16 = (copying(count) for count in (1, 4, 8, 16))


def _meaning_of_gather(source: Any, at: int, out: Any, out_at: int) -> None:
    out[out_at : out_at + LANES] = source[at : at + 2 * LANES : 2]


@vector_function(*_FROM_TO, meaning=_meaning_of_gather)
def _gather_seconds(code: Code, source: Pointer, out: Pointer) -> None:
    """Copy every second of 16 numbers."""
    pair = [source.load(), (source + LANES).load()]
    out.store(code.shuffle(pair, range(0, 2 * LANES, 2)))


def _meaning_of_scatter(source: Any, at: int, out: Any, out_at: int) -> None:
    out[out_at : out_at + 2 * LANES : 2] = source[at : at + LANES]


@vector_function(*_FROM_TO, meaning=_meaning_of_scatter)
def _scatter_seconds(code: Code, source: Pointer, out: Pointer) -> None:
    """Replace every second of 16 numbers."""
    numbers = source.load()
    for half in range(2):
        place = out + LANES * half
        first = LANES + LANES // 2 * half
        lanes = [first + i // 2 if i % 2 == 0 else i for i in range(LANES)]
        place.store(code.shuffle([place.load(), numbers], lanes))


@device()
def copy_row(source: Any, at: Any, out: Any, out_at: Any, count: Any) -> None:
    """Copy a row; its end is copied in full vectors too, that overlap what is there already."""
    q = 0
    while q + 8 <= count:
        _copy_8(source, at + q, out, out_at + q)
        q += 8
    if q < count and count >= 8:
        _copy_8(source, at + count - 8, out, out_at + count - 8)
    elif count - q >= 4:
        _copy_4(source, at, out, out_at)
        _copy_4(source, at + count - 4, out, out_at + count - 4)
    else:
        for i in range(q, count):
            _copy_1(source, at + i, out, out_at + i)


@device()
def _scatter(source: Any, at: Any, out: Any, out_at: Any, step: Any, count: Any, end: Any) -> None:
    """Write to every `step`-th place, and leave everything from `end` on alone."""
    q = 0
    while step == 2 and q + 8 <= count and out_at + 2 * q + 16 <= end:
        _scatter_seconds(source, at + q, out, out_at + 2 * q)
        q += 8
    for i in range(q, count):
        _copy_1(source, at + i, out, out_at + i * step)


@device()
def _span(start: Any, step: Any, size: Any, count: Any) -> Any:
    """First and last + 1 of `count` places start, start + step, … that lie in 0…size."""
    first = 0 if start >= 0 else min(count, (step - 1 - start) // step)
    return first, max(first, min(count, (size - start + step - 1) // step))


@device()
def _lay_out_rows(
    x: Any, begin: Any, row_start: Any, row_step: Any, height: Any, width: Any, start: Any,
    step: Any, out: Any, at: Any, rows: Any, columns: Any,
) -> None:  # fmt: skip
    """Copy every so many rows of a picture that begins somewhere in x, and numbers of each row.

    A row's last vector may reach into the next row, which is written after it.
    """
    low, high = _span(start, step, width, columns)
    for row in range(rows):
        h, q = row_start + row * row_step, low
        if h < 0 or h >= height:
            out[at : at + columns] = np.float32(0.0)
        else:
            source = begin + h * width + start
            while step == 1 and q < high and source + q + 8 <= x.size:
                _copy_8(x, source + q, out, at + q)
                q += 8
            while step == 2 and q < high and source + 2 * q + 16 <= x.size:
                _gather_seconds(x, source + 2 * q, out, at + q)
                q += 8
            for i in range(q, high):
                _copy_1(x, source + i * step, out, at + i)
            for i in range(low):
                out[at + i] = np.float32(0.0)
            for i in range(high, columns):
                out[at + i] = np.float32(0.0)
        at += columns


@device()
def lay_out(
    x: Any, depths: Any, row_phases: Any, column_phases: Any, row_step: Any, row_start: Any,
    rows: Any, column_step: Any, column_start: Any, columns: Any, out: Any,
) -> None:  # fmt: skip
    """Copy x (channel, depth, height, width) to (channel, depth tap, phases, row, column).

    Zeros stand for what lies outside of x.
    """
    channels, depth, height, width = x.shape
    flat, at = x.reshape(-1), 0
    for c in range(channels):
        for d in depths:
            begin, high = (c * depth + d) * height * width, height if 0 <= d < depth else 0
            for row_phase in row_phases:
                for phase in column_phases:
                    _lay_out_rows(
                        flat, begin, row_start + row_phase, row_step, high, width,
                        column_start + phase, column_step, out, at, rows, columns,
                    )  # fmt: skip
                    at += rows * columns


@vector_function(read(), i8, meaning=lambda source, at: None)
def _ask_for(code: Code, source: Pointer) -> None:
    """Have a line of the cache brought meanwhile."""
    source.prefetch()


@device()
def copy_lines(x: Any, at: Any, step: Any, lines: Any, count: Any, out: Any) -> None:
    """Copy lines of x that begin so many numbers apart, one after another.

    They are too short for the processor to see in time what comes next.
    """
    for line in range(lines):
        begin, to = at + line * step, line * count
        ahead = begin + (2 * step if line + 2 < lines else 0)
        q = 0
        while q + 16 <= count:
            _ask_for(x, ahead + q)
            _copy_16(x, begin + q, out, to + q)
            q += 16
        for i in range(q, count):
            _copy_1(x, begin + i, out, to + i)


@device()
def copy_windows(
    laid: Any, offsets: Any, pitch: Any, rows: Any, columns: Any, out: Any
) -> None:  # fmt: skip
    """Copy the columns of some rows for each channel and tap, without what lies between them."""
    to = 0
    for offset in offsets:
        for row in range(rows):
            for q in range(0, columns, 8):
                _copy_8(laid, offset + row * pitch + q, out, to + q)
            to += columns


@device()
def clear(out: Any, d: Any, line: Any, lines: Any) -> None:
    """Write zeros to some lines of all channels."""
    channels, depth, height, width = out.shape
    flat = out.reshape(-1)
    for c in range(channels):
        at = ((c * depth + d) * height + line) * width
        flat[at : at + lines * width] = np.float32(0.0)


@device()
def hand_out(
    sums: Any, stride: Any, pitch: Any, out: Any, d: Any, row_start: Any, row_step: Any,
    rows: Any, column_start: Any, column_step: Any, columns: Any,
) -> None:  # fmt: skip
    """Write the valid columns of the sums (channel, row · pitch + column) to their places."""
    channels, depth, height, width = out.shape
    flat = out.reshape(-1)
    for c in range(channels):
        for row in range(rows):
            line = ((c * depth + d) * height + row_start + row * row_step) * width
            at, place = c * stride + row * pitch, line + column_start
            if column_step == 1:
                copy_row(sums, at, flat, place, columns)
            else:
                _scatter(sums, at, flat, place, column_step, columns, line + width)
