"""Element-wise steps of a sweep, each one pass over memory, and sums over a sample.

Axis 0 is always the sample. All arrays are float32 in C order; outputs are written in place.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError
from onnxlrp.kernels import _elementwise as loops
from onnxlrp.kernels import _task as the
from onnxlrp.kernels.crew import Task
from onnxlrp.kernels.threads import get_num_threads, run, run_task, sweep_threads

Array = NDArray[np.float32]

#: Elements in one job at most, and below which it is not cut for the sake of more threads: a part
#: of each array that stays in a core's cache.
_BLOCK, _LEAST = 131072, 16384
#: Seconds that an element takes where arrays come from memory, about.
_SECONDS = 5e-10
#: The bias of a layer that has none, and the stabiliser where there is none.
_NONE = np.zeros(1, np.float32)
_FLOAT = np.dtype(np.float32)


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
    check_alike(z, relevance, out)
    check_stabiliser(z, epsilon)
    sources, factors = (z, None, relevance, relevance), (1.0, 0.0, coefficient)
    over_rows(the.QUOTIENTS, sources, out, factors, epsilon=epsilon)


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
        return over_elements(the.MULTIPLY, (a, a), out)
    return over_elements(the.PRODUCT, (a, g), out)


def clip_positive(a: Array, out: Array) -> None:
    """Positive part out = max(a, 0); NaN stays NaN; `out` may be `a`."""
    over_elements(the.CLIP_POSITIVE, (a, a), out)


def clip_negative(a: Array, out: Array) -> None:
    """Negative part out = min(a, 0); NaN stays NaN; `out` may be `a`."""
    over_elements(the.CLIP_NEGATIVE, (a, a), out)


def split_signs(a: Array) -> tuple[Array, bool]:
    """Positive and negative parts, channel by channel: max(a, 0) in 2·c, min(a, 0) in 2·c + 1.

    Parameters
    ----------
    a : (N, C, ...) float32

    Returns
    -------
    (N, 2·C, ...) float32, bool
        NaN stays NaN in both parts; and whether any element is below 0.

    Raises
    ------
    InputError
        If the array is not float32 in C order.

    Examples
    --------
    >>> out, found = split_signs(np.array([[1.0, -2.0]], np.float32))
    >>> out.tolist(), found
    ([[1.0, 0.0, 0.0, -2.0]], True)
    """
    check_alike(a)
    out = np.empty((len(a), 2 * a.shape[1], *a.shape[2:]), np.float32)
    return out, not over_rows(the.SPLIT, (a,), out, ())


def has_negative(a: Array) -> bool:
    """Whether any element of a float32 array is below 0.

    Examples
    --------
    >>> has_negative(np.array([[1.0, -2.0]], np.float32))
    True
    """
    return _finds(the.SEARCH_NEGATIVE, a)


def all_finite(*arrays: Array) -> bool:
    """Whether float32 arrays have neither NaN nor infinity.

    Examples
    --------
    >>> all_finite(np.array([[1.0, np.inf]], np.float32))
    False
    """
    return not _finds(the.SEARCH_INFINITE, *arrays)


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


def check_alike(*arrays: Array) -> None:
    """Refuse arrays of several shapes, and what is not float32 in C order."""
    shape = arrays[0].shape
    for number, array in enumerate(arrays):
        if array.shape == shape and array.dtype is _FLOAT and array.flags.c_contiguous:
            continue
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


def check_stabiliser(a: Array, epsilon: Array) -> None:
    """Refuse anything but one stabiliser for each sample."""
    if epsilon.shape != a.shape[:1] or epsilon.dtype != np.float32:
        raise InputError(
            f"epsilon is {epsilon.dtype} of shape {epsilon.shape}: "
            f"give one float32 for each of the {a.shape[0]} samples"
        )


def over_elements(
    kind: int, sources: tuple[Array, Array], out: Array, factors: tuple[float, ...] = ()
) -> bool:
    """Do what `_task` calls so, element by element; whether nothing was found amiss."""
    check_alike(*sources, out)
    numbers, reals = np.zeros(the.SIZE, np.int64), np.array(factors, np.float32)
    block = _share(out.size)
    numbers[the.KIND], numbers[the.COUNT] = kind, -(-out.size // block)
    numbers[the.LENGTH : the.BLOCK + 1] = out.size, block
    arrays = {the.A: sources[0], the.B: sources[1], the.TO: out, the.REALS: reals}
    return _succeeds(Task.on(numbers, 0, out.size * _SECONDS, arrays))


def over_rows(
    kind: int,
    sources: tuple[Array | None, ...],
    out: Array,
    factors: tuple[float, ...],
    bias: Array = _NONE,
    epsilon: Array = _NONE,
    where: int = 0,
    other: Array | None = None,
) -> bool:
    """Do what `_task` calls so, channel by channel of (N, K, ...) arrays; see `over_elements`."""
    if out.size == 0:
        return True
    numbers, reals = np.zeros(the.SIZE, np.int64), np.array(factors, np.float32)
    read = next(source for source in sources if source is not None)
    rows = math.prod(read.shape[:2])
    width = read.size // rows
    block = -(-_share(read.size) // width)
    numbers[the.KIND], numbers[the.COUNT] = kind, -(-rows // block)
    numbers[the.LENGTH : the.WIDTH + 1] = rows, block, width
    numbers[the.SAMPLES] = len(epsilon)
    numbers[the.BIAS_NUMBERS : the.WHERE + 1] = bias.size, where
    arrays = {the.EPSILON: epsilon, the.BIAS: bias, the.REALS: reals, the.TO: out}
    given = {the.A + number: source for number, source in enumerate(sources)}
    given[the.TO_OTHER] = other
    arrays |= {place: array for place, array in given.items() if array is not None}
    return _succeeds(Task.on(numbers, 0, out.size * _SECONDS, arrays))


def _share(size: int) -> int:
    """Elements in one job, of so many in all: a matter of speed alone, so threads may decide."""
    return max(min(_BLOCK, -(-size // get_num_threads())), min(_LEAST, size), 1)


def _finds(kind: int, *arrays: Array) -> bool:
    """Whether a search finds something in any of the arrays; the rest is left out once it has."""
    for array in arrays:
        check_alike(array)
        numbers, block = np.zeros(the.SIZE, np.int64), _share(array.size)
        numbers[the.KIND], numbers[the.COUNT] = kind, -(-array.size // block)
        numbers[the.LENGTH : the.BLOCK + 1] = array.size, block
        if not _succeeds(Task.on(numbers, 0, array.size * _SECONDS, {the.A: array})):
            return True
    return False


def _succeeds(task: Task) -> bool:
    """Run a task; whether nothing was found amiss."""
    run_task(task)
    return not task.found


def _sum_samples(loop: Callable[[Array], float], a: Array) -> NDArray[np.float64]:
    """Sum each sample block by block; the blocks' sums are added in their order."""
    check_alike(a)
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
