"""Compiled loops of `stencil`: rows of the source in phases and padded, results back in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxlrp.kernels._jit import i8, kernel, read, write


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
                        line = out[at + row * columns : at + (row + 1) * columns]
                        if d < 0 or d >= depth or h < 0 or h >= height:
                            line[:] = np.float32(0.0)
                            continue
                        line[:low] = np.float32(0.0)
                        line[high:] = np.float32(0.0)
                        read_from = x[c, d, h, start + low * column_step :]
                        inner = line[low:high]
                        if column_step == 1:
                            for q in range(inner.size):
                                inner[q] = read_from[q]
                        else:
                            for q in range(inner.size):
                                inner[q] = read_from[q * column_step]
                    at += rows * columns


@kernel(read(), i8, i8, write(4), *(i8,) * 7)
def hand_out(
    sums: Any, stride: Any, pitch: Any, out: Any, d: Any, row_start: Any, row_step: Any,
    rows: Any, column_start: Any, column_step: Any, columns: Any,
) -> None:  # fmt: skip
    """Write the valid columns of the sums (channel, row · pitch + column) to their places."""
    for c in range(out.shape[0]):
        for row in range(rows):
            at = c * stride + row * pitch
            line = sums[at : at + columns]
            target = out[c, d, row_start + row * row_step, column_start:]
            if column_step == 1:
                for q in range(columns):
                    target[q] = line[q]
            else:
                for q in range(columns):
                    target[q * column_step] = line[q]
