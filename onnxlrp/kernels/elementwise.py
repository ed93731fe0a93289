"""Element-wise steps of a sweep, each one pass over memory, and sums over a sample.

Axis 0 is always the sample. All arrays are float32 in C order; outputs are written in place.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError
from onnxlrp.kernels import _elementwise as loops
from onnxlrp.kernels.threads import run, sweep_threads

Array = NDArray[np.float32]

#: Elements in one job: a part of each array that stays in a core's cache.
_BLOCK = 131072
#: Numbers that are searched in one job.
_SEARCHED = 262144
#: Seconds that an element takes where arrays come from memory, about.
_SECONDS = 5e-10


def ratio(z: Array, relevance: Array, coefficient: float, epsilon: Array, out: Array) -> None:
    """Ratio s = c·R / stab(z) with stab(z) = z + ε·(1 if z ≥ 0 else −1); 0 where R = 0.

    Parameters
    ----------
    z, relevance : (N, ...) float32
        Pre-activation and relevance R.
    coefficient : float
        The number c.
    epsilon : (N,) float32
        The stabiliser ε of each sample.
    out : (N, ...) float32
        Written; may be `z` or `relevance` itself.

    Raises
    ------
    InputError
        If shapes differ, or an array is not float32 in C order.
    """
    flat = _flatten(z, relevance, out)
    size = _sample_size(z, epsilon)
    _over_ranges(
        z.size,
        lambda first, last: loops.ratio(
            *flat[:2], coefficient, epsilon, flat[2], size, first, last
        ),
    )


def product(a: Array, g: Array, out: Array) -> bool:
    """Product out = a·g of float32 arrays of one shape; `out` may be one of the inputs.

    Returns
    -------
    bool
        Whether all of it is finite.

    Examples
    --------
    >>> a = np.array([[1.0, 1e30]], np.float32)
    >>> product(a, np.ones_like(a), np.empty_like(a)), product(a, a, np.empty_like(a))
    (True, False)
    """
    if out is g:
        return _over_parts(loops.multiply, a, g)
    return _over_parts(loops.product, a, g, out)


def clip_positive(a: Array, out: Array) -> None:
    """Positive part out = max(a, 0); NaN stays NaN; `out` may be `a`."""
    _over_parts(loops.clip_positive, a, out)


def clip_negative(a: Array, out: Array) -> None:
    """Negative part out = min(a, 0); NaN stays NaN; `out` may be `a`."""
    _over_parts(loops.clip_negative, a, out)


def has_negative(a: Array) -> bool:
    """Whether any element of a float32 array is below 0.

    Examples
    --------
    >>> has_negative(np.array([[1.0, -2.0]], np.float32))
    True
    """
    (flat,) = _flatten(a)
    return _any_block(loops.has_negative, flat)


def all_finite(*arrays: Array) -> bool:
    """Whether float32 arrays have neither NaN nor infinity.

    Examples
    --------
    >>> all_finite(np.array([[1.0, np.inf]], np.float32))
    False
    """
    pairs = []
    for array in arrays:
        (flat,) = _flatten(array)
        even = flat.size - flat.size % 2
        if not np.isfinite(flat[even:]).all():
            return False
        pairs.append(flat[:even].view(np.int64))
    return not _any_block(loops.has_infinite, *pairs)


def rms(a: Array) -> Array:
    """Root of the mean square of each sample, sqrt(mean(a²)), summed in float64.

    Parameters
    ----------
    a : (N, ...) float32

    Returns
    -------
    (N,) float32

    Examples
    --------
    >>> rms(np.array([[3.0, 4.0], [0.0, 0.0]], np.float32)).tolist()
    [3.535533905029297, 0.0]
    """
    sums = _sum_samples(loops.sum_squares, a)
    return np.sqrt(sums / max(1, a[:1].size)).astype(np.float32)


def sum_per_sample(a: Array) -> NDArray[np.float64]:
    """Sum of each sample of an (N, ...) float32 array, in float64: (N,).

    Examples
    --------
    >>> sum_per_sample(np.ones((2, 3), np.float32)).tolist()
    [3.0, 3.0]
    """
    return _sum_samples(loops.sum_values, a)


def _flatten(*arrays: Array) -> list[Array]:
    """Look at the arrays as one axis; they must be alike."""
    shape = arrays[0].shape
    for number, array in enumerate(arrays):
        if array.shape != shape:
            raise InputError(
                f"array {number} of an element-wise kernel has shape {array.shape}, "
                f"the first one {shape}: make them equal"
            )
        if array.dtype != np.float32 or not array.flags.c_contiguous:
            raise InputError(
                f"array {number} of an element-wise kernel is {array.dtype} with strides "
                f"{array.strides}: make it float32 in C order (np.ascontiguousarray)"
            )
    return [array.reshape(-1) for array in arrays]


def _sample_size(a: Array, epsilon: Array) -> int:
    """Elements in one sample; there must be one stabiliser for each."""
    if epsilon.shape != a.shape[:1] or epsilon.dtype != np.float32:
        raise InputError(
            f"epsilon is {epsilon.dtype} of shape {epsilon.shape}: "
            f"give one float32 for each of the {a.shape[0]} samples"
        )
    return max(1, a[:1].size)


def _over_ranges(
    size: int, loop: Callable[[int, int], bool | None], block: int = _BLOCK, weight: int = 1
) -> bool:
    """Call the loop on blocks of the range, spread over the pool; whether no call returned False.

    Each place of the range stands for `weight` elements.
    """
    failed: list[int] = []

    def work(first: int) -> None:
        if loop(first, min(first + block, size)) is False:
            failed.append(first)

    with sweep_threads():
        jobs = [partial(work, first) for first in range(0, size, block)]
        run(jobs, size * weight * _SECONDS)
    return not failed


def _over_parts(loop: Callable[..., bool | None], *arrays: Array) -> bool:
    """Call the loop on blocks of the arrays, spread over the pool; whether none returned False."""
    flat = _flatten(*arrays)
    size = flat[0].size
    return _over_ranges(size, lambda first, last: loop(*(array[first:last] for array in flat)))


def _any_block(loop: Callable[..., bool], *flat: NDArray[Any]) -> bool:
    """Whether the loop finds something in any of the arrays; the rest is left out once it has."""
    found: list[bool] = []

    def search(array: NDArray[Any], first: int) -> None:
        if not found and loop(array[first : first + _SEARCHED]):
            found.append(True)

    run(
        [partial(search, a, first) for a in flat for first in range(0, a.size, _SEARCHED)],
        sum(array.size for array in flat) * _SECONDS,
    )
    return bool(found)


def _sum_samples(loop: Callable[[Array], float], a: Array) -> NDArray[np.float64]:
    """Sum each sample block by block; the blocks' sums are added in their order."""
    _flatten(a)
    samples = a.reshape(len(a), -1)
    starts = range(0, samples.shape[1], _BLOCK)
    partial_sums = np.zeros((len(a), len(starts)))

    def add(n: int, block: int) -> None:
        first = starts[block]
        partial_sums[n, block] = loop(samples[n, first : first + _BLOCK])

    with sweep_threads():
        jobs = [partial(add, n, block) for n in range(len(a)) for block in range(len(starts))]
        run(jobs, a.size * _SECONDS)
    return np.asarray(partial_sums.sum(axis=1), np.float64)
