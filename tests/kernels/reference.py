"""The kernels again: slow, float64, straight from the definitions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels import ConvGeometry, PoolGeometry

Sizes = tuple[int, ...]


def reads(
    geometry: ConvGeometry | PoolGeometry, taps: Sizes, spatial: Sizes, windows: Sizes
) -> Iterator[tuple[Sizes, Sizes, Sizes]]:
    """Yield each (window, tap, input position) that a window reads, in row-major order."""
    for window in itertools.product(*map(range, windows)):
        for tap in itertools.product(*map(range, taps)):
            position = tuple(
                w * s - p + t * d
                for w, s, p, t, d in zip(
                    window,
                    geometry.strides,
                    geometry.pads_begin,
                    tap,
                    geometry.dilations,
                    strict=True,
                )
            )
            if all(0 <= i < n for i, n in zip(position, spatial, strict=True)):
                yield window, tap, position


def convolution(x: NDArray[Any], weight: NDArray[Any], geometry: ConvGeometry) -> NDArray[Any]:
    """z_kp = Σ_c Σ_t w_kct · x_c(p·stride − pad + t·dilation)."""
    groups, spatial = geometry.groups, x.shape[2:]
    windows = geometry.output_size(spatial, weight.shape[2:])
    per_group = weight.astype(np.float64).reshape(groups, -1, *weight.shape[1:])
    sources = x.astype(np.float64).reshape(len(x), groups, -1, *spatial)
    z = np.zeros((len(x), groups, per_group.shape[1], *windows))
    for window, tap, position in reads(geometry, weight.shape[2:], spatial, windows):
        matrix = per_group[(..., *tap)]
        z[(..., *window)] += np.einsum("gkc,ngc->ngk", matrix, sources[(..., *position)])
    return z.reshape(len(x), -1, *windows)


def convolution_adjoint(
    s: NDArray[Any], weight: NDArray[Any], geometry: ConvGeometry, spatial: Sizes
) -> NDArray[Any]:
    """g_ci = Σ_k Σ_t w_kct · s_kp over the windows p whose tap t reads input i."""
    groups, windows = geometry.groups, s.shape[2:]
    per_group = weight.astype(np.float64).reshape(groups, -1, *weight.shape[1:])
    ratios = s.astype(np.float64).reshape(len(s), groups, -1, *windows)
    g = np.zeros((len(s), groups, weight.shape[1], *spatial))
    for window, tap, position in reads(geometry, weight.shape[2:], spatial, windows):
        matrix = per_group[(..., *tap)]
        g[(..., *position)] += np.einsum("gkc,ngk->ngc", matrix, ratios[(..., *window)])
    return g.reshape(len(s), -1, *spatial)


def window_sum(x: NDArray[Any], geometry: PoolGeometry, windows: Sizes) -> NDArray[Any]:
    """Sum over each window, zero outside."""
    z = np.zeros((*x.shape[:2], *windows))
    for window, _, position in reads(geometry, geometry.kernel, x.shape[2:], windows):
        z[(..., *window)] += x[(..., *position)]
    return z


def window_sum_adjoint(s: NDArray[Any], geometry: PoolGeometry, spatial: Sizes) -> NDArray[Any]:
    """Each input gets the sum of s over the windows that read it."""
    g = np.zeros((*s.shape[:2], *spatial))
    for window, _, position in reads(geometry, geometry.kernel, spatial, s.shape[2:]):
        g[(..., *position)] += s[(..., *window)]
    return g


def max_pool_winner(
    relevance: NDArray[Any], x: NDArray[Any], geometry: PoolGeometry
) -> NDArray[Any]:
    """Hand each window's relevance to its first maximum."""
    out = np.zeros(x.shape)
    read_by: dict[Sizes, list[Sizes]] = {}
    for window, _, position in reads(geometry, geometry.kernel, x.shape[2:], relevance.shape[2:]):
        read_by.setdefault(window, []).append(position)
    for n, c in np.ndindex(x.shape[:2]):
        for window, positions in read_by.items():
            winner = max(positions, key=lambda position: x[n, c][position])  # first of equals
            out[n, c][winner] += relevance[n, c][window]
    return out
