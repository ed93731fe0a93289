"""Sums over windows, their adjoint, and relevance through a maximum pooling."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError
from onnxlrp.kernels import _task as the
from onnxlrp.kernels.crew import Task
from onnxlrp.kernels.geometry import PoolGeometry, Sizes
from onnxlrp.kernels.scratch import address
from onnxlrp.kernels.threads import run_task

Array = NDArray[np.float32]
Indices = NDArray[np.int64]

#: Numbers read by one job.
_BLOCK = 65536
#: Seconds that a number takes which a window reads, about.
_SECONDS = 1e-9


def window_sum(x: Array, geometry: PoolGeometry, out_spatial: Sizes) -> Array:
    """Sum over each window, z_cp = Σ_t x_c(p·stride − pad + t·dilation); zero outside of x.

    Parameters
    ----------
    x : (N, C, *S) float32
    geometry : PoolGeometry
    out_spatial : tuple of int
        Number of windows P along each axis.

    Returns
    -------
    (N, C, *P) float32

    Raises
    ------
    InputError
        If the number of spatial axes differs.

    Examples
    --------
    >>> pairs = PoolGeometry((2,), (2,), (0,), (0,), (1,))
    >>> window_sum(np.array([[[1, 2, 3, 4]]], np.float32), pairs, (2,)).tolist()
    [[[3.0, 7.0]]]
    """
    _check_axes(geometry, x.shape[2:], out_spatial)
    out = np.empty((*x.shape[:2], *out_spatial), np.float32)
    _run(the.WINDOW_SUM, geometry, x.shape, out.shape, {the.SOURCE: x, the.OUT: out})
    return out


def window_sum_adjoint(s: Array, geometry: PoolGeometry, in_spatial: Sizes) -> Array:
    """Adjoint of `window_sum`: each input gets the sum of s over the windows that read it.

    Parameters
    ----------
    s : (N, C, *P) float32
    geometry : PoolGeometry
    in_spatial : tuple of int
        Spatial size S of the pooling's input.

    Returns
    -------
    (N, C, *S) float32
    """
    _check_axes(geometry, s.shape[2:], in_spatial)
    out = np.empty((*s.shape[:2], *in_spatial), np.float32)
    _run(the.WINDOW_SUM_ADJOINT, geometry, out.shape, s.shape, {the.SOURCE: s, the.OUT: out})
    return out


def window_count(geometry: PoolGeometry, in_spatial: Sizes, out_spatial: Sizes) -> Array:
    """Count the taps of each window that lie on the input, not in the padding.

    Returns
    -------
    (*P) float32

    Examples
    --------
    >>> window_count(PoolGeometry((3,), (1,), (1,), (1,), (1,)), (4,), (4,)).tolist()
    [2.0, 3.0, 3.0, 2.0]
    """
    ones = np.ones((1, 1, *in_spatial), np.float32)
    count: Array = window_sum(ones, geometry, out_spatial)[0, 0]
    return count


def max_pool_winner(relevance: Array, x: Array, geometry: PoolGeometry) -> Array:
    """Relevance at the input of a maximum pooling: the winner of each window takes all of it.

    Of equal inputs the first one in row-major order wins. The padding never wins; the relevance
    of a window that lies wholly in the padding goes nowhere.

    Parameters
    ----------
    relevance : (N, C, *P) float32
        Relevance at the output.
    x : (N, C, *S) float32
        Input of the pooling.
    geometry : PoolGeometry

    Returns
    -------
    (N, C, *S) float32

    Raises
    ------
    InputError
        If the shapes do not belong together.

    Examples
    --------
    >>> pairs = PoolGeometry((2,), (2,), (0,), (0,), (1,))
    >>> x = np.array([[[1, 2, 3, 3]]], np.float32)
    >>> max_pool_winner(np.array([[[5, 7]]], np.float32), x, pairs).tolist()
    [[[0.0, 5.0, 7.0, 0.0]]]
    """
    _check_axes(geometry, x.shape[2:], relevance.shape[2:])
    if relevance.shape[:2] != x.shape[:2]:
        raise InputError(
            f"pooling: relevance of shape {relevance.shape} and input of shape {x.shape} "
            "differ in samples or channels"
        )
    out = np.empty(x.shape, np.float32)
    arrays = {the.RELEVANCE: relevance, the.SOURCE: x, the.OUT: out}
    _run(the.MAX_POOL, geometry, x.shape, relevance.shape, arrays)
    return out


def _run(
    kind: int, geometry: PoolGeometry, inputs: Sizes, windows: Sizes, arrays: dict[int, Array]
) -> None:
    """Do what `_task` calls so; a plane is read and written by one job only."""
    size, count = _three(inputs[2:], 1), _three(windows[2:], 1)
    numbers, planes = np.zeros(the.SIZE, np.int64), math.prod(inputs[:2])
    some = max(1, _BLOCK // max(1, math.prod(size), math.prod(count)))
    numbers[the.KIND], numbers[the.COUNT] = kind, -(-planes // some)
    numbers[the.IN_DEPTH : the.OUT_WIDTH + 1] = *size, *count
    for place, values, missing in (
        (the.TAPS, geometry.kernel, 1), (the.STRIDES, geometry.strides, 1),
        (the.PADS, geometry.pads_begin, 0), (the.DILATIONS, geometry.dilations, 1),
    ):  # fmt: skip
        numbers[place : place + 3] = _three(values, missing)
    tables = _spans(geometry, size[2], count[2]), _places(geometry, size)
    numbers[the.SPANS], numbers[the.TAP_PLACES] = map(address, tables)
    numbers[the.PLANES], numbers[the.SOME_PLANES] = planes, some
    read = planes * math.prod(count) * math.prod(geometry.kernel)
    given = {place: np.ascontiguousarray(array, np.float32) for place, array in arrays.items()}
    memory = max(size[2], 2 * count[2])
    run_task(Task.on(numbers, memory, read * _SECONDS, given, alive=tables))


def _places(geometry: PoolGeometry, size: Sizes) -> Indices:
    """Where each tap of a window lies in the input, counted from the first: (taps,)."""
    taps = np.indices(_three(geometry.kernel, 1)).reshape(3, -1)
    d, h, w = taps * np.array(_three(geometry.dilations, 1))[:, None]
    return np.ascontiguousarray((d * size[1] + h) * size[2] + w, np.int64)


def _spans(geometry: PoolGeometry, size: int, windows: int) -> Indices:
    """First and last + 1 window across a row for which each tap lies in the input: (taps, 2)."""
    offsets = np.arange(geometry.kernel[-1]) * geometry.dilations[-1] - geometry.pads_begin[-1]
    edges = -(np.array([offsets, offsets - size]) // geometry.strides[-1])
    first, last = np.clip(edges, 0, windows)
    return np.ascontiguousarray(np.stack([first, np.maximum(first, last)], axis=1), np.int64)


def _three(values: Sizes, missing: int) -> Sizes:
    """Give the values three axes, the missing ones in front."""
    return (missing,) * (3 - len(values)) + tuple(values)


def _check_axes(geometry: PoolGeometry, *sizes: Sizes) -> None:
    """Refuse sizes with more or fewer spatial axes than the windows."""
    for size in sizes:
        if len(size) != len(geometry.kernel):
            raise InputError(
                f"pooling: {len(geometry.kernel)} spatial axes expected, got a size of {size}"
            )
