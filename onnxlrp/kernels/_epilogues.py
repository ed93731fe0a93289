"""Compiled loops of `epilogues`: what is done to a part of a product while it is in the cache.

A part lies in one piece, `width` numbers for each of some lines of some channels. Its place in the
whole: line l of channel c begins at start + c·size + l·pitch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxlrp.kernels import _task as the
from onnxlrp.kernels._jit import EXACT, ZERO, b1, device, f4, i8, read, write
from onnxlrp.kernels._memory import floats, merge
from onnxlrp.kernels._vectors import WIDE, Code, Pointer, Vector, vector_function

#: Without "contract": denominators are the same bits, in whatever loop. It also tells how a
#: `vector_function` is compiled that is a part of such a kernel.
PLAIN: frozenset[str] = EXACT - {"contract"}


#: Lanes of the vectors that a line is made of: many, then some, then single numbers.
_MANY, _SOME = WIDE, 4

_LINES = (read(), i8)


def _multiplying(lanes: int) -> Any:
    """Make the function that multiplies a vector: base + x·(plus or minus, by the sign of x).

    Without a base if not `added`. It says whether all is finite.
    """

    def meaning(
        x: Any, at: int, plus: Any, p: int, minus: Any, m: int, base: Any, b: int, out: Any,
        to: int, added: bool,
    ) -> bool:  # fmt: skip
        one = x[at : at + lanes]
        value = one * np.where(one > 0, plus[p : p + lanes], minus[m : m + lanes])
        out[to : to + lanes] = base[b : b + lanes] + value if added else value
        return bool(np.isfinite(out[to : to + lanes]).all())

    @vector_function(*_LINES * 4, write(), i8, b1, meaning=meaning, lanes=lanes, returns=b1)
    def multiply(
        code: Code, x: Pointer, plus: Pointer, minus: Pointer, base: Pointer, out: Pointer,
        added: Any,
    ) -> Any:  # fmt: skip
        zero, one = code.zero(), x.load()
        side = code.choose(code.greater(one, zero), plus.load(), minus.load())
        value = one.rounded_product(side)
        value = code.choose(added, base.load().rounded_sum(value), value)
        out.store(value)
        return code.everywhere(code.where(value.rounded_product(zero), "==", zero))

    return multiply


_multiply_many, _multiply_some, _multiply_one = (_multiplying(n) for n in (_MANY, _SOME, 1))


@device(PLAIN)
def times(
    x: Any, ahead: Any, part: Any, fold: Any, onto: Any, out: Any, start: Any, channels: Any,
    size: Any, lines: Any, pitch: Any, width: Any,
) -> Any:  # fmt: skip
    """Write x·part, x read `ahead` of the place, added onto what is there; whether all is finite.

    With `fold` = 2, part has two channels for one of x: for its positive and negative numbers.
    """
    fine, added, plus = True, onto.size > 0, 0
    base = onto if added else out
    for c in range(channels):
        minus = plus + (fold - 1) * lines * width
        for line in range(lines):
            to = start + c * size + line * pitch
            at, p, m, i = to + ahead, plus + line * width, minus + line * width, 0
            while i + _MANY <= width:
                fine &= _multiply_many(
                    x, at + i, part, p + i, part, m + i, base, to + i, out, to + i, added
                )  # fmt: skip
                i += _MANY
            while i + _SOME <= width:
                fine &= _multiply_some(
                    x, at + i, part, p + i, part, m + i, base, to + i, out, to + i, added
                )  # fmt: skip
                i += _SOME
            while i < width:
                fine &= _multiply_one(
                    x, at + i, part, p + i, part, m + i, base, to + i, out, to + i, added
                )  # fmt: skip
                i += 1
        plus = minus + lines * width
    return fine


@device(PLAIN)
def quotient(d: Any, r: Any, coefficient: Any, epsilon: Any, counts: Any) -> Any:
    """C·R / stab(d); 0 where R or stab(d) is 0 or the neuron does not count."""
    zero = np.float32(0.0)
    stab = d + (epsilon if d >= zero else -epsilon)
    return coefficient * r / stab if counts and r != zero and stab != zero else zero


def _stabilised(code: Code, d: Vector, epsilon: Vector) -> Vector:
    """D + ε with the sign of d."""
    zero = code.zero()
    return d.rounded_sum(code.choose(code.where(d, ">=", zero), epsilon, zero - epsilon))


def _sharing(lanes: int) -> Any:
    """Make the function that makes a vector of `share`; it says whether all of it is finite."""

    def meaning(
        z: Any, a: int, x: Any, b: int, y: Any, i: int, relevance: Any, r: int, mine: Any,
        m: int, others: Any, o: int, beyond: int, cu: float, c: float, epsilon: float,
        of_x: float, of_y: float,
    ) -> bool:  # fmt: skip
        some, d = relevance[r : r + lanes], cu * z[a : a + lanes]
        stab = d + np.where(d >= 0, epsilon, -epsilon)
        with np.errstate(divide="ignore", invalid="ignore"):
            q = np.where((some != 0) & (stab != 0), c * some / stab, np.float32(0.0))
        mine[m : m + lanes] = x[b : b + lanes] * (of_x * q)
        others[o : o + lanes] = y[i : i + lanes] * (of_y * q)
        made = mine[m : m + lanes], others[o : o + lanes]
        return bool(np.isfinite(made).all())

    signature = (*_LINES * 4, *(write(), i8) * 2, i8, *(f4,) * 5)

    @vector_function(*signature, meaning=meaning, lanes=lanes, returns=b1)
    def share(
        code: Code, z: Pointer, x: Pointer, y: Pointer, relevance: Pointer, mine: Pointer,
        others: Pointer, beyond: Any, *reals: Any,
    ) -> Any:  # fmt: skip
        for place in (z, x, y, relevance, others):
            (place + beyond).prefetch()
        cu, c, epsilon, of_x, of_y = (code.repeat(real) for real in reals)
        zero, some = code.zero(), relevance.load()
        d = cu.rounded_product(z.load())
        stab = _stabilised(code, d, epsilon)
        counts = code.both(code.where(some, "!=", zero), code.where(stab, "!=", zero))
        q = code.choose(counts, c.rounded_product(some) / stab, zero)
        parts = (
            x.load().rounded_product(of_x.rounded_product(q)),
            y.load().rounded_product(of_y.rounded_product(q)),
        )
        mine.store(parts[0])
        others.store(parts[1])
        fine = [code.where(part.rounded_product(zero), "==", zero) for part in parts]
        return code.everywhere(code.both(*fine))

    return share


_share_many, _share_some, _share_one = (_sharing(n) for n in (_MANY, _SOME, 1))


@device(PLAIN)
def share(
    sharing: Any, relevance: Any, at: Any, beyond: Any, out: Any, to: Any, width: Any
) -> Any:  # fmt: skip
    """Leave in a line of out what a summand x gets of the relevance of a sum, and y its own.

    They are x·(of_x·q) and y·(of_y·q) with q = c·R / stab(cu·z). Returns what is found: `SPOILED`
    if one of both is infinite or NaN somewhere.
    """
    z, x, y, others, c, epsilon = sharing
    fine, i = True, 0
    while i + _MANY <= width:
        fine &= _share_many(
            z, at + i, x, at + i, y, at + i, relevance, at + i, out, to + i, others, at + i,
            beyond, c[0], c[2], epsilon, c[3], c[4],
        )  # fmt: skip
        i += _MANY
    while i + _SOME <= width:
        fine &= _share_some(
            z, at + i, x, at + i, y, at + i, relevance, at + i, out, to + i, others, at + i,
            beyond, c[0], c[2], epsilon, c[3], c[4],
        )  # fmt: skip
        i += _SOME
    while i < width:
        fine &= _share_one(
            z, at + i, x, at + i, y, at + i, relevance, at + i, out, to + i, others, at + i,
            beyond, c[0], c[2], epsilon, c[3], c[4],
        )  # fmt: skip
        i += 1
    return 0 if fine else the.SPOILED


def _dividing(lanes: int) -> Any:
    """Make the function that makes a vector of ratios; see `ratio`.

    It says what is found.
    """

    def meaning(
        u: Any, a: int, part: Any, p: int, sign: Any, s: int, relevance: Any, r: int, out: Any,
        to: int, cu: float, cv: float, b: float, c: float, epsilon: float, side: float,
    ) -> int:  # fmt: skip
        d = cu * u[a : a + lanes] + cv * part[p : p + lanes] + b
        stab = d + np.where(d >= 0, epsilon, -epsilon)
        some, pre = relevance[r : r + lanes], sign[s : s + lanes]
        counts = (some != 0) & (stab != 0) & ((side == 0) | (side * pre > 0))
        left, infinite = (pre < 0) & (some != 0), ~np.isfinite(pre)
        with np.errstate(divide="ignore", invalid="ignore"):
            out[to : to + lanes] = np.where(counts, c * some / stab, np.float32(0.0))
        return (the.AMISS * left.any() | the.INFINITE * infinite.any()) if side else 0

    signature = (*_LINES * 4, write(), i8, *(f4,) * 6)

    @vector_function(*signature, meaning=meaning, lanes=lanes, returns=i8)
    def divide(
        code: Code, u: Pointer, part: Pointer, sign: Pointer, relevance: Pointer, out: Pointer,
        *reals: Any,
    ) -> Any:  # fmt: skip
        cu, cv, b, c, epsilon, side = (code.repeat(real) for real in reals)
        zero, some, pre = code.zero(), relevance.load(), sign.load()
        d = cu.rounded_product(u.load())
        d = d.rounded_sum(cv.rounded_product(part.load())).rounded_sum(b)
        stab = _stabilised(code, d, epsilon)
        stands = code.where(some, "!=", zero)
        right = code.greater(side.rounded_product(pre), zero)
        right = code.either(right, code.where(side, "==", zero))
        counts = code.both(code.both(stands, code.where(stab, "!=", zero)), right)
        out.store(code.choose(counts, c.rounded_product(some) / stab, zero))
        left = code.both(code.greater(zero, pre), stands)
        infinite = code.where(pre.rounded_product(zero), "!=", zero)
        asked = code.where(side, "!=", zero)
        return code.flags(
            {the.AMISS: code.both(asked, left), the.INFINITE: code.both(asked, infinite)}
        )

    return divide


_divide_many, _divide_some, _divide_one = (_dividing(n) for n in (_MANY, _SOME, 1))


def _parting(lanes: int) -> Any:
    """Make the function that makes two vectors of ratios: where the sign is positive, and negative.

    Each number is that which `_dividing` makes; only one of both is divided for.
    """

    def meaning(
        u: Any, a: int, part: Any, p: int, sign: Any, s: int, relevance: Any, r: int, out: Any,
        to: int, step: int, beyond: int, *reals: float,
    ) -> int:  # fmt: skip
        epsilon, found = reals[-1], 0
        for at, side, (cu, cv, b, c) in ((to, 1.0, reals[:4]), (to + step, -1.0, reals[4:8])):
            d = cu * u[a : a + lanes] + cv * part[p : p + lanes] + b
            stab = d + np.where(d >= 0, epsilon, -epsilon)
            some, pre = relevance[r : r + lanes], sign[s : s + lanes]
            counts = (some != 0) & (stab != 0) & (side * pre > 0)
            with np.errstate(divide="ignore", invalid="ignore"):
                out[at : at + lanes] = np.where(counts, c * some / stab, np.float32(0.0))
            found |= the.AMISS * bool(((pre < 0) & (some != 0)).any())
            found |= the.INFINITE * bool((~np.isfinite(pre)).any())
        return found

    signature = (*_LINES * 4, write(), i8, i8, i8, *(f4,) * 9)

    @vector_function(*signature, meaning=meaning, lanes=lanes, returns=i8)
    def divide(
        code: Code, u: Pointer, part: Pointer, sign: Pointer, relevance: Pointer, out: Pointer,
        step: Any, beyond: Any, *reals: Any,
    ) -> Any:  # fmt: skip
        for place in (sign, relevance):
            (place + beyond).prefetch()
        numbers = [code.repeat(real) for real in reals]
        zero, some, pre = code.zero(), relevance.load(), sign.load()
        above, below = code.greater(pre, zero), code.greater(zero, pre)
        pairs = zip(numbers[:4], numbers[4:8], strict=True)
        cu, cv, b, c = (code.choose(above, one, other) for one, other in pairs)
        epsilon = numbers[8]
        d = cu.rounded_product(u.load())
        d = d.rounded_sum(cv.rounded_product(part.load())).rounded_sum(b)
        stab = _stabilised(code, d, epsilon)
        stands = code.where(some, "!=", zero)
        counts = code.both(stands, code.where(stab, "!=", zero))
        q = c.rounded_product(some) / stab
        out.store(code.choose(code.both(counts, above), q, zero))
        (out + step).store(code.choose(code.both(counts, below), q, zero))
        infinite = code.where(pre.rounded_product(zero), "!=", zero)
        return code.flags({the.AMISS: code.both(below, stands), the.INFINITE: infinite})

    return divide


_part_many, _part_some, _part_one = (_parting(n) for n in (_MANY, _SOME, 1))


@device(PLAIN)
def ratio(
    u: Any, bias: Any, sign: Any, relevance: Any, sharing: Any, c: Any, fold: Any, spread: Any,
    ahead: Any, part: Any, out: Any, out_start: Any, out_size: Any, start: Any, first: Any,
    channels: Any, size: Any, lines: Any, pitch: Any, width: Any,
) -> Any:  # fmt: skip
    """Write c·R / stab(cu·u + cv·part + b) where the sign allows it; an empty u stands for part.

    `fold` channels of out in turn share a channel of u, sign and R, which lie `ahead` of where
    channel 0 of out lies; `spread` of them share one of part. `c` holds the stabiliser, then cu,
    cv, c and the sign that is asked for, or 0, of each in turn. Where there is something to be
    shared, R is that of a sum, of which a part comes here.

    Returns what is found, if a sign is asked for: `AMISS` if relevance stands where it is negative,
    `INFINITE` if it is infinite or NaN somewhere.
    """
    found, epsilon, whole = 0, c[0], u if u.size else part
    shared, turn, constant = first // fold, first % fold, first % bias.size
    others, other = 0, 0
    beyond = 2 * (size if lines == 1 else pitch)
    # What several channels of out share waits where the last of them will be written.
    whole_folds = turn == 0 and channels % fold == 0
    for channel in range(first, first + channels):
        cu, cv, factor, side = c[1 + 4 * turn], c[2 + 4 * turn], c[3 + 4 * turn], c[4 + 4 * turn]
        b, begin = bias[constant], start + (channel - first) * size
        for line in range(lines):
            p, i = (others * lines + line) * width, 0
            to = out_start + (channel - first) * out_size + line * pitch
            at = begin + line * pitch + ahead + (shared - channel) * size
            a, r, arrived = at if u.size else p, at, relevance
            if sharing[3].size:
                r, arrived = to + out_size * (fold - 1 - turn if whole_folds else 0), out
                if turn == 0 or not whole_folds:
                    found |= share(sharing, relevance, at, beyond, out, r, width)
            while i + _MANY <= width:
                found |= _divide_many(
                    whole, a + i, part, p + i, sign, at + i, arrived, r + i, out, to + i,
                    cu, cv, b, factor, epsilon, side,
                )  # fmt: skip
                i += _MANY
            while i + _SOME <= width:
                found |= _divide_some(
                    whole, a + i, part, p + i, sign, at + i, arrived, r + i, out, to + i,
                    cu, cv, b, factor, epsilon, side,
                )  # fmt: skip
                i += _SOME
            while i < width:
                found |= _divide_one(
                    whole, a + i, part, p + i, sign, at + i, arrived, r + i, out, to + i,
                    cu, cv, b, factor, epsilon, side,
                )  # fmt: skip
                i += 1
        # Counted, not divided: that would take as long as a line.
        turn, constant, other = turn + 1, constant + 1, other + 1
        if turn == fold:
            turn, shared = 0, shared + 1
        if constant == bias.size:
            constant = 0
        if other == spread:
            other, others = 0, others + 1
    return found


@device(PLAIN)
def parted_ratio(
    u: Any, bias: Any, sign: Any, relevance: Any, sharing: Any, c: Any, ahead: Any, part: Any,
    out: Any, out_start: Any, out_size: Any, start: Any, first: Any, channels: Any, size: Any,
    lines: Any, pitch: Any, width: Any,
) -> Any:  # fmt: skip
    """Write and return what `ratio` does for two channels of out that share all others.

    The first one is for where the sign is positive, the other one for where it is negative.
    """
    found, shared = 0, first // 2
    beyond = 2 * (size if lines == 1 else pitch)
    for turn in range(channels // 2):
        channel = first + 2 * turn
        b, other = bias[channel % bias.size], bias[(channel + 1) % bias.size]
        for line in range(lines):
            p, to, i = (turn * lines + line) * width, out_start + 2 * turn * out_size, 0
            to += line * pitch
            at = start + ahead + (shared + turn - first) * size + line * pitch
            r, arrived = at, relevance
            if sharing[3].size:
                found |= share(sharing, relevance, at, beyond, out, to, width)
                r, arrived = to, out
            while i + _MANY <= width:
                found |= _part_many(
                    u, at + i, part, p + i, sign, at + i, arrived, r + i, out, to + i, out_size,
                    beyond, c[1], c[2], b, c[3], c[5], c[6], other, c[7], c[0],
                )  # fmt: skip
                i += _MANY
            while i + _SOME <= width:
                found |= _part_some(
                    u, at + i, part, p + i, sign, at + i, arrived, r + i, out, to + i, out_size,
                    beyond, c[1], c[2], b, c[3], c[5], c[6], other, c[7], c[0],
                )  # fmt: skip
                i += _SOME
            while i < width:
                found |= _part_one(
                    u, at + i, part, p + i, sign, at + i, arrived, r + i, out, to + i, out_size,
                    beyond, c[1], c[2], b, c[3], c[5], c[6], other, c[7], c[0],
                )  # fmt: skip
                i += 1
    return found


@device()
def finish(
    task: Any, part: Any, sample: Any, channel: Any, channels: Any, line: Any, lines: Any,
    pitch: Any, column: Any, width: Any, handed: Any,
) -> None:  # fmt: skip
    """Do to a part of a task's result what comes then; note it if that finds something amiss.

    Ratios of all channels are left in one piece at an address, if it is not 0, instead of in out.
    """
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
        of_all, shared = task[the.CHANNELS] * size, out.size // fold
        out_start, out_size = start, size
        if handed:
            out, out_start, out_size = floats(handed, channels * width), ZERO, width
        bias = floats(task[the.BIAS], task[the.BIAS_NUMBERS])
        c = floats(task[the.REALS], 1 + 4 * fold)
        sign, relevance = floats(task[the.SIGN], shared), floats(task[the.RELEVANCE], shared)
        ahead, of_sum = sample * (of_all // fold - of_all), shared if task[the.SHARE_TO] else 0
        sharing = (
            floats(task[the.SHARE_OF], of_sum), floats(task[the.SHARE_X], of_sum),
            floats(task[the.SHARE_Y], of_sum), floats(task[the.SHARE_TO], of_sum),
            floats(task[the.SHARE_REALS], 5),
            floats(task[the.SHARE_EPSILON], 1 + sample)[sample] if of_sum else np.float32(0.0),
        )  # fmt: skip
        if spread == 2 and c[4] > 0 and c[8] < 0:
            found = parted_ratio(
                x, bias, sign, relevance, sharing, c, ahead, part, out, out_start, out_size, start,
                channel, channels, size, lines, pitch, width,
            )  # fmt: skip
        else:
            found = ratio(
                x, bias, sign, relevance, sharing, c, fold, spread, ahead, part, out, out_start,
                out_size, start, channel, channels, size, lines, pitch, width,
            )  # fmt: skip
    if found:
        merge(task, the.FOUND, found)
