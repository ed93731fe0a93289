"""Compiled job of `depthwise`: few channels to few results, read and written where they lie.

Nothing is laid out: a table says where each line of the source begins, that of zeros for a line
outside of it, and lanes outside of a line count as zero. Some lines of a result at once are summed
in registers, and finished while they are in the cache.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from onnxlrp.kernels import _task as the
from onnxlrp.kernels._epilogues import finish
from onnxlrp.kernels._jit import ZERO, b1, device, i8, read, types, write
from onnxlrp.kernels._memory import floats, ints, longs
from onnxlrp.kernels._vectors import WIDE, Code, Pointer, Vector, vector_function

i4 = types.int32

#: Lines of a result that are summed at once.
LINES = 4
#: Taps of a window, along one axis, for which there is code of its own.
SQUARE = 3
#: Numbers of a row of the table of products, and of a row of the table of jobs.
PRODUCT, JOB = 12, 5
#: Numbers that a strip may write after the last one of a part, if only to leave them as they are.
SLACK = 2 * WIDE
#: How sums are made: tap by tap, for two phases in turn, or for a square of taps, the first or the
#: last one first.
BY_TAP, PAIRS, FORWARD, BACKWARD = range(4)

_TAPS = (read(), i8, read(1, i4), i8, i8)
_PLACES = (read(1, i8), i8, i8, i8, i8, write(), i8, i8, i8, i8)


def _load(code: Code, line: Pointer, left: Any, shift: int, step: int) -> Vector:
    """A vector of every `step`-th number, from left + shift on."""
    first = line + left + (shift - shift % step)
    parts = [(first + WIDE * part).load() for part in range(step)]
    return code.shuffle(parts, range(shift % step, WIDE * step, step)) if step > 1 else parts[0]


def _store(
    code: Code, sums: list[Vector], out: Pointer, out_step: Any, last: Any, end: Any
) -> None:
    """Write vectors up to `end`, one for each line of a result.

    Where there are fewer lines, those after the last one are written in its place before it is.
    """
    across = range(0, len(sums) // LINES * WIDE, WIDE)
    for r in reversed(range(LINES)):
        line = out + code.builder.mul(out_step, code.least(last, r))
        for part, j in enumerate(across):
            place, written = line + j, code.within(j, end.type(0), end)
            total = sums[r * len(across) + part]
            place.store(code.choose(written, total, place.load()))


def _sum_taps(
    code: Code, weights: Pointer, taps: Pointer, depth: Any, lines: Pointer, line_step: Any,
    column: Any, width: Any, last: Any, step: int,
) -> list[Vector]:  # fmt: skip
    """Vectors of Σ_d weights[d] · source, one for each line of the result."""
    zero = code.zero()
    starts = [lines + code.builder.mul(line_step, code.least(last, r)) for r in range(LINES)]

    def add(d: Any, sums: list[Vector]) -> list[Vector]:
        tap = taps + code.times(d, 2)
        line, left = (code.index((tap + i).number()) for i in range(2))
        left = code.builder.add(left, column)
        inside, weight = code.inside(left, step, width), (weights + d).load_repeated()
        results = []
        for total, start in zip(sums, starts, strict=True):
            numbers = _load(code, code.at((start + line).number()), left, 0, step)
            results.append(total + weight * code.choose(inside, numbers, zero))
        return results

    return code.accumulate(depth, [zero] * LINES, add)


def _inside(address: int, left: int, width: int, step: int) -> Any:
    """Every `step`-th number of a line from one on, zeros outside of the line."""
    places = left + step * np.arange(WIDE)
    numbers = floats(address, width)[np.clip(places, 0, width - 1)]
    return np.where((places >= 0) & (places < width), numbers, np.float32(0.0))


def _meaning_of_sums(
    weights: Any, w: int, taps: Any, t: int, depth: int, lines: Any, at: int, line_step: int,
    column: int, width: int, last: int, step: int,
) -> Any:  # fmt: skip
    sums = np.zeros((last + 1, WIDE), np.float32)
    for d in range(depth):
        line, left = (int(number) for number in taps[t + 2 * d : t + 2 * d + 2])
        for r in range(last + 1):
            address = int(lines[at + line + r * line_step])
            sums[r] += weights[w + d] * _inside(address, left + column, width, step)
    return sums


def _meaning_of_store(sums: Any, out: Any, to: int, out_step: int, end: int) -> None:
    for r, line in enumerate(sums):
        out[to + r * out_step : to + r * out_step + min(end, line.size)] = line[:end]


def _summing(step: int) -> Any:
    """Make the function that sums a vector of some lines, tap by tap, and writes it up to `end`.

    It reads every `step`-th number of the source.
    """

    def meaning(
        weights: Any, w: int, taps: Any, t: int, depth: int, lines: Any, at: int, line_step: int,
        column: int, width: int, out: Any, to: int, out_step: int, last: int, end: int,
    ) -> None:  # fmt: skip
        place = lines, at, line_step, column, width, last, step
        sums = _meaning_of_sums(weights, w, taps, t, depth, *place)
        _meaning_of_store(sums, out, to, out_step, end)

    @vector_function(*_TAPS, *_PLACES, meaning=meaning, lanes=WIDE)
    def strip(
        code: Code, weights: Pointer, taps: Pointer, depth: Any, lines: Pointer, line_step: Any,
        column: Any, width: Any, out: Pointer, out_step: Any, last: Any, end: Any,
    ) -> None:  # fmt: skip
        place = lines, line_step, column, width, last, step
        sums = _sum_taps(code, weights, taps, depth, *place)
        _store(code, sums, out, out_step, last, end)

    return strip


def _summing_pairs() -> Any:
    """Make the function that sums a vector of each of two phases, and writes them in turn."""

    def meaning(
        weights: Any, w: int, taps: Any, t: int, depth: int, others: Any, v: int, shifts: Any,
        p: int, count: int, lines: Any, at: int, line_step: int, column: int, width: int, out: Any,
        to: int, out_step: int, last: int, end: int,
    ) -> None:  # fmt: skip
        place = lines, at, line_step, column, width, last, 1
        one = _meaning_of_sums(weights, w, taps, t, depth, *place)
        other = _meaning_of_sums(others, v, shifts, p, count, *place)
        both = np.stack([one, other], axis=2).reshape(len(one), -1)
        _meaning_of_store(both, out, to, out_step, end)

    @vector_function(*_TAPS, *_TAPS, *_PLACES, meaning=meaning, lanes=WIDE)
    def strip(
        code: Code, weights: Pointer, taps: Pointer, depth: Any, others: Pointer, shifts: Pointer,
        count: Any, lines: Pointer, line_step: Any, column: Any, width: Any, out: Pointer,
        out_step: Any, last: Any, end: Any,
    ) -> None:  # fmt: skip
        place = lines, line_step, column, width, last, 1
        one = _sum_taps(code, weights, taps, depth, *place)
        other = _sum_taps(code, others, shifts, count, *place)
        pairs = [code.alternate(*both) for both in zip(one, other, strict=True)]
        _store(code, [half for pair in pairs for half in pair], out, out_step, last, end)

    return strip


def _summing_square(step: int, backward: bool) -> Any:
    """Make the function that sums a square of neighbouring taps: each number is read once.

    The sums begin at 0 if `fresh`, else at what `out` holds.
    """
    order = range(SQUARE)[:: -1 if backward else 1]

    def meaning(
        weights: Any, w: int, lines: Any, at: int, line_step: int, column: int, width: int,
        out: Any, to: int, out_step: int, last: int, end: int, fresh: bool,
    ) -> None:  # fmt: skip
        for r in range(last + 1):
            place = out[to + r * out_step : to + r * out_step + min(end, WIDE)]
            sums, d = np.zeros(WIDE, np.float32), w
            for i, shift in itertools.product(order, order):
                address = int(lines[at + r * step + i])
                sums += weights[d] * _inside(address, column + shift, width, step)
                d += 1
            place[:] = sums[:end] + (0 if fresh else place)

    @vector_function(read(), i8, *_PLACES, b1, meaning=meaning, lanes=WIDE)
    def strip(
        code: Code, weights: Pointer, lines: Pointer, line_step: Any, column: Any, width: Any,
        out: Pointer, out_step: Any, last: Any, end: Any, fresh: Any,
    ) -> None:  # fmt: skip
        zero = code.zero()
        inside = [
            code.inside(code.builder.add(column, column.type(shift)), step, width)
            for shift in range(SQUARE)
        ]
        factors = [(weights + d).load_repeated() for d in range(SQUARE**2)]
        places = [out + code.builder.mul(out_step, code.least(last, r)) for r in range(LINES)]
        sums = [code.choose(fresh, zero, place.load()) for place in places]
        most = code.builder.add(code.times(last, step), last.type(SQUARE - 1))
        for i in range(step * (LINES - 1) + SQUARE)[:: -1 if backward else 1]:
            start = code.at((lines + code.least(most, i)).number())
            for n, shift in enumerate(order):
                numbers = code.choose(inside[shift], _load(code, start, column, shift, step), zero)
                for m, above in enumerate(order):
                    r = (i - above) // step
                    if r * step == i - above and 0 <= r < LINES:
                        sums[r] = sums[r] + factors[SQUARE * m + n] * numbers
        _store(code, sums, out, out_step, last, end)

    return strip


_ones, _seconds, _pairs = _summing(1), _summing(2), _summing_pairs()
_forward_ones, _forward_seconds = _summing_square(1, False), _summing_square(2, False)
_backward = _summing_square(1, True)


@device()
def _sum_by_tap(
    weights: Any, w: Any, taps: Any, others: Any, v: Any, shifts: Any, lines: Any, at: Any,
    line_step: Any, step: Any, width: Any, out: Any, to: Any, out_step: Any, rows: Any,
    columns: Any,
) -> None:  # fmt: skip
    """Write some lines of a result, tap by tap; the last ones overlap those before."""
    depth, count, last = taps.size // 2, shifts.size // 2, min(LINES, rows) - 1
    across = 2 * WIDE if count else WIDE
    for j in range(0, columns, across):
        row, column, end = 0, j // 2 if count else step * j, columns - j
        while row < rows:
            row = max(0, min(row, rows - LINES))
            x, t = at + row * line_step, to + row * out_step + j
            if count:
                _pairs(
                    weights, w, taps, 0, depth, others, v, shifts, 0, count, lines, x, line_step,
                    column, width, out, t, out_step, last, end,
                )  # fmt: skip
            elif step == 1:
                _ones(
                    weights, w, taps, 0, depth, lines, x, line_step, column, width, out, t,
                    out_step, last, end,
                )  # fmt: skip
            else:
                _seconds(
                    weights, w, taps, 0, depth, lines, x, line_step, column, width, out, t,
                    out_step, last, end,
                )  # fmt: skip
            row += LINES


@device()
def _sum_square(
    weights: Any, w: Any, how: Any, lines: Any, at: Any, channels: Any, count: Any, step: Any,
    left: Any, width: Any, out: Any, to: Any, rows: Any, columns: Any,
) -> None:  # fmt: skip
    """Write some lines of a result, from `count` lines of each channel; see `_sum_by_tap`."""
    last = min(LINES, rows) - 1
    for j in range(0, columns, WIDE):
        row, column, end = 0, step * j + left, columns - j
        while row < rows:
            row = max(0, min(row, rows - LINES))
            t = to + row * columns + j
            for c in range(channels):
                x, y, fresh = w + c * SQUARE**2, at + c * count + row * step, c == 0
                if how == BACKWARD:
                    _backward(
                        weights, x, lines, y, 1, column, width, out, t, columns, last, end, fresh
                    )  # fmt: skip
                elif step == 1:
                    _forward_ones(
                        weights, x, lines, y, 1, column, width, out, t, columns, last, end, fresh
                    )  # fmt: skip
                else:
                    _forward_seconds(
                        weights, x, lines, y, 2, column, width, out, t, columns, last, end, fresh
                    )  # fmt: skip
            row += LINES


@device()
def _sum_groups(
    task: Any, numbers: Any, group: Any, groups: Any, row: Any, rows: Any, high: Any, lines: Any,
    part: Any,
) -> None:  # fmt: skip
    """Write one phase of `high` lines of some groups' results."""
    results, channels, count = task[the.RESULTS], task[the.IN_CHANNELS], task[the.PLANE]
    columns, width, step = task[the.OUT_WIDTH], task[the.IN_WIDTH], task[the.COLUMN_STEP]
    rows = min(row + rows, numbers[10]) - row
    line = numbers[8] + row * (numbers[9] - task[the.LINE_STEP])
    weights, taps = floats(numbers[0], numbers[1]), ints(numbers[2], numbers[3])
    others, shifts = floats(numbers[4], numbers[5]), ints(numbers[6], numbers[7])
    for k in range(groups * results if rows > 0 else 0):
        n, at, to = group * results + k, k // results * channels * count, k * high + line
        w, v = n * (taps.size // 2), n * (shifts.size // 2)
        if numbers[11] <= PAIRS:
            _sum_by_tap(
                weights, w, taps, others, v, shifts, lines, at, task[the.ROW_STEP], step, width,
                part, to * columns, numbers[9] * columns, rows, columns,
            )  # fmt: skip
        else:
            _sum_square(
                weights, w, numbers[11], lines, at, channels, count, step,
                -task[the.COLUMN_ORIGIN], width, part, to * columns, rows, columns,
            )  # fmt: skip


@device()
def _copy(source: Any, at: Any, out: Any, to: Any, count: Any) -> None:
    """Copy numbers; a loop takes less time to compile than an assignment to a slice."""
    for i in range(count):
        out[to + i] = source[at + i]


@device()
def _find_lines(
    task: Any, begin: Any, channels: Any, row: Any, lines: Any, zeros: Any, copy: Any
) -> None:  # fmt: skip
    """Find where each line of some channels lies; zeros stand for one outside.

    What is read around the first and the last lines of all is no memory of the source: they are
    copied to where there is some.
    """
    height, width, count = task[the.IN_HEIGHT], task[the.IN_WIDTH], task[the.PLANE]
    start = row * task[the.ROW_STEP] - task[the.ROW_ORIGIN]
    low = max(0, min(count, -start))
    high = max(low, min(count, height - start))
    size, least = (high - low) * width, task[the.BEFORE]
    most = task[the.SOURCE_NUMBERS] - task[the.AFTER] - size
    for c in range(channels):
        at, found = begin + (c * height + start + low) * width, c * count
        first = task[the.SOURCE] + 4 * at
        if at < least or at > most:
            _copy(floats(first, size), 0, floats(copy, size), 0, size)
            first, copy = copy, copy + 4 * (size + task[the.BEFORE] + task[the.AFTER])
        for i in range(low):
            lines[found + i] = zeros
        for i in range(low, high):
            lines[found + i] = first + 4 * width * (i - low)
        for i in range(high, count):
            lines[found + i] = zeros


@device()
def depthwise(task: Any, job: Any, memory: Any) -> None:
    """A convolution of many small groups: some lines of some groups of a sample."""
    ranges = longs(task[the.JOBS] + 8 * JOB * job, JOB)
    n, first, groups, row, rows = ranges[0], ranges[1], ranges[2], ranges[3], ranges[4]
    channels, results = task[the.IN_CHANNELS], task[the.RESULTS]
    size = channels * task[the.IN_HEIGHT] * task[the.IN_WIDTH]
    height, width, together = task[the.OUT_HEIGHT], task[the.OUT_WIDTH], task[the.TOGETHER]
    line = min(height, row * task[the.LINE_STEP])
    high = min(height, (row + rows) * task[the.LINE_STEP]) - line
    before = 4 * task[the.BEFORE]
    lines = longs(memory, task[the.LAID])
    memory += 8 * lines.size
    part = floats(memory, together * results * high * width + SLACK)
    memory += 4 * part.size
    zeros = floats(memory, task[the.BEFORE] + task[the.IN_WIDTH] + task[the.AFTER])
    for i in range(zeros.size):
        zeros[i] = np.float32(0.0)
    for group in range(first, first + groups, together):
        some = min(together, first + groups - group)
        _find_lines(
            task, (n * task[the.GROUPS] + group) * size, some * channels, row, lines,
            memory + before, memory + 4 * zeros.size + before,
        )  # fmt: skip
        for index in range(task[the.PRODUCT_COUNT]):
            numbers = longs(task[the.PRODUCTS] + 8 * PRODUCT * index, PRODUCT)
            _sum_groups(task, numbers, group, some, row, rows, high, lines, part)
        if task[the.THEN] != the.NOTHING:
            finish(
                task, part, n, group * results, some * results, line, high, width, ZERO, width,
                ZERO,
            )  # fmt: skip
        else:
            _hand_out(task, part, n * task[the.CHANNELS] + group * results, some, line, high)


@device()
def _hand_out(task: Any, part: Any, channel: Any, groups: Any, line: Any, lines: Any) -> None:
    """Copy a part to where it lies in the result."""
    width, places = task[the.OUT_WIDTH], task[the.PLACES]
    out = floats(task[the.OUT], task[the.OUT_NUMBERS])
    for c in range(groups * task[the.RESULTS]):
        to, at = (channel + c) * places + line * width, c * lines * width
        _copy(part, at, out, to, lines * width)
