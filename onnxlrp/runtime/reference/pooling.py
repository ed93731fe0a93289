"""Pools in float64: one step for each tap, over all windows at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx.reference.op_run import OpRun

from onnxlrp.runtime.reference.windows import Windows, lay_windows

Array = NDArray[np.float64]


class AveragePool(OpRun):
    """y = (Σ x over the window) / (number of taps that count)."""

    def _run(
        self,
        x: Array,
        auto_pad: str | None = None,
        ceil_mode: int = 0,
        count_include_pad: int = 0,
        dilations: Sequence[int] | None = None,
        kernel_shape: Sequence[int] = (),
        pads: Sequence[int] | None = None,
        strides: Sequence[int] | None = None,
    ) -> tuple[Array]:
        windows = lay_windows(
            x.shape[2:], kernel_shape, strides, dilations, pads, auto_pad, ceil_mode
        )
        total = np.zeros((*x.shape[:2], *windows.out))
        for seen in windows.taps(windows.padded(x, 0.0)):
            total += seen
        return (total / _taps_that_count(windows, bool(count_include_pad)),)


def _taps_that_count(windows: Windows, include_pad: bool) -> Array:
    """Count each window's taps in the input, or in input and padding; none lies beyond both."""
    if include_pad:
        sides = zip(windows.begin, windows.size, windows.end, strict=True)
        whole = tuple(b + n + e for b, n, e in sides)
        windows = replace(windows, begin=(0,) * len(whole), size=whole)
    count = np.zeros(windows.out)
    for seen in windows.taps(windows.padded(np.ones(windows.size), 0.0)):
        count += seen
    return count


class MaxPool(OpRun):
    """y = max x over the window; as second output, where the first maximum stands in x."""

    def _run(
        self,
        x: NDArray[Any],
        auto_pad: str | None = None,
        ceil_mode: int = 0,
        dilations: Sequence[int] | None = None,
        kernel_shape: Sequence[int] = (),
        pads: Sequence[int] | None = None,
        storage_order: int = 0,
        strides: Sequence[int] | None = None,
    ) -> tuple[NDArray[Any], ...]:
        windows = lay_windows(
            x.shape[2:], kernel_shape, strides, dilations, pads, auto_pad, ceil_mode
        )
        least = -math.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
        padded = windows.padded(x, least)
        y = np.full((*x.shape[:2], *windows.out), least, x.dtype)
        for seen in windows.taps(padded):
            np.maximum(y, seen, out=y)
        if len(self.output) == 1:
            return (y,)
        return y, _places(padded, y, windows, column_major=bool(storage_order))


def _places(
    padded: NDArray[Any], y: NDArray[Any], windows: Windows, column_major: bool
) -> NDArray[np.int64]:
    """Return each maximum's position in x, counted through batch, channels and space."""
    count = math.prod(windows.size)
    counted = np.arange(count).reshape(windows.size, order="F" if column_major else "C")
    place = windows.padded(counted, -1)
    found = np.full(y.shape, -1, np.int64)
    for seen, at in zip(windows.taps(padded), windows.taps(place), strict=True):
        first = (seen == y) & (found < 0) & (at >= 0)
        np.copyto(found, np.broadcast_to(at, found.shape), where=first)
    channels = np.arange(math.prod(y.shape[:2])).reshape(*y.shape[:2], *(1,) * len(windows.size))
    return found + channels * count


class GlobalMaxPool(OpRun):
    """y = max x over all of space."""

    def _run(self, x: NDArray[Any]) -> tuple[NDArray[Any]]:
        return (x.max(axis=tuple(range(2, x.ndim)), keepdims=True),)
