"""Fully connected layers: x·w and s·wᵀ with the same bits for one sample and for many.

With one row for each sample the weight is read once, block by block, and every row is multiplied
while the block is in the cache; numpy's product of many rows would sum in another order than its
product of one.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError
from onnxlrp.kernels._jit import REDUCTION, i8, kernel, read, write
from onnxlrp.kernels.threads import run, sweep_threads

Array = NDArray[np.float32]

#: Numbers of the weight in one job (256 KiB).
_BLOCK = 65536
#: Rows of one sample in one job, where a sample has many.
_ROWS = 64


def matmul(x: Array, w: Array, out: Array | None = None) -> Array:
    """Product z = x·w, spread over the pool.

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
    with sweep_threads():
        if x.ndim == 2:
            _multiply_rows(x, w, out)
        else:
            _multiply_matrices(x.reshape(len(x), -1, x.shape[-1]), w, out)
    return out


def matmul_adjoint(s: Array, w: Array, out: Array | None = None) -> Array:
    """Adjoint g = s·wᵀ of `matmul`.

    Parameters
    ----------
    s : (N, ..., K) float32
    w : (C, K) float32
    out : (N, ..., C) float32, optional

    Returns
    -------
    (N, ..., C) float32
    """
    return matmul(s, w.T, out)


def _multiply_rows(x: Array, w: Array, out: Array) -> None:
    """One row a sample: bound by reading w, which each thread reads a part of."""
    by_rows = w.flags.c_contiguous
    w = w if by_rows else np.ascontiguousarray(w.T)
    if by_rows:
        step = max(16, _BLOCK // max(1, len(w)) // 16 * 16)
        jobs = [
            partial(_combine_rows, x, w, low, min(low + step, w.shape[1]), out)
            for low in range(0, w.shape[1], step)
        ]
    else:
        step = max(1, _BLOCK // max(1, w.shape[1]))
        jobs = [
            partial(_dot_rows, x, w, low, min(low + step, len(w)), out)
            for low in range(0, len(w), step)
        ]
    run(jobs)


def _multiply_matrices(x: Array, w: Array, out: Array) -> None:
    """Many rows a sample: blocks of one sample's rows, each a matrix product."""
    target = out.reshape(*x.shape[:2], w.shape[1])

    def block(n: int, low: int) -> None:
        rows = slice(low, low + _ROWS)
        np.matmul(x[n, rows], w, out=target[n, rows])

    run([partial(block, n, low) for n in range(len(x)) for low in range(0, x.shape[1], _ROWS)])


@kernel(read(2), read(2), i8, i8, write(2))
def _combine_rows(x: Any, w: Any, low: Any, high: Any, out: Any) -> None:
    """Columns low to high of x·w: rows of w, weighted and added up."""
    for n in range(x.shape[0]):
        target = out[n, low:high]
        target[:] = np.float32(0.0)
        for c in range(w.shape[0]):
            factor, row = x[n, c], w[c, low:high]
            for k in range(high - low):
                target[k] += factor * row[k]


@kernel(read(2), read(2), i8, i8, write(2), fastmath=REDUCTION)
def _dot_rows(x: Any, w: Any, low: Any, high: Any, out: Any) -> None:
    """Columns low to high of x·wᵀ: one scalar product for each row of w."""
    for k in range(low, high):
        row = w[k]
        for n in range(x.shape[0]):
            source = x[n]
            total = np.float32(0.0)
            for c in range(row.size):
                total += source[c] * row[c]
            out[n, k] = total
