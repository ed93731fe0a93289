"""Compiled jobs of `pooling`: some planes (image and channel) at a time, three spatial axes.

Everything goes row by row: one tap of all windows of a row is one loop that fills registers.
`spans` tells for each tap across a row the first and last + 1 window that has it in the input.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxlrp.kernels import _task as the
from onnxlrp.kernels._jit import device, f4, i8, read, write
from onnxlrp.kernels._memory import floats, longs
from onnxlrp.kernels._vectors import LANES, Code, Pointer, vector_function


@device()
def _add_row(row: Any, out: Any) -> None:
    """Add numbers to as many others."""
    for q in range(out.size):
        out[q] += row[q]


@device()
def _window_sum(
    x: Any, taps: Any, strides: Any, pads: Any, dilations: Any, spans: Any, rows: Any, out: Any
) -> None:
    """Sum of x over each window: first down the rows that it covers, then across their total."""
    _, depth, height, width = x.shape
    total = rows[:width]
    for c, p, q in np.ndindex(out.shape[:3]):
        total[:] = np.float32(0.0)
        for i in range(taps[0]):
            d = p * strides[0] - pads[0] + i * dilations[0]
            for j in range(taps[1]):
                h = q * strides[1] - pads[1] + j * dilations[1]
                if 0 <= d < depth and 0 <= h < height:
                    _add_row(x[c, d, h], total)
        line = out[c, p, q]
        line[:] = np.float32(0.0)
        for m in range(taps[2]):
            offset = m * dilations[2] - pads[2]
            first, last = spans[m, 0], spans[m, 1]
            shifted, covered = total[offset + first * strides[2] :], line[first:last]
            for r in range(covered.size):
                covered[r] += shifted[r * strides[2]]


@device()
def _window_sum_adjoint(
    s: Any, taps: Any, strides: Any, pads: Any, dilations: Any, spans: Any, rows: Any, out: Any
) -> None:
    """Add each window's number to every input that it reads: across a row, then to all its rows."""
    _, depth, height, width = out.shape
    total = rows[:width]
    out[:] = np.float32(0.0)
    for c, p, q in np.ndindex(s.shape[:3]):
        total[:] = np.float32(0.0)
        line = s[c, p, q]
        for m in range(taps[2]):
            offset = m * dilations[2] - pads[2]
            first, last = spans[m, 0], spans[m, 1]
            shifted, covered = total[offset + first * strides[2] :], line[first:last]
            for r in range(covered.size):
                shifted[r * strides[2]] += covered[r]
        for i in range(taps[0]):
            d = p * strides[0] - pads[0] + i * dilations[0]
            for j in range(taps[1]):
                h = q * strides[1] - pads[1] + j * dilations[1]
                if 0 <= d < depth and 0 <= h < height:
                    _add_row(total, out[c, d, h])


def _competing(step: int) -> Any:
    """Make the function that lets eight windows, `step` numbers apart, read one more tap."""

    def meaning(
        x: Any, at: int, best: Any, q: int, winner: Any, w: int, number: np.float32
    ) -> None:
        values = x[at : at + step * LANES : step]
        tops, winners = best[q : q + LANES], winner[w : w + LANES]
        wins = (values > tops) | (winners < 0)
        tops[wins], winners[wins] = values[wins], number

    @vector_function(read(), i8, write(), i8, write(), i8, f4, meaning=meaning)
    def compete(code: Code, x: Pointer, best: Pointer, winner: Pointer, number: Any) -> None:
        parts = [(x + LANES * k).load() for k in range(step)]
        values = code.shuffle(parts, range(0, step * LANES, step))
        tops, winners = best.load(), winner.load()
        wins = code.either(code.greater(values, tops), code.greater(code.zero(), winners))
        best.store(code.choose(wins, values, tops))
        winner.store(code.choose(wins, code.repeat(number), winners))

    return compete


_compete_1, _compete_2 = _competing(1), _competing(2)


@device()
def _compete(
    x: Any, at: Any, step: Any, best: Any, winner: Any, first: Any, last: Any, number: Any
) -> None:  # fmt: skip
    """Let the windows first to last read one more tap; an equal number does not win."""
    q = first
    while step <= 2 and q < last and last - first >= LANES:
        q = min(q, last - LANES)  # what is read twice does not win again
        place = at + (q - first) * step
        if place + step * LANES > x.size:
            break
        if step == 1:
            _compete_1(x, place, best, q, winner, q, number)
        else:
            _compete_2(x, place, best, q, winner, q, number)
        q += LANES
    for r in range(q, last):
        value = x[at + (r - first) * step]
        if value > best[r] or winner[r] < 0.0:
            best[r], winner[r] = value, number


def _share_squares(
    x: Any, at: int, width: int, relevance: Any, r: int, out: Any, out_at: int
) -> None:  # fmt: skip
    places = np.add.outer([0, 1, width, width + 1], 2 * np.arange(LANES))
    values, winner = x[at + places], np.zeros(LANES, np.int64)
    for tap in range(1, 4):
        winner[values[tap] > values[winner, np.arange(LANES)]] = tap
    out[out_at + places] = np.where(np.arange(4)[:, None] == winner, relevance[r : r + LANES], 0)


@vector_function(read(), i8, i8, read(), i8, write(), i8, meaning=_share_squares)
def share_squares(code: Code, x: Pointer, width: Any, relevance: Pointer, out: Pointer) -> None:
    """Let the first maximum of each of eight neighbouring 2×2 squares take all."""
    rows = [[(row + LANES * k).load() for k in range(2)] for row in (x, x + width)]
    taps = [code.shuffle(row, range(j, 2 * LANES, 2)) for row in rows for j in range(2)]
    best, wins = taps[0], []
    for tap in taps[1:]:
        wins.append(code.greater(tap, best))
        best = code.choose(wins[-1], tap, best)
    left, parts = relevance.load(), []
    for win in reversed(wins):  # the last tap that won keeps what there is
        parts.append(code.choose(win, left, code.zero()))
        left = code.choose(win, code.zero(), left)
    first, second, third, fourth = left, *reversed(parts)
    for row, pair in ((out, (first, second)), (out + width, (third, fourth))):
        for k, part in enumerate(code.alternate(*pair)):
            (row + LANES * k).store(part)


@device()
def _pool_squares(relevance: Any, x: Any, out: Any) -> None:
    """Share out all 2×2 squares of each plane."""
    values, parts, target = x.reshape(-1), relevance.reshape(-1), out.reshape(-1)
    width, windows = x.shape[3], relevance.shape[3]
    for row in range(parts.size // windows):
        for q in range(0, windows, LANES):
            r = min(q, windows - LANES)  # the last ones may be written twice
            at = 2 * row * width + 2 * r
            share_squares(values, at, width, parts, row * windows + r, target, at)


@device()
def _max_pool(
    relevance: Any, x: Any, taps: Any, strides: Any, pads: Any, dilations: Any, spans: Any,
    places: Any, rows: Any, out: Any,
) -> None:  # fmt: skip
    """Add each window's relevance to its first maximum.

    `winner` is the number of its tap, and `places` tells where a tap lies, counted from the first.
    """
    _, depth, height, width = x.shape
    windows = relevance.shape[3]
    in_squares = taps == (1, 2, 2) and strides[1:] == (2, 2) and dilations[1:] == (1, 1)
    in_squares = in_squares and pads == (0, 0, 0) and windows >= LANES and width == 2 * windows
    if in_squares and (depth, height) == (relevance.shape[1], 2 * relevance.shape[2]):
        _pool_squares(relevance, x, out)
        return
    best, winner = rows[:windows], rows[windows : 2 * windows]
    flat, target = x.reshape(-1), out.reshape(-1)
    target[:] = np.float32(0.0)
    for c, p, q in np.ndindex(relevance.shape[:3]):
        best[:] = np.float32(-np.inf)
        winner[:] = np.float32(-1.0)
        number = -1
        for i in range(taps[0]):
            d = p * strides[0] - pads[0] + i * dilations[0]
            for j in range(taps[1]):
                h = q * strides[1] - pads[1] + j * dilations[1]
                row = ((c * depth + d) * height + h) * width
                for m in range(taps[2]):
                    number += 1
                    if 0 <= d < depth and 0 <= h < height:
                        offset = m * dilations[2] - pads[2]
                        first, last = spans[m, 0], spans[m, 1]
                        at = row + offset + first * strides[2]
                        _compete(
                            flat, at, strides[2], best, winner, first, last, np.float32(number)
                        )
        d, h = p * strides[0] - pads[0], q * strides[1] - pads[1]
        start = ((c * depth + d) * height + h) * width - pads[2]
        for r in range(best.size):
            tap = int(winner[r])
            if tap >= 0:
                target[start + r * strides[2] + places[tap]] += relevance[c, p, q, r]


@device()
def _three(task: Any, place: Any) -> Any:
    """Three numbers of a task, one an axis."""
    return task[place], task[place + 1], task[place + 2]


@device()
def _some(address: Any, first: Any, planes: Any, size: Any) -> Any:
    """Some planes of an array of planes."""
    skipped, numbers = first * size[0] * size[1] * size[2], planes * size[0] * size[1] * size[2]
    return floats(address + 4 * skipped, numbers).reshape(planes, size[0], size[1], size[2])


@device()
def pool(task: Any, job: Any, memory: Any) -> None:
    """A pool of any kind: some planes."""
    first = job * task[the.SOME_PLANES]
    planes = min(task[the.SOME_PLANES], task[the.PLANES] - first)
    size, windows = _three(task, the.IN_DEPTH), _three(task, the.OUT_DEPTH)
    taps, strides = _three(task, the.TAPS), _three(task, the.STRIDES)
    pads, dilations = _three(task, the.PADS), _three(task, the.DILATIONS)
    spans = longs(task[the.SPANS], 2 * taps[2]).reshape(taps[2], 2)
    rows = floats(memory, max(size[2], 2 * windows[2]))
    if task[the.KIND] == the.WINDOW_SUM:
        x = _some(task[the.SOURCE], first, planes, size)
        out = _some(task[the.OUT], first, planes, windows)
        _window_sum(x, taps, strides, pads, dilations, spans, rows, out)
        return
    out = _some(task[the.OUT], first, planes, size)
    if task[the.KIND] == the.WINDOW_SUM_ADJOINT:
        s = _some(task[the.SOURCE], first, planes, windows)
        _window_sum_adjoint(s, taps, strides, pads, dilations, spans, rows, out)
        return
    relevance = _some(task[the.RELEVANCE], first, planes, windows)
    x = _some(task[the.SOURCE], first, planes, size)
    places = longs(task[the.TAP_PLACES], taps[0] * taps[1] * taps[2])
    _max_pool(relevance, x, taps, strides, pads, dilations, spans, places, rows, out)
