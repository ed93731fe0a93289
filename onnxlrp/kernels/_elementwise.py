"""Compiled loops of `elementwise`: flat arrays, one range of elements at a time.

Divisions are never replaced by approximate reciprocals ("arcp" is left out): R / inf must be 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxlrp.kernels._jit import REDUCTION, b1, f4, f8, i8, kernel, read, write


@kernel(read(), read(), read(), *(f4,) * 3, read(), i8, write(), write(), b1, i8, i8, i8)
def signed_ratio(
    z_pos: Any, z_neg: Any, relevance: Any, coefficient: Any, p_pos: Any, p_neg: Any,
    epsilon: Any, where: Any, s_pos: Any, s_neg: Any, accumulate: Any,
    size: Any, first: Any, last: Any,
) -> None:  # fmt: skip
    """s± (+)= coefficient·p±·R / stab(p⁺z⁺ + p⁻z⁻) for the elements first to last."""
    side = np.float32(1.0) if where == 1 else np.float32(-1.0)
    for n in range(first // size, (last + size - 1) // size):
        low, high = max(first, n * size), min(last, (n + 1) * size)
        pos, neg, r = z_pos[low:high], z_neg[low:high], relevance[low:high]
        out_pos, out_neg = s_pos[low:high], s_neg[low:high]
        for i in range(high - low):
            d = p_pos * pos[i] + p_neg * neg[i]
            d += epsilon[n] if d >= 0.0 else -epsilon[n]
            counts = r[i] != 0.0 and (where == 0 or side * (pos[i] + neg[i]) > 0.0)
            ratio = coefficient * r[i] / d if counts else np.float32(0.0)
            before_pos = out_pos[i] if accumulate else np.float32(0.0)
            before_neg = out_neg[i] if accumulate else np.float32(0.0)
            out_pos[i] = before_pos + p_pos * ratio
            out_neg[i] = before_neg + p_neg * ratio


@kernel(read(), read(), f4, read(), write(), i8, i8, i8)
def ratio(
    z: Any, relevance: Any, coefficient: Any, epsilon: Any, out: Any,
    size: Any, first: Any, last: Any,
) -> None:  # fmt: skip
    """S = coefficient·R / stab(z) for the elements first to last."""
    for n in range(first // size, (last + size - 1) // size):
        low, high = max(first, n * size), min(last, (n + 1) * size)
        pre, r, s = z[low:high], relevance[low:high], out[low:high]
        for i in range(high - low):
            d = pre[i] + (epsilon[n] if pre[i] >= 0.0 else -epsilon[n])
            s[i] = coefficient * r[i] / d if r[i] != 0.0 else np.float32(0.0)


@kernel(read(), read(), read(), write())
def signed_product(a: Any, g_pos: Any, g_neg: Any, out: Any) -> None:
    """Out = a·g⁺ where a > 0, a·g⁻ where a < 0, 0 where a = 0."""
    for i in range(a.size):
        pos, neg = g_pos[i], g_neg[i]  # both are loaded, so that the choice needs no branch
        g = pos if a[i] > 0.0 else neg
        out[i] = a[i] * g if a[i] != 0.0 else np.float32(0.0)


@kernel(read(), read(), write())
def product(a: Any, g: Any, out: Any) -> None:
    """Out = a·g."""
    for i in range(a.size):
        out[i] = a[i] * g[i]


@kernel(read(), write())
def clip_positive(a: Any, out: Any) -> None:
    """Out = max(a, 0); NaN stays."""
    for i in range(a.size):
        out[i] = np.float32(0.0) if a[i] < 0.0 else a[i]


@kernel(read(), write())
def clip_negative(a: Any, out: Any) -> None:
    """Out = min(a, 0); NaN stays."""
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


@kernel(
    read(2), read(2), read(2), *(f4,) * 4, i8, read(), read(), write(2, f8), fastmath=REDUCTION
)  # fmt: skip
def absorbed(
    z_pos: Any, z_neg: Any, relevance: Any, coefficient: Any, p_pos: Any, p_neg: Any,
    epsilon: Any, where: Any, bias_pos: Any, bias_neg: Any, sums: Any,
) -> None:  # fmt: skip
    """Relevance that bias (column 0) and stabiliser (column 1) of each channel (row) keep."""
    side = np.float32(1.0) if where == 1 else np.float32(-1.0)
    for k in range(z_pos.shape[0]):
        bias = p_pos * bias_pos[k] + p_neg * bias_neg[k]
        by_bias, by_epsilon = 0.0, 0.0
        for i in range(z_pos.shape[1]):
            pos, neg, r = z_pos[k, i], z_neg[k, i], relevance[k, i]
            d = p_pos * pos + p_neg * neg
            signed = epsilon if d >= 0.0 else -epsilon
            if r != 0.0 and (where == 0 or side * (pos + neg) > 0.0):
                ratio = coefficient * r / (d + signed)
                by_bias += np.float64(ratio * bias)
                by_epsilon += np.float64(ratio * signed)
        sums[k, 0], sums[k, 1] = by_bias, by_epsilon


@kernel(read(2), read(2), read(2), *(f4,) * 4, i8, read(), read(), write(2), b1)
def absorbed_share(
    z_pos: Any, z_neg: Any, relevance: Any, coefficient: Any, p_pos: Any, p_neg: Any,
    epsilon: Any, where: Any, bias_pos: Any, bias_neg: Any, out: Any, accumulate: Any,
) -> None:  # fmt: skip
    """Relevance that bias and stabiliser of each output element keep; 0 where d = 0."""
    side = np.float32(1.0) if where == 1 else np.float32(-1.0)
    for k in range(z_pos.shape[0]):
        bias = p_pos * bias_pos[k] + p_neg * bias_neg[k]
        for i in range(z_pos.shape[1]):
            pos, neg, r = z_pos[k, i], z_neg[k, i], relevance[k, i]
            d = p_pos * pos + p_neg * neg
            signed = epsilon if d >= 0.0 else -epsilon
            counts = r != 0.0 and d != 0.0 and (where == 0 or side * (pos + neg) > 0.0)
            share = coefficient * r * (bias + signed) / (d + signed) if counts else np.float32(0.0)
            out[k, i] = (out[k, i] if accumulate else np.float32(0.0)) + share
