"""Compiled loops of `epilogues`: what is done to a part of a product while it is in the cache.

A part lies in one piece, `width` numbers for each of some lines of some channels. Its place in the
whole: line l of channel c begins at start + c·size + l·pitch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxlrp.kernels import _task as the
from onnxlrp.kernels._jit import EXACT, device
from onnxlrp.kernels._memory import exchange, floats

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
    u: Any, cu: Any, cv: Any, bias: Any, first: Any, sign: Any, relevance: Any, coefficient: Any,
    epsilon: Any, where: Any, part: Any, out: Any, start: Any, channels: Any, size: Any,
    lines: Any, pitch: Any, width: Any,
) -> Any:  # fmt: skip
    """Write c·R / stab(cu·u + cv·part + b) where the sign allows it; an empty u stands for part.

    Returns whether no relevance stands where the sign is negative; True if none is asked for.
    """
    side = np.float32(1.0) if where == 1 else np.float32(-1.0)
    zero, left = np.float32(0.0), False
    for n in range(channels * lines):
        at = start + n // lines * size + n % lines * pitch
        b, other = bias[(first + n // lines) % bias.size], part[n * width : (n + 1) * width]
        one = other if u.size == 0 else u[at : at + width]
        r, q = relevance[at : at + width], out[at : at + width]
        if where == 0:
            for i in range(width):
                d = cu * one[i] + cv * other[i] + b
                q[i] = quotient(d, r[i], coefficient, epsilon, True)
        else:
            pre = sign[at : at + width]
            for i in range(width):
                d = cu * one[i] + cv * other[i] + b
                q[i] = quotient(d, r[i], coefficient, epsilon, side * pre[i] > zero)
                left |= (pre[i] < zero) & (r[i] != zero)
    return not left


@device()
def finish(
    task: Any, part: Any, sample: Any, channel: Any, channels: Any, line: Any, lines: Any,
    pitch: Any, column: Any, width: Any,
) -> None:  # fmt: skip
    """Do to a part of a task's result what comes then; note it if that finds something amiss."""
    size, fold = task[the.PLACES], task[the.FOLD]
    channel, channels = channel // fold, channels // fold
    start = (sample * task[the.CHANNELS] + channel) * size + line * pitch + column
    if width == pitch:
        lines, width = 1, lines * width
    out, x = floats(task[the.OUT], task[the.OUT_NUMBERS]), floats(task[the.X], task[the.X_NUMBERS])
    fine = True
    if task[the.THEN] == the.TIMES:
        ahead = 0 if x.size == out.size else -sample * x.size
        onto = floats(task[the.ONTO], out.size if task[the.ONTO] else 0)
        fine = times(
            x, ahead, part, fold, onto, out, start, channels, size, lines, pitch, width
        )  # fmt: skip
    else:
        c = floats(task[the.REALS], 4)
        sign = floats(task[the.SIGN], out.size)
        relevance = floats(task[the.RELEVANCE], out.size)
        bias = floats(task[the.BIAS], task[the.BIAS_NUMBERS])
        fine = ratio(
            x, c[0], c[1], bias, channel, sign, relevance, c[2], c[3], task[the.WHERE], part, out,
            start, channels, size, lines, pitch, width,
        )  # fmt: skip
    if not fine:
        exchange(task, the.FAILED, 1)
