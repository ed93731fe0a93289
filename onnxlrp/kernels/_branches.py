"""Compiled loops of `branches`: flat arrays, one range of elements at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxlrp.kernels._epilogues import PLAIN
from onnxlrp.kernels._jit import b1, f4, i8, kernel, read, write


@kernel(read(), f4, read(), f4, write())
def weighted_sum(u: Any, cu: Any, v: Any, cv: Any, out: Any) -> None:
    """Out = cu·u + cv·v."""
    for i in range(u.size):
        out[i] = cu * u[i] + cv * v[i]


@kernel(read(2), f4, read(2), f4, read(), i8, i8, write(2), fastmath=PLAIN)
def mix(
    u: Any, cu: Any, v: Any, cv: Any, bias: Any, first: Any, last: Any, out: Any
) -> None:  # fmt: skip
    """D = cu·u + cv·v + b, one b for each row, for the rows first to last."""
    for row in range(first, last):
        one, other, b, d = u[row], v[row], bias[row % bias.size], out[row]
        for i in range(d.size):
            d[i] = cu * one[i] + cv * other[i] + b


@kernel(
    read(2), f4, read(2), f4, read(), read(2), read(2), f4, read(), i8, i8, i8, write(2),
    returns=b1, fastmath=PLAIN,
)  # fmt: skip
def branch_ratio(
    u: Any, cu: Any, v: Any, cv: Any, bias: Any, sign: Any, relevance: Any, coefficient: Any,
    epsilon: Any, where: Any, first: Any, last: Any, out: Any,
) -> Any:  # fmt: skip
    """Q = c·R / stab(d), d = cu·u + cv·v + b, where the sign allows it, for the rows first to last.

    Returns whether no relevance stands where the sign is negative.
    """
    side = np.float32(1.0) if where == 1 else np.float32(-1.0)
    zero, left = np.float32(0.0), False
    samples = u.shape[0] // epsilon.size
    for row in range(first, last):
        one, other, b, eps = u[row], v[row], bias[row % bias.size], epsilon[row // samples]
        pre, r, q = sign[row], relevance[row], out[row]
        for i in range(q.size):
            d = cu * one[i] + cv * other[i] + b
            stab = d + (eps if d >= zero else -eps)
            counts = r[i] != zero and stab != zero and (where == 0 or side * pre[i] > zero)
            left |= (pre[i] < zero) & (r[i] != zero)
            q[i] = coefficient * r[i] / stab if counts else zero
    return not left


@kernel(read(), read(), write(), returns=b1)
def add_product(a: Any, g: Any, out: Any) -> Any:
    """Out += a·g; whether all of it is finite."""
    infinite = False
    for i in range(a.size):
        value = out[i] + a[i] * g[i]
        out[i] = value
        infinite |= not abs(value) < np.float32(np.inf)
    return not infinite


@kernel(
    read(2), f4, read(2), f4, read(), read(2), f4, read(2), f4, i8, i8, write(2), write(2),
    returns=b1, fastmath=PLAIN,
)  # fmt: skip
def share(
    u: Any, cu: Any, relevance: Any, coefficient: Any, epsilon: Any, x: Any, of_x: Any, y: Any,
    of_y: Any, first: Any, last: Any, to_x: Any, to_y: Any,
) -> Any:  # fmt: skip
    """Write x·(of_x·q) and y·(of_y·q) with q = c·R / stab(cu·u), for the rows first to last.

    Returns whether all of it is finite.
    """
    zero, infinite = np.float32(0.0), False
    samples = u.shape[0] // epsilon.size
    for row in range(first, last):
        one, r, eps = u[row], relevance[row], epsilon[row // samples]
        px, py, rx, ry = x[row], y[row], to_x[row], to_y[row]
        for i in range(rx.size):
            d = cu * one[i] + zero * one[i]
            stab = d + (eps if d >= zero else -eps)
            q = coefficient * r[i] / stab if r[i] != zero and stab != zero else zero
            rx[i] = px[i] * (of_x * q)
            ry[i] = py[i] * (of_y * q)
            infinite |= not (abs(rx[i]) < np.float32(np.inf) and abs(ry[i]) < np.float32(np.inf))
    return not infinite
