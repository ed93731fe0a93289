"""Compiled loops that lay windows out as columns, and add columns back to where they came from."""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxlrp.kernels._jit import device, i8, kernel, read, triple, write


@device
def _inside(start: Any, step: Any, size: Any, count: Any) -> Any:
    """Range of q in 0..count for which start + q·step lies in 0..size."""
    first = 0 if start >= 0 else (-start + step - 1) // step
    last = (size - start + step - 1) // step if size > start else 0
    return min(first, count), max(min(first, count), min(last, count))


@kernel(read(4), triple, triple, triple, triple, triple, i8, i8, write())
def unfold(
    x: Any, taps: Any, strides: Any, pads: Any, dilations: Any, windows: Any,
    first: Any, last: Any, columns: Any,
) -> None:  # fmt: skip
    """Columns (channel, tap, window) of the rows first to last of windows; zeros outside x."""
    channels, depth, height, width = x.shape
    row_length = windows[2]
    at = 0
    for c in range(channels):
        for i in range(taps[0]):
            for j in range(taps[1]):
                for m in range(taps[2]):
                    offset = m * dilations[2] - pads[2]
                    low, high = _inside(offset, strides[2], width, row_length)
                    for row in range(first, last):
                        d = (row // windows[1]) * strides[0] - pads[0] + i * dilations[0]
                        h = (row % windows[1]) * strides[1] - pads[1] + j * dilations[1]
                        line = columns[at : at + row_length]
                        at += row_length
                        if d < 0 or d >= depth or h < 0 or h >= height or low == high:
                            line[:] = np.float32(0.0)
                            continue
                        line[:low] = np.float32(0.0)
                        line[high:] = np.float32(0.0)
                        source = x[c, d, h, offset + low * strides[2] :]
                        for q in range(high - low):
                            line[low + q] = source[q * strides[2]]


@kernel(read(), triple, triple, triple, triple, triple, i8, i8, write(4))
def fold(
    columns: Any, taps: Any, strides: Any, pads: Any, dilations: Any, windows: Any,
    first: Any, last: Any, x: Any,
) -> None:  # fmt: skip
    """Add columns back to x: the adjoint of `unfold`."""
    channels, depth, height, width = x.shape
    row_length = windows[2]
    at = 0
    for c in range(channels):
        for i in range(taps[0]):
            for j in range(taps[1]):
                for m in range(taps[2]):
                    offset = m * dilations[2] - pads[2]
                    low, high = _inside(offset, strides[2], width, row_length)
                    for row in range(first, last):
                        d = (row // windows[1]) * strides[0] - pads[0] + i * dilations[0]
                        h = (row % windows[1]) * strides[1] - pads[1] + j * dilations[1]
                        line = columns[at : at + row_length]
                        at += row_length
                        if d < 0 or d >= depth or h < 0 or h >= height or low == high:
                            continue
                        target = x[c, d, h, offset + low * strides[2] :]
                        for q in range(high - low):
                            target[q * strides[2]] += line[low + q]
