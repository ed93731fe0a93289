"""Compiled loops of `pooling`: some planes (image and channel) at a time, three spatial axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxlrp.kernels._jit import device, kernel, read, triple, write


@device
def _taps_inside(window: Any, taps: Any, stride: Any, pad: Any, dilation: Any, size: Any) -> Any:
    """First and last + 1 tap of a window that lie within an axis, and where tap 0 lies."""
    start = window * stride - pad
    first = 0 if start >= 0 else (-start + dilation - 1) // dilation
    last = (size - start + dilation - 1) // dilation if size > start else 0
    return start, min(first, taps), min(last, taps)


@kernel(read(4), triple, triple, triple, triple, write(4))
def window_sum(x: Any, taps: Any, strides: Any, pads: Any, dilations: Any, out: Any) -> None:
    """Sum of x over each window."""
    for c in range(out.shape[0]):
        for p in range(out.shape[1]):
            d, d0, d1 = _taps_inside(p, taps[0], strides[0], pads[0], dilations[0], x.shape[1])
            for q in range(out.shape[2]):
                h, h0, h1 = _taps_inside(q, taps[1], strides[1], pads[1], dilations[1], x.shape[2])
                for r in range(out.shape[3]):
                    w, w0, w1 = _taps_inside(
                        r, taps[2], strides[2], pads[2], dilations[2], x.shape[3]
                    )
                    total = np.float32(0.0)
                    for i in range(d0, d1):
                        for j in range(h0, h1):
                            row = x[c, d + i * dilations[0], h + j * dilations[1]]
                            for m in range(w0, w1):
                                total += row[w + m * dilations[2]]
                    out[c, p, q, r] = total


@kernel(read(4), triple, triple, triple, triple, write(4))
def window_sum_adjoint(
    s: Any, taps: Any, strides: Any, pads: Any, dilations: Any, out: Any
) -> None:
    """Add each window's number to every input that the window reads."""
    out[:] = np.float32(0.0)
    for c in range(s.shape[0]):
        for p in range(s.shape[1]):
            d, d0, d1 = _taps_inside(p, taps[0], strides[0], pads[0], dilations[0], out.shape[1])
            for q in range(s.shape[2]):
                h, h0, h1 = _taps_inside(
                    q, taps[1], strides[1], pads[1], dilations[1], out.shape[2]
                )
                for r in range(s.shape[3]):
                    w, w0, w1 = _taps_inside(
                        r, taps[2], strides[2], pads[2], dilations[2], out.shape[3]
                    )
                    value = s[c, p, q, r]
                    for i in range(d0, d1):
                        for j in range(h0, h1):
                            row = out[c, d + i * dilations[0], h + j * dilations[1]]
                            for m in range(w0, w1):
                                row[w + m * dilations[2]] += value


@device
def _winner(plane: Any, start: Any, low: Any, high: Any, dilations: Any) -> Any:
    """Position of a window's first maximum in row-major order; −1 if it reads no input."""
    best, d_best, h_best, w_best = np.float32(-np.inf), -1, -1, -1
    for i in range(low[0], high[0]):
        d = start[0] + i * dilations[0]
        for j in range(low[1], high[1]):
            h = start[1] + j * dilations[1]
            for m in range(low[2], high[2]):
                w = start[2] + m * dilations[2]
                value = plane[d, h, w]
                if value > best or d_best < 0:
                    best, d_best, h_best, w_best = value, d, h, w
    return d_best, h_best, w_best


@kernel(read(4), read(4), triple, triple, triple, triple, write(4))
def max_pool_winner(
    relevance: Any, x: Any, taps: Any, strides: Any, pads: Any, dilations: Any, out: Any
) -> None:
    """Add each window's relevance to its first maximum."""
    out[:] = np.float32(0.0)
    _, depth, height, width = x.shape
    for c in range(relevance.shape[0]):
        for p in range(relevance.shape[1]):
            d, d0, d1 = _taps_inside(p, taps[0], strides[0], pads[0], dilations[0], depth)
            for q in range(relevance.shape[2]):
                h, h0, h1 = _taps_inside(q, taps[1], strides[1], pads[1], dilations[1], height)
                for r in range(relevance.shape[3]):
                    w, w0, w1 = _taps_inside(r, taps[2], strides[2], pads[2], dilations[2], width)
                    i, j, m = _winner(x[c], (d, h, w), (d0, h0, w0), (d1, h1, w1), dilations)
                    if i >= 0:
                        out[c, i, j, m] += relevance[c, p, q, r]
