"""Compiled loops of `elementwise` and `branches`: one pass over memory, a range at a time.

Divisions are never replaced by approximate reciprocals ("arcp" is left out): R / inf must be 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxlrp.kernels import _task as the
from onnxlrp.kernels._epilogues import PLAIN, quotient, share
from onnxlrp.kernels._jit import REDUCTION, device, f8, kernel, read
from onnxlrp.kernels._memory import floats, ints, look, merge

#: What is infinite or NaN has all bits of the exponent.
_EXPONENT = np.int32(0x7F800000)


@device()
def elements(task: Any, job: Any) -> None:
    """Do a job of an element-wise task; note what it finds."""
    kind = task[the.KIND]
    if kind == the.SEARCH_NEGATIVE or kind == the.SEARCH_INFINITE:
        _search(task, job, kind == the.SEARCH_NEGATIVE)
    elif kind < the.SPLIT:
        _flat(task, job)
    else:
        _rows(task, job)


@device()
def _search(task: Any, job: Any, negative: Any) -> None:
    """Look for a number in a part of an array, unless one was found already."""
    if look(task, the.FOUND):
        return
    first = job * task[the.BLOCK]
    at, count = task[the.A] + 4 * first, min(task[the.BLOCK], task[the.LENGTH] - first)
    found = _has_negative(floats(at, count)) if negative else _has_infinite(ints(at, count))
    if found:
        merge(task, the.FOUND, the.AMISS)


@device()
def _flat(task: Any, job: Any) -> None:
    """Do what needs no other order than that of the elements."""
    first, kind = job * task[the.BLOCK], task[the.KIND]
    count = min(task[the.BLOCK], task[the.LENGTH] - first)
    a, b = floats(task[the.A] + 4 * first, count), floats(task[the.B] + 4 * first, count)
    out, fine = floats(task[the.TO] + 4 * first, count), True
    if kind == the.WEIGHTED_SUM:
        factors = floats(task[the.REALS], 2)
        _weighted_sum(a, factors[0], b, factors[1], out)
    elif kind == the.PRODUCT:
        fine = _product(a, b, out)
    elif kind == the.MULTIPLY:
        fine = _multiply(a, out)
    elif kind == the.ADD_PRODUCT:
        fine = _add_product(a, b, out)
    elif kind == the.CLIP_POSITIVE:
        _clip_positive(a, out)
    else:
        _clip_negative(a, out)
    if not fine:
        merge(task, the.FOUND, the.AMISS)


@device()
def _rows(task: Any, job: Any) -> None:
    """Do what needs to know the channel or the sample: some rows, one for each of both."""
    width, kind = task[the.WIDTH], task[the.KIND]
    first = job * task[the.BLOCK]
    rows = min(task[the.BLOCK], task[the.LENGTH] - first)
    skipped, size = 4 * first * width, rows * width
    u = floats(task[the.A] + skipped, size)
    v = floats(task[the.B] + skipped, size) if task[the.B] else u  # what is there need not count
    if kind == the.SPLIT:
        if _split(u, width, floats(task[the.TO] + 2 * skipped, 2 * size)):
            merge(task, the.FOUND, the.AMISS)
        return
    x, y = floats(task[the.C] + skipped, size), floats(task[the.D] + skipped, size)
    out, fine = floats(task[the.TO] + skipped, size), True
    bias = floats(task[the.BIAS], task[the.BIAS_NUMBERS])
    epsilon = floats(task[the.EPSILON], task[the.SAMPLES])
    c = floats(task[the.REALS], 5)
    for row in range(rows):
        sample = (first + row) * task[the.SAMPLES] // task[the.LENGTH]
        b, low, high = bias[(first + row) % bias.size], row * width, (row + 1) * width
        if kind == the.SUMS:
            _mix(u[low:high], c[0], v[low:high], c[1], task[the.B] != 0, b, out[low:high])
        elif kind == the.RATIOS:
            fine &= _ratio(
                u[low:high], c[0], v[low:high], c[1], task[the.B] != 0, b, x[low:high],
                y[low:high], c[2], epsilon[sample], task[the.WHERE], out[low:high],
            )  # fmt: skip
        elif kind == the.QUOTIENTS:
            _quotients(u[low:high], y[low:high], c[2], epsilon[sample], out[low:high])
        else:
            other = floats(task[the.TO_OTHER] + skipped, size)
            sharing = u, x, y, other, c, epsilon[sample]
            fine &= share(sharing, v, low, width, out, low, width) == 0
    if not fine:
        merge(task, the.FOUND, the.AMISS)


@device()
def _weighted_sum(u: Any, cu: Any, v: Any, cv: Any, out: Any) -> None:
    """Out = cu·u + cv·v."""
    for i in range(u.size):
        out[i] = cu * u[i] + cv * v[i]


@device()
def _product(a: Any, g: Any, out: Any) -> Any:
    """Write a·g; whether all of it is finite."""
    infinite = False
    for i in range(a.size):
        value = a[i] * g[i]
        out[i] = value
        infinite |= not abs(value) < np.float32(np.inf)
    return not infinite


@device()
def _multiply(a: Any, out: Any) -> Any:
    """Multiply by a in place, which `_product` would not do in vectors; whether all is finite."""
    infinite = False
    for i in range(a.size):
        value = a[i] * out[i]
        out[i] = value
        infinite |= not abs(value) < np.float32(np.inf)
    return not infinite


@device(PLAIN)
def _add_product(a: Any, g: Any, out: Any) -> Any:
    """Out += a·g; whether all of it is finite."""
    infinite = False
    for i in range(a.size):
        value = out[i] + a[i] * g[i]
        out[i] = value
        infinite |= not abs(value) < np.float32(np.inf)
    return not infinite


@device()
def _clip_positive(a: Any, out: Any) -> None:
    """Write max(a, 0); NaN stays."""
    for i in range(a.size):
        out[i] = np.float32(0.0) if a[i] < 0.0 else a[i]


@device()
def _clip_negative(a: Any, out: Any) -> None:
    """Write min(a, 0); NaN stays."""
    for i in range(a.size):
        out[i] = np.float32(0.0) if a[i] > 0.0 else a[i]


@device()
def _split(a: Any, width: Any, out: Any) -> Any:
    """Write max(a, 0) and min(a, 0) of each row, one after the other; whether any is below 0."""
    found = False
    for first in range(0, a.size, width):
        row = a[first : first + width]
        _clip_positive(row, out[2 * first : 2 * first + width])
        _clip_negative(row, out[2 * first + width : 2 * first + 2 * width])
        found |= _has_negative(row)
    return found


@device()
def _has_negative(a: Any) -> Any:
    """Whether any element is below 0."""
    found = False
    for i in range(a.size):
        found |= a[i] < 0.0
    return found


@device()
def _has_infinite(bits: Any) -> Any:
    """Whether any float32, of these bits, is infinite or NaN."""
    most = np.int32(0)
    for i in range(bits.size):
        most = max(most, bits[i] & _EXPONENT)
    return most == _EXPONENT


@device(PLAIN)
def _mix(u: Any, cu: Any, v: Any, cv: Any, both: Any, b: Any, out: Any) -> None:
    """D = cu·u + cv·v + b; without v unless there are both."""
    for i in range(out.size):
        out[i] = cu * u[i] + (cv * v[i] if both else np.float32(0.0)) + b


@device(PLAIN)
def _ratio(
    u: Any, cu: Any, v: Any, cv: Any, both: Any, b: Any, sign: Any, r: Any, coefficient: Any,
    epsilon: Any, where: Any, out: Any,
) -> Any:  # fmt: skip
    """Q = c·R / stab(cu·u + cv·v + b) where the sign allows it; without v unless there are both.

    Returns whether no relevance stands where a sign that is asked for is negative.
    """
    side = np.float32(1.0) if where == 1 else np.float32(-1.0)
    zero, left = np.float32(0.0), False
    for i in range(out.size):
        counts = where == 0 or side * sign[i] > zero
        left |= (where != 0) & (sign[i] < zero) & (r[i] != zero)
        d = cu * u[i] + (cv * v[i] if both else zero) + b
        out[i] = quotient(d, r[i], coefficient, epsilon, counts)
    return not left


@device()
def _quotients(u: Any, r: Any, coefficient: Any, epsilon: Any, out: Any) -> None:
    """Q = c·R / stab(u), infinite where there is nothing to divide R by; 0 where R is 0."""
    zero = np.float32(0.0)
    for i in range(out.size):
        stab = u[i] + (epsilon if u[i] >= zero else -epsilon)
        out[i] = coefficient * r[i] / stab if r[i] != zero else zero


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
