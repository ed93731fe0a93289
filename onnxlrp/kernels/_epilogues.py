"""Compiled loops of `epilogues`: what is done to a part of a product while it is in the cache.

A part lies in one piece, `width` numbers for each of some lines of some channels. Its place in the
whole: line l of channel c begins at start + c·size + l·pitch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxlrp.kernels import _task as the
from onnxlrp.kernels._jit import EXACT, device
from onnxlrp.kernels._memory import floats, merge

#: Without "contract": denominators are the same bits, in whatever loop.
PLAIN: frozenset[str] = EXACT - {"contract"}


@device(PLAIN)
def times(
    x: Any, ahead: Any, part: Any, fold: Any, onto: Any, out: Any, start: Any, channels: Any,
    size: Any, lines: Any, pitch: Any, width: Any,
) -> Any:  # fmt: skip
    """Write x·part, x read `ahead` of the place, added onto what is there; whether all is finite.

    With `fold` = 2, part has two channels for one of x: for its positive and negative numbers.
    """
    infinite, zero = False, np.float32(0.0)
    for n in range(channels * lines):
        c, line = n // lines, n % lines
        at, row = start + c * size + line * pitch, (fold * c * lines + line) * width
        second = row + (fold - 1) * lines * width
        one, to = x[at + ahead : at + ahead + width], out[at : at + width]
        plus, minus = part[row : row + width], part[second : second + width]
        if onto.size:
            base = onto[at : at + width]
            for i in range(width):
                value = base[i] + one[i] * (plus[i] if one[i] > zero else minus[i])
                to[i] = value
                infinite |= not abs(value) < np.float32(np.inf)
        else:
            for i in range(width):
                value = one[i] * (plus[i] if one[i] > zero else minus[i])
                to[i] = value
                infinite |= not abs(value) < np.float32(np.inf)
    return not infinite


@device(PLAIN)
def quotient(d: Any, r: Any, coefficient: Any, epsilon: Any, counts: Any) -> Any:
    """C·R / stab(d); 0 where R or stab(d) is 0 or the neuron does not count."""
    zero = np.float32(0.0)
    stab = d + (epsilon if d >= zero else -epsilon)
    return coefficient * r / stab if counts and r != zero and stab != zero else zero


@device(PLAIN)
def ratio(
    u: Any, bias: Any, sign: Any, relevance: Any, c: Any, fold: Any, spread: Any, ahead: Any,
    part: Any, out: Any, start: Any, first: Any, channels: Any, size: Any, lines: Any, pitch: Any,
    width: Any,
) -> Any:  # fmt: skip
    """Write c·R / stab(cu·u + cv·part + b) where the sign allows it; an empty u stands for part.

    `fold` channels of out in turn share a channel of u, sign and R, which lie `ahead` of where
    channel 0 of out lies; `spread` of them share one of part. `c` holds the stabiliser, then cu,
    cv, c and the sign that is asked for, or 0, of each in turn.

    Returns whether relevance stands where the sign is negative, and whether the sign is infinite
    or NaN somewhere; False if none is asked for.
    """
    zero, left, infinite, epsilon = np.float32(0.0), False, False, c[0]
    for n in range(channels * lines):
        channel, line = first + n // lines, n % lines
        to = start + n // lines * size + line * pitch
        at, row = to + ahead + (channel // fold - channel) * size, n // lines // spread * lines
        b, other = bias[channel % bias.size], part[(row + line) * width : (row + line + 1) * width]
        one = other if u.size == 0 else u[at : at + width]
        r, q = relevance[at : at + width], out[to : to + width]
        # Read before anything is written, so that they stay in registers.
        turn = 1 + 4 * (channel % fold)
        cu, cv, coefficient, side = c[turn], c[turn + 1], c[turn + 2], c[turn + 3]
        if side == zero:
            for i in range(width):
                d = cu * one[i] + cv * other[i] + b
                q[i] = quotient(d, r[i], coefficient, epsilon, True)
        else:
            pre = sign[at : at + width]
            for i in range(width):
                d = cu * one[i] + cv * other[i] + b
                q[i] = quotient(d, r[i], coefficient, epsilon, side * pre[i] > zero)
                left |= (pre[i] < zero) & (r[i] != zero)
                infinite |= not abs(pre[i]) < np.float32(np.inf)
    return left, infinite


@device()
def finish(
    task: Any, part: Any, sample: Any, channel: Any, channels: Any, line: Any, lines: Any,
    pitch: Any, column: Any, width: Any,
) -> None:  # fmt: skip
    """Do to a part of a task's result what comes then; note it if that finds something amiss."""
    size, then, found = task[the.PLACES], task[the.THEN], 0
    fold, spread = task[the.FOLD], task[the.SPREAD]
    if then == the.TIMES:
        channel, channels = channel // fold, channels // fold
    else:
        channel, channels = channel * spread, channels * spread
    start = (sample * task[the.CHANNELS] + channel) * size + line * pitch + column
    if width == pitch:
        lines, width = 1, lines * width
    out, x = floats(task[the.OUT], task[the.OUT_NUMBERS]), floats(task[the.X], task[the.X_NUMBERS])
    if then == the.TIMES:
        ahead = 0 if x.size == out.size else -sample * x.size
        onto = floats(task[the.ONTO], out.size if task[the.ONTO] else 0)
        if not times(x, ahead, part, fold, onto, out, start, channels, size, lines, pitch, width):
            found = the.AMISS
    else:
        of_all = task[the.CHANNELS] * size
        left, infinite = ratio(
            x, floats(task[the.BIAS], task[the.BIAS_NUMBERS]),
            floats(task[the.SIGN], out.size // fold), floats(task[the.RELEVANCE], out.size // fold),
            floats(task[the.REALS], 1 + 4 * fold), fold, spread,
            sample * (of_all // fold - of_all), part, out, start, channel, channels, size, lines,
            pitch, width,
        )  # fmt: skip
        found = (the.AMISS if left else 0) | (the.INFINITE if infinite else 0)
    if found:
        merge(task, the.FOUND, found)
