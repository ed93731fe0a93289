"""Relevance that stays in a layer: what its bias and its stabiliser absorb."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels import _elementwise as loops
from onnxlrp.kernels.elementwise import Array, _flatten, _sample_size
from onnxlrp.kernels.threads import run, sweep_threads

#: Elements in one job.
_BLOCK = 65536


def absorbed(
    z_pos: Array,
    z_neg: Array,
    relevance: Array,
    coefficient: float,
    p_pos: float,
    p_neg: float,
    epsilon: Array,
    where: int,
    bias_pos: Array,
    bias_neg: Array,
) -> NDArray[np.float64]:
    """Relevance that bias and stabiliser of a layer keep for one term of a rule.

    Sums over the sample of c·R·b/stab(d) and of c·R·(±ε)/stab(d), with d = p⁺z⁺ + p⁻z⁻ and
    b = p⁺b⁺ + p⁻b⁻, where the condition holds.

    Parameters
    ----------
    z_pos, z_neg, relevance, coefficient, p_pos, p_neg, epsilon, where
        As in `signed_ratio`; arrays (N, K, ...) float32.
    bias_pos, bias_neg : (K,) float32
        Positive and negative part of the bias, one for each channel (axis 1).

    Returns
    -------
    (N, 2) float64
        Kept by the bias, and by the stabiliser.
    """
    term = (coefficient, p_pos, p_neg)
    channels = _by_channel(z_pos, z_neg, relevance)
    _sample_size(z_pos, epsilon)
    sums = np.zeros((*channels[0].shape[:2], 2))

    def add(n: int, part: slice) -> None:
        z_and_r = (array[n, part] for array in channels)
        biases = (bias_pos[part], bias_neg[part])
        loops.absorbed(*z_and_r, *term, epsilon[n], where, *biases, sums[n, part])

    _over_channels(add, channels[0])
    return np.asarray(sums.sum(axis=1), np.float64)


def absorbed_share(
    z_pos: Array,
    z_neg: Array,
    relevance: Array,
    coefficient: float,
    p_pos: float,
    p_neg: float,
    epsilon: Array,
    where: int,
    bias_pos: Array,
    bias_neg: Array,
    out: Array,
    accumulate: bool,
) -> None:
    """Relevance that bias and stabiliser keep at each output element: c·R·(b ± ε)/stab(d).

    The element-wise form of `absorbed`, both parts together; 0 where d = 0 (an element without
    inputs cannot hand anything back to them).

    Parameters
    ----------
    z_pos, z_neg, relevance, coefficient, p_pos, p_neg, epsilon, where, bias_pos, bias_neg
        As in `absorbed`.
    out : (N, K, ...) float32
        Written.
    accumulate : bool
        Add to what `out` holds instead of replacing it.
    """
    term = (coefficient, p_pos, p_neg)
    *channels, target = _by_channel(z_pos, z_neg, relevance, out)
    _sample_size(z_pos, epsilon)

    def write(n: int, part: slice) -> None:
        z_and_r = (array[n, part] for array in channels)
        biases = (bias_pos[part], bias_neg[part])
        loops.absorbed_share(
            *z_and_r, *term, epsilon[n], where, *biases, target[n, part], accumulate
        )

    _over_channels(write, target)


def _by_channel(*arrays: Array) -> list[Array]:
    """Look at (N, K, ...) arrays as (N, K, P)."""
    _flatten(*arrays)
    return [array.reshape(*array.shape[:2], -1) for array in arrays]


def _over_channels(loop: Callable[[int, slice], None], a: Array) -> None:
    """Call the loop on each sample and block of channels, spread over the pool."""
    samples, channels, size = a.shape
    step = max(1, _BLOCK // max(1, size))
    parts = [slice(first, first + step) for first in range(0, channels, step)]
    with sweep_threads():
        run([partial(loop, n, part) for n in range(samples) for part in parts])
