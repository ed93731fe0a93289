"""Fully connected layers: x·w and s·wᵀ with the same bits for one sample and for many.

With one row a sample the product is bound by reading the weight, which is read once, part by part
and in order, for all rows. NumPy's product of many rows sums in another order than that of one.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError
from onnxlrp.kernels._jit import REDUCTION, device, i8, kernel, read, write
from onnxlrp.kernels.shares import even_ranges
from onnxlrp.kernels.threads import run, sweep_threads

Array = NDArray[np.float32]

#: Numbers of the weight in one job, at least, and the most jobs that are summed up afterwards.
_BLOCK, _PARTS = 131072, 16
#: Seconds that a number of the weight takes where it comes from memory, about.
_SECONDS = 5e-10
#: Rows of one sample in one job, where a sample has many.
_ROWS = 64


def matmul(x: Array, w: Array, out: Array | None = None) -> Array:
    """Product z = x·w, spread over the crew.

    Parameters
    ----------
    x : (N, ..., C) float32
        Axis 0 is the sample.
    w : (C, K) float32
        In C order or transposed (a view `v.T` of an array in C order); neither is copied.
    out : (N, ..., K) float32, optional
        Written instead of a new array.

    Returns
    -------
    (N, ..., K) float32

    Raises
    ------
    InputError
        If shapes do not fit.

    Examples
    --------
    >>> matmul(np.array([[1, 2]], np.float32), np.eye(2, dtype=np.float32)).tolist()
    [[1.0, 2.0]]
    """
    if w.ndim != 2 or x.ndim < 2 or x.shape[-1] != w.shape[0]:
        raise InputError(f"matmul: arrays of shape {x.shape} and {w.shape} do not fit")
    shape = (*x.shape[:-1], w.shape[1])
    if out is None:
        out = np.empty(shape, np.float32)
    elif out.shape != shape or out.dtype != np.float32 or not out.flags.c_contiguous:
        raise InputError(f"matmul: out must be float32 in C order of shape {shape}")
    x = np.ascontiguousarray(x, np.float32)
    w = np.asarray(w, np.float32)
    with sweep_threads():
        if x.ndim > 2:
            _multiply_matrices(x.reshape(len(x), -1, x.shape[-1]), w, out)
        elif w.T.flags.c_contiguous:
            _dot_rows(x, w.T, out)
        else:
            _combine_rows(x, np.ascontiguousarray(w), out)
    return out


def _dot_rows(x: Array, rows: Array, out: Array) -> None:
    """Compute out = x·rowsᵀ: each row of the weight gives one number a sample."""
    step = max(4, _BLOCK // max(1, rows.shape[1]))
    parts = even_ranges(len(rows), step)
    run([partial(dot_rows, x, rows, part.start, part.stop, out) for part in parts])


def _combine_rows(x: Array, rows: Array, out: Array) -> None:
    """Compute out = x·rows: sums of weighted rows, part by part, the parts in their order."""
    step = max(-(-len(rows) // _PARTS), _BLOCK // max(1, rows.shape[1]))
    parts = even_ranges(len(rows), step)
    sums = np.empty((len(parts), *out.shape), np.float32)
    read = np.count_nonzero(x.any(axis=0)) * rows.shape[1]
    jobs = [
        partial(combine_rows, x, rows, part.start, part.stop, total)
        for part, total in zip(parts, sums, strict=True)
    ]
    run(jobs, seconds=read * _SECONDS)
    out[...] = sums[0]
    for total in sums[1:]:
        out += total


def _multiply_matrices(x: Array, w: Array, out: Array) -> None:
    """Multiply many rows a sample: blocks of one sample's rows, each a matrix product."""
    target = out.reshape(*x.shape[:2], w.shape[1])

    def block(n: int, low: int) -> None:
        rows = slice(low, low + _ROWS)
        np.matmul(x[n, rows], w, out=target[n, rows])

    run([partial(block, n, low) for n in range(len(x)) for low in range(0, x.shape[1], _ROWS)])


@device()
def _next(x: Any, row: Any, high: Any) -> Any:
    """Return the first row, from this one on, that some sample has a weight for; else `high`."""
    for c in range(row, high):
        for n in range(x.shape[0]):
            if x[n, c] != np.float32(0.0):
                return c
    return high


@kernel(read(2), read(2), i8, i8, write(2))
def combine_rows(x: Any, rows: Any, low: Any, high: Any, out: Any) -> None:
    """Weighted sum of the rows low to high; rows without any weight are not even read.

    Each number is summed in the order of the rows, however many are added at once: so what a sample
    gets does not depend on which rows others need.
    """
    out[:] = np.float32(0.0)
    c = _next(x, low, high)
    while c < high:
        second = _next(x, c + 1, high)
        third = _next(x, second + 1, high)
        fourth = _next(x, third + 1, high)
        if fourth >= high:
            row = rows[c]
            for n in range(x.shape[0]):
                u, total = x[n, c], out[n]
                for k in range(total.size):
                    total[k] += u * row[k]
            c = second
            continue
        row, other, next_, last = rows[c], rows[second], rows[third], rows[fourth]
        for n in range(x.shape[0]):
            u, v, s, t = x[n, c], x[n, second], x[n, third], x[n, fourth]
            total = out[n]
            for k in range(total.size):
                total[k] = (((total[k] + u * row[k]) + v * other[k]) + s * next_[k]) + t * last[k]
        c = _next(x, fourth + 1, high)


@kernel(read(2), read(2), i8, i8, write(2), fastmath=REDUCTION)
def dot_rows(x: Any, rows: Any, low: Any, high: Any, out: Any) -> None:
    """Scalar products with the rows low to high, four at a time."""
    for k in range(low, high - 3, 4):
        first, second, third, fourth = rows[k], rows[k + 1], rows[k + 2], rows[k + 3]
        for n in range(x.shape[0]):
            source = x[n]
            u, v, s, t = np.float32(0.0), np.float32(0.0), np.float32(0.0), np.float32(0.0)
            for c in range(source.size):
                u += source[c] * first[c]
                v += source[c] * second[c]
                s += source[c] * third[c]
                t += source[c] * fourth[c]
            out[n, k], out[n, k + 1], out[n, k + 2], out[n, k + 3] = u, v, s, t
    for k in range(high - (high - low) % 4, high):
        row = rows[k]
        for n in range(x.shape[0]):
            source, u = x[n], np.float32(0.0)
            for c in range(row.size):
                u += source[c] * row[c]
            out[n, k] = u
