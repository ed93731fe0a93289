"""Compiled loops of `elementwise`: flat arrays, one range of elements at a time.

Divisions are never replaced by approximate reciprocals ("arcp" is left out): R / inf must be 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxlrp.kernels._jit import REDUCTION, b1, f4, f8, i8, kernel, read, write


@kernel(read(), read(), f4, read(), write(), i8, i8, i8)
def ratio(
    z: Any, relevance: Any, coefficient: Any, epsilon: Any, out: Any,
    size: Any, first: Any, last: Any,
) -> None:  # fmt: skip
    """Compute s = coefficient·R / stab(z) for the elements first to last."""
    for n in range(first // size, (last + size - 1) // size):
        low, high = max(first, n * size), min(last, (n + 1) * size)
        pre, r, s = z[low:high], relevance[low:high], out[low:high]
        for i in range(high - low):
            d = pre[i] + (epsilon[n] if pre[i] >= 0.0 else -epsilon[n])
            s[i] = coefficient * r[i] / d if r[i] != 0.0 else np.float32(0.0)


@kernel(read(), read(), write(), returns=b1)
def product(a: Any, g: Any, out: Any) -> Any:
    """Write a·g; whether all of it is finite."""
    infinite = False
    for i in range(a.size):
        value = a[i] * g[i]
        out[i] = value
        infinite |= not abs(value) < np.float32(np.inf)
    return not infinite


@kernel(read(), write(), returns=b1)
def multiply(a: Any, out: Any) -> Any:
    """Multiply by a in place, which `product` would not do in vectors; whether all is finite."""
    infinite = False
    for i in range(a.size):
        value = a[i] * out[i]
        out[i] = value
        infinite |= not abs(value) < np.float32(np.inf)
    return not infinite


@kernel(read(), write())
def clip_positive(a: Any, out: Any) -> None:
    """Write max(a, 0); NaN stays."""
    for i in range(a.size):
        out[i] = np.float32(0.0) if a[i] < 0.0 else a[i]


@kernel(read(), write())
def clip_negative(a: Any, out: Any) -> None:
    """Write min(a, 0); NaN stays."""
    for i in range(a.size):
        out[i] = np.float32(0.0) if a[i] > 0.0 else a[i]


@kernel(read(), returns=b1)
def has_negative(a: Any) -> Any:
    """Whether any element is below 0."""
    found = False
    for i in range(a.size):
        found |= a[i] < 0.0
    return found


@kernel(read(1, i8), returns=b1)
def has_infinite(pairs: Any) -> Any:
    """Whether any float32 has the exponent of NaN and infinity (two of them in each int64)."""
    found = False
    for i in range(pairs.size):
        low = pairs[i] & 0x7F800000
        high = (pairs[i] >> 32) & 0x7F800000
        found |= (low == 0x7F800000) | (high == 0x7F800000)
    return found


@kernel(read(), returns=f8, fastmath=REDUCTION)
def sum_squares(a: Any) -> Any:
    """Σ a², in float64."""
    total = 0.0
    for i in range(a.size):
        total += np.float64(a[i]) * np.float64(a[i])
    return total


@kernel(read(), returns=f8, fastmath=REDUCTION)
def sum_values(a: Any) -> Any:
    """Σ a, in float64."""
    total = 0.0
    for i in range(a.size):
        total += np.float64(a[i])
    return total
