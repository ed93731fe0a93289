"""Conv and ConvTranspose in float64: columns of the input times the weights, by BLAS."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from onnx.reference.op_run import OpRun

from onnxlrp.runtime.reference.windows import Windows, lay_windows, lay_windows_backwards

Array = NDArray[np.float64]

COLUMNS = 1 << 22
"""Elements of the columns that one product takes: 32 MiB."""


class Conv(OpRun):
    """y = x ∗ W + B (a cross-correlation) over any number of spatial axes."""

    def _run(
        self,
        x: Array,
        w: Array,
        b: Array | None = None,
        auto_pad: str | None = None,
        dilations: Sequence[int] | None = None,
        group: int = 1,
        kernel_shape: Sequence[int] | None = None,
        pads: Sequence[int] | None = None,
        strides: Sequence[int] | None = None,
    ) -> tuple[Array]:
        windows = lay_windows(x.shape[2:], w.shape[2:], strides, dilations, pads, auto_pad)
        return (_plus_bias(convolve(x, w, windows, group), b),)


class ConvTranspose(OpRun):
    """y = the adjoint of the convolution with W, applied to x, + B."""

    def _run(
        self,
        x: Array,
        w: Array,
        b: Array | None = None,
        auto_pad: str | None = None,
        dilations: Sequence[int] | None = None,
        group: int = 1,
        kernel_shape: Sequence[int] | None = None,
        output_padding: Sequence[int] | None = None,
        output_shape: Sequence[int] | None = None,
        pads: Sequence[int] | None = None,
        strides: Sequence[int] | None = None,
    ) -> tuple[Array]:
        windows = lay_windows_backwards(
            x.shape[2:], w.shape[2:], strides, dilations, pads, auto_pad,
            output_padding, output_shape,
        )  # fmt: skip
        return (_plus_bias(convolve_adjoint(x, w, windows, group), b),)


def convolve(x: Array, w: Array, windows: Windows, groups: int) -> Array:
    """Σ w·x over the taps and the group's channels: (N, C, *size), (K, C/groups, *kernel)."""
    padded = windows.padded(x, 0.0)
    if groups == len(w) == x.shape[1]:
        return _depthwise(padded, w, windows)
    kernels = w.reshape(groups, len(w) // groups, -1)
    row = x.shape[1] * math.prod((*windows.kernel, *windows.out[1:]))
    height = max(1, COLUMNS // row)
    z = np.empty((len(x), len(w), *windows.out))
    for picture, made in zip(padded, z, strict=True):
        for start in range(0, windows.out[0], height):
            rows = made[:, start : start + height]
            part = replace(windows, out=rows.shape[1:])
            below = picture[:, start * windows.strides[0] :]
            columns = np.stack(list(part.taps(below)), axis=1)
            product = kernels @ columns.reshape(groups, kernels.shape[2], -1)
            rows[...] = product.reshape(rows.shape)
    return z


def _depthwise(padded: Array, w: Array, windows: Windows) -> Array:
    """One channel in, one channel out: no product of matrices, one multiplication a tap."""
    z = np.zeros((*padded.shape[:2], *windows.out))
    term = np.empty_like(z)
    factors = w.reshape(len(w), -1, *(1,) * len(windows.out))
    for tap, seen in enumerate(windows.taps(padded)):
        np.multiply(seen, factors[:, tap], out=term)
        z += term
    return z


def convolve_adjoint(x: Array, w: Array, windows: Windows, groups: int) -> Array:
    """Add every x·w to the places that its window sees: (N, C, *out), (C, K/groups, *kernel)."""
    batch, channels = len(x), groups * w.shape[1]
    kernels = w.reshape(groups, len(w) // groups, -1).swapaxes(1, 2)
    columns = kernels @ x.reshape(batch, groups, len(w) // groups, -1)
    columns = columns.reshape(batch, channels, -1, *windows.out)
    # Where windows reach beyond the output, the padding takes what is cut away.
    padded = windows.padded(np.zeros((batch, channels, *windows.size)), 0.0)
    for tap, seen in enumerate(windows.taps(padded)):
        seen += columns[:, :, tap]
    z: Array = padded[windows.inside]
    return z


def _plus_bias(z: Array, bias: Array | None) -> Array:
    """Add one number a channel, where there is a bias."""
    return z if bias is None else z + bias.reshape((-1,) + (1,) * (z.ndim - 2))
