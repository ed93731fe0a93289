"""The element-wise steps of one branch of a rule: denominator, ratio, product.

Axis 0 is always the sample. All arrays are float32 in C order; outputs are written in place.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from onnxlrp.kernels import _branches as loops
from onnxlrp.kernels.elementwise import (
    _BLOCK,
    Array,
    _any_block,
    _flatten,
    _over_parts,
    _over_ranges,
    _sample_size,
)
from onnxlrp.kernels.threads import run, sweep_threads


def weighted_sum(u: Array, cu: float, v: Array, cv: float, out: Array) -> None:
    """Weighted sum out = cu·u + cv·v of float32 arrays of one shape; `out` may be an input."""
    _over_parts(lambda a, b, c: loops.weighted_sum(a, cu, b, cv, c), u, v, out)


def any_below_zero(z: Array, relevance: Array) -> bool:
    """Whether any relevance stands at an element where z < 0.

    Examples
    --------
    >>> z = np.array([[1.0, -1.0]], np.float32)
    >>> any_below_zero(z, np.array([[5.0, 0.0]], np.float32))
    False
    """
    return _any_block(loops.any_below_zero, *_flatten(z, relevance))


def add_to_channels(z: Array, bias: Array, out: Array) -> None:
    """Bias added to its channel, out = z + b.

    Parameters
    ----------
    z, out : (N, K, ...) float32
        `out` may be `z`.
    bias : (K,) float32
    """
    _flatten(z, out)
    rows = [a.reshape(a.shape[0] * a.shape[1], -1) for a in (z, out)]
    values = np.tile(bias, len(z))
    step = max(1, _BLOCK // max(1, rows[0].shape[1]))

    def add(first: int) -> None:
        part = slice(first, first + step)
        loops.add_to_channels(rows[0][part], values[part], rows[1][part])

    with sweep_threads():
        run([partial(add, first) for first in range(0, len(values), step)])


def add_product(a: Array, g: Array, out: Array) -> None:
    """Product added in place, out += a·g, for float32 arrays of one shape."""
    _over_parts(loops.add_product, a, g, out)


def branch_ratio(
    d: Array, z: Array, relevance: Array, coefficient: float, epsilon: Array, where: int, out: Array
) -> None:
    """Ratio of one branch, q = c·R / stab(d) with stab(d) = d + ε·(1 if d ≥ 0 else −1).

    q is exactly 0 where R = 0, where stab(d) = 0 (nothing contributed, nothing to share), and where
    the condition on z does not hold.

    Parameters
    ----------
    d, z, relevance : (N, ...) float32
        Denominator of the branch, pre-activation whose sign decides, relevance R.
    coefficient : float
        The number c.
    epsilon : (N,) float32
        The stabiliser ε of each sample.
    where : int
        0: always; 1: only where z > 0; 2: only where z < 0.
    out : (N, ...) float32
        Written; may be `relevance` itself.

    Raises
    ------
    InputError
        If shapes differ, or an array is not float32 in C order.
    """
    flat = _flatten(d, z, relevance, out)
    size = _sample_size(d, epsilon)
    _over_ranges(
        d.size,
        lambda first, last: loops.branch_ratio(
            *flat[:3], coefficient, epsilon, where, flat[3], size, first, last
        ),
    )
