"""Compiled loops of `branches`: flat arrays, one range of elements at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxlrp.kernels._jit import b1, f4, i8, kernel, read, write


@kernel(read(), f4, read(), f4, write())
def weighted_sum(u: Any, cu: Any, v: Any, cv: Any, out: Any) -> None:
    """Out = cu·u + cv·v."""
    for i in range(u.size):
        out[i] = cu * u[i] + cv * v[i]


@kernel(read(), read(), read(), f4, read(), i8, write(), i8, i8, i8)
def branch_ratio(
    d: Any, z: Any, relevance: Any, coefficient: Any, epsilon: Any, where: Any, out: Any,
    size: Any, first: Any, last: Any,
) -> None:  # fmt: skip
    """Q = coefficient·R / stab(d) where the sign of z allows it, for the elements first to last."""
    side = np.float32(1.0) if where == 1 else np.float32(-1.0)
    zero = np.float32(0.0)
    for n in range(first // size, (last + size - 1) // size):
        low, high = max(first, n * size), min(last, (n + 1) * size)
        den, pre, r, q = d[low:high], z[low:high], relevance[low:high], out[low:high]
        for i in range(high - low):
            stab = den[i] + (epsilon[n] if den[i] >= zero else -epsilon[n])
            counts = r[i] != zero and stab != zero and (where == 0 or side * pre[i] > zero)
            q[i] = coefficient * r[i] / stab if counts else zero


@kernel(read(), read(), returns=b1)
def any_below_zero(z: Any, relevance: Any) -> Any:
    """Whether any R ≠ 0 stands where z < 0."""
    found = False
    for i in range(z.size):
        found |= (z[i] < 0.0) & (relevance[i] != 0.0)
    return found


@kernel(read(2), read(), write(2))
def add_to_channels(z: Any, bias: Any, out: Any) -> None:
    """Out = z + b, one b for each row."""
    for k in range(z.shape[0]):
        row, target, b = z[k], out[k], bias[k]
        for i in range(row.size):
            target[i] = row[i] + b


@kernel(read(), read(), write())
def add_product(a: Any, g: Any, out: Any) -> None:
    """Out += a·g."""
    for i in range(a.size):
        out[i] += a[i] * g[i]
