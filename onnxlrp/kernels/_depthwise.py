"""Compiled job of `depthwise`: few channels to few results, read and written where they lie.

Nothing is laid out: a table says where each line of the source begins, that of zeros for a line
outside of it, and lanes outside of a line count as zero. Some lines of a result at once are summed
in registers, and finished while they are in the first-level cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxlrp.kernels import _task as the
from onnxlrp.kernels._epilogues import finish
from onnxlrp.kernels._jit import b1, device, i8, read, types, write
from onnxlrp.kernels._memory import floats, ints, longs
from onnxlrp.kernels._vectors import WIDE, Code, Pointer, Vector, vector_function

i4 = types.int32

#: Lines of a result that are summed at once.
LINES = 4
#: Taps of a window, along one axis, for which there is code of its own.
SQUARE = 3
#: Numbers of a row of the table of products, and of a row of the table of jobs.
PRODUCT, JOB = 12, 5
#: How sums are made: tap by tap, or for a square of taps, the first or the last one first.
BY_TAP, FORWARD, BACKWARD = range(3)

_TAPS = (read(), i8, read(1, i4), i8, i8)
_PLACES = (read(1, i8), i8, i8, i8, i8, write(), i8, i8, i8)


def _load(code: Code, place: Pointer, step: int) -> Vector:
    """A vector of every `step`-th number."""
    parts = [(place + WIDE * part).load() for part in range(step)]
    return parts[0] if step == 1 else code.shuffle(parts, range(0, WIDE * step, step))


def _sum_taps(
    code: Code, weights: Pointer, taps: Pointer, depth: Any, starts: list[Pointer], column: Any,
    width: Any, step: int,
) -> list[Vector]:  # fmt: skip
    """Vectors of Σ_d weights[d] · source, for as many lines as there are `starts` in the table."""
    zero, count = code.zero(), len(starts)

    def add(d: Any, sums: list[Vector]) -> list[Vector]:
        tap = taps + code.times(d, 2)
        line, left = (code.index((tap + i).number()) for i in range(2))
        left = code.builder.add(left, column)
        inside, weight = code.inside(left, step, width), (weights + d).load_repeated()
        results = []
        for total, start in zip(sums, starts, strict=True):
            numbers = _load(code, code.at((start + line).number()) + left, step)
            results.append(total + weight * code.choose(inside, numbers, zero))
        return results

    return code.accumulate(depth, [zero] * count, add)


def _meaning_of_sums(
    weights: Any, w: int, taps: Any, t: int, depth: int, lines: Any, at: int, line_step: int,
    column: int, width: int, rows: int, step: int,
) -> Any:  # fmt: skip
    sums = np.zeros((rows, WIDE), np.float32)
    for d in range(depth):
        line, left = (int(number) for number in taps[t + 2 * d : t + 2 * d + 2])
        for r in range(rows):
            address = int(lines[at + line + r * line_step])
            sums[r] += weights[w + d] * _inside(address, left + column, width, step)
    return sums


def _inside(address: int, left: int, width: int, step: int) -> Any:
    """Every `step`-th number of a line from one on, zeros outside of the line."""
    places = left + step * np.arange(WIDE)
    numbers = floats(address, width)[np.clip(places, 0, width - 1)]
    return np.where((places >= 0) & (places < width), numbers, np.float32(0.0))


def _summing(rows: int, step: int) -> Any:
    """Make the function that sums a vector of `rows` lines, tap by tap, and writes it up to `end`.

    It reads every `step`-th number of the source.
    """

    def meaning(
        weights: Any, w: int, taps: Any, t: int, depth: int, lines: Any, at: int, line_step: int,
        column: int, width: int, out: Any, to: int, out_step: int, end: int,
    ) -> None:  # fmt: skip
        sums = _meaning_of_sums(
            weights, w, taps, t, depth, lines, at, line_step, column, width, rows, step
        )  # fmt: skip
        for r in range(rows):
            out[to + r * out_step : to + r * out_step + min(end, WIDE)] = sums[r, :end]

    @vector_function(*_TAPS, *_PLACES, meaning=meaning, lanes=WIDE)
    def strip(
        code: Code, weights: Pointer, taps: Pointer, depth: Any, lines: Pointer, line_step: Any,
        column: Any, width: Any, out: Pointer, out_step: Any, end: Any,
    ) -> None:  # fmt: skip
        starts = [lines + code.times(line_step, r) for r in range(rows)]
        sums = _sum_taps(code, weights, taps, depth, starts, column, width, step)
        written = code.within(0, end.type(0), end)
        for r, total in enumerate(sums):
            place = out + code.times(out_step, r)
            place.store(code.choose(written, total, place.load()))

    return strip


def _summing_pairs(rows: int) -> Any:
    """Make the function that sums a vector of each of two phases, and writes them in turn."""

    def meaning(
        weights: Any, w: int, taps: Any, t: int, depth: int, others: Any, v: int, shifts: Any,
        p: int, count: int, lines: Any, at: int, line_step: int, column: int, width: int, out: Any,
        to: int, out_step: int, end: int,
    ) -> None:  # fmt: skip
        place = lines, at, line_step, column, width, rows, 1
        one = _meaning_of_sums(weights, w, taps, t, depth, *place)
        other = _meaning_of_sums(others, v, shifts, p, count, *place)
        both = np.stack([one, other], axis=2).reshape(rows, -1)
        for r in range(rows):
            out[to + r * out_step : to + r * out_step + min(end, 2 * WIDE)] = both[r, :end]

    @vector_function(*_TAPS, *_TAPS, *_PLACES, meaning=meaning, lanes=WIDE)
    def strip(
        code: Code, weights: Pointer, taps: Pointer, depth: Any, others: Pointer, shifts: Pointer,
        count: Any, lines: Pointer, line_step: Any, column: Any, width: Any, out: Pointer,
        out_step: Any, end: Any,
    ) -> None:  # fmt: skip
        starts = [lines + code.times(line_step, r) for r in range(rows)]
        one = _sum_taps(code, weights, taps, depth, starts, column, width, 1)
        other = _sum_taps(code, others, shifts, count, starts, column, width, 1)
        for r in range(rows):
            for half, total in enumerate(code.alternate(one[r], other[r])):
                place = out + code.times(out_step, r) + WIDE * half
                written = code.within(WIDE * half, end.type(0), end)
                place.store(code.choose(written, total, place.load()))

    return strip


def _summing_square(rows: int, backward: bool) -> Any:
    """Make the function that sums a square of neighbouring taps: each number is read once.

    The sums begin at 0 if `fresh`, else at what `out` holds.
    """
    order = range(SQUARE)[:: -1 if backward else 1]

    def meaning(
        weights: Any, w: int, lines: Any, at: int, line_step: int, column: int, width: int,
        out: Any, to: int, out_step: int, end: int, fresh: bool,
    ) -> None:  # fmt: skip
        for r in range(rows):
            sums, d = np.zeros(WIDE, np.float32), w
            place = out[to + r * out_step : to + r * out_step + min(end, WIDE)]
            for i in order:
                for shift in order:
                    left, address = column + shift, int(lines[at + (r + i) * line_step])
                    sums += weights[d] * _inside(address, left, width, 1)
                    d += 1
            place[:] = sums[:end] + (0 if fresh else place)

    @vector_function(read(), i8, *_PLACES, b1, meaning=meaning, lanes=WIDE)
    def strip(
        code: Code, weights: Pointer, lines: Pointer, line_step: Any, column: Any, width: Any,
        out: Pointer, out_step: Any, end: Any, fresh: Any,
    ) -> None:  # fmt: skip
        zero, written = code.zero(), code.within(0, end.type(0), end)
        shifted = [code.builder.add(column, column.type(shift)) for shift in range(SQUARE)]
        inside = [code.inside(left, 1, width) for left in shifted]
        factors = [(weights + d).load_repeated() for d in range(SQUARE**2)]
        places = [out + code.times(out_step, r) for r in range(rows)]
        before = [place.load() for place in places]
        sums = [code.choose(fresh, zero, numbers) for numbers in before]
        for i in range(rows + SQUARE - 1)[:: -1 if backward else 1]:
            start = code.at((lines + code.times(line_step, i)).number())
            for n, shift in enumerate(order):
                numbers = code.choose(inside[shift], (start + shifted[shift]).load(), zero)
                for m, above in enumerate(order):
                    if 0 <= i - above < rows:
                        r = i - above
                        sums[r] = sums[r] + factors[SQUARE * m + n] * numbers
        for place, total, numbers in zip(places, sums, before, strict=True):
            place.store(code.choose(written, total, numbers))

    return strip


_by_tap, _by_tap_1 = _summing(LINES, 1), _summing(1, 1)
_seconds, _seconds_1 = _summing(LINES, 2), _summing(1, 2)
_pairs, _pairs_1 = _summing_pairs(LINES), _summing_pairs(1)
_forward, _forward_1 = _summing_square(LINES, False), _summing_square(1, False)
_backward, _backward_1 = _summing_square(LINES, True), _summing_square(1, True)


@device()
def _sum_by_tap(
    weights: Any, w: Any, taps: Any, lines: Any, line_step: Any, step: Any, width: Any, out: Any,
    to: Any, out_step: Any, rows: Any, columns: Any,
) -> None:  # fmt: skip
    """Write some lines of a result; the last ones overlap those before."""
    depth = taps.size // 2
    for j in range(0, columns, WIDE):
        row, column, end = 0, step * j, columns - j
        while row < rows:
            row = min(row, rows - LINES) if rows >= LINES else row
            at, t = row * line_step, to + row * out_step + j
            if step == 1 and rows >= LINES:
                _by_tap(
                    weights, w, taps, 0, depth, lines, at, line_step, column, width, out, t,
                    out_step, end,
                )  # fmt: skip
            elif step == 1:
                _by_tap_1(
                    weights, w, taps, 0, depth, lines, at, line_step, column, width, out, t,
                    out_step, end,
                )  # fmt: skip
            elif rows >= LINES:
                _seconds(
                    weights, w, taps, 0, depth, lines, at, line_step, column, width, out, t,
                    out_step, end,
                )  # fmt: skip
            else:
                _seconds_1(
                    weights, w, taps, 0, depth, lines, at, line_step, column, width, out, t,
                    out_step, end,
                )  # fmt: skip
            row += LINES if rows >= LINES else 1


@device()
def _sum_square(
    weights: Any, w: Any, backward: Any, lines: Any, channels: Any, count: Any, left: Any,
    width: Any, out: Any, to: Any, out_step: Any, rows: Any, columns: Any,
) -> None:  # fmt: skip
    """Write some lines of a result, from `count` lines of each channel."""
    for j in range(0, columns, WIDE):
        row, column, end = 0, j + left, columns - j
        while row < rows:
            row = min(row, rows - LINES) if rows >= LINES else row
            t = to + row * out_step + j
            for c in range(channels):
                x, at, fresh = w + c * SQUARE**2, row + c * count, c == 0
                if rows < LINES and backward:
                    _backward_1(
                        weights, x, lines, at, 1, column, width, out, t, out_step, end, fresh
                    )  # fmt: skip
                elif rows < LINES:
                    _forward_1(
                        weights, x, lines, at, 1, column, width, out, t, out_step, end, fresh
                    )  # fmt: skip
                elif backward:
                    _backward(
                        weights, x, lines, at, 1, column, width, out, t, out_step, end, fresh
                    )  # fmt: skip
                else:
                    _forward(
                        weights, x, lines, at, 1, column, width, out, t, out_step, end, fresh
                    )  # fmt: skip
            row += LINES if rows >= LINES else 1


@device()
def _sum_pairs(
    weights: Any, w: Any, taps: Any, others: Any, v: Any, shifts: Any, lines: Any, line_step: Any,
    width: Any, out: Any, to: Any, out_step: Any, rows: Any, columns: Any,
) -> None:  # fmt: skip
    """Write some lines of a result of which two phases lie in turn."""
    depth, count = taps.size // 2, shifts.size // 2
    for j in range(0, (columns + 1) // 2, WIDE):
        row, end = 0, columns - 2 * j
        while row < rows:
            row = min(row, rows - LINES) if rows >= LINES else row
            at, t = row * line_step, to + row * out_step + 2 * j
            if rows >= LINES:
                _pairs(
                    weights, w, taps, 0, depth, others, v, shifts, 0, count, lines, at, line_step,
                    j, width, out, t, out_step, end,
                )  # fmt: skip
                row += LINES
            else:
                _pairs_1(
                    weights, w, taps, 0, depth, others, v, shifts, 0, count, lines, at, line_step,
                    j, width, out, t, out_step, end,
                )  # fmt: skip
                row += 1


@device()
def _sum_group(
    task: Any, group: Any, row: Any, rows: Any, high: Any, lines: Any, part: Any, at: Any
) -> None:  # fmt: skip
    """Write `high` lines of a group's results, phase by phase."""
    results, columns, width = task[the.RESULTS], task[the.OUT_WIDTH], task[the.IN_WIDTH]
    step, line_step = task[the.COLUMN_STEP], task[the.ROW_STEP]
    for index in range(task[the.PRODUCT_COUNT]):
        numbers = longs(task[the.PRODUCTS] + 8 * PRODUCT * index, PRODUCT)
        out_step, count = numbers[9] * columns, min(row + rows, numbers[10]) - row
        line = numbers[8] + row * (numbers[9] - task[the.LINE_STEP])
        weights, taps = floats(numbers[0], numbers[1]), ints(numbers[2], numbers[3])
        others, shifts = floats(numbers[4], numbers[5]), ints(numbers[6], numbers[7])
        for k in range(results if count > 0 else 0):
            n, to = group * results + k, at + (k * high + line) * columns
            w, v = n * (taps.size // 2), n * (shifts.size // 2)
            if shifts.size:
                _sum_pairs(
                    weights, w, taps, others, v, shifts, lines, line_step, width, part, to,
                    out_step, count, columns,
                )  # fmt: skip
            elif numbers[11] == BY_TAP:
                _sum_by_tap(
                    weights, w, taps, lines, line_step, step, width, part, to, out_step, count,
                    columns,
                )  # fmt: skip
            else:
                _sum_square(
                    weights, w, numbers[11] == BACKWARD, lines, task[the.IN_CHANNELS],
                    task[the.PLANE], -task[the.COLUMN_ORIGIN], width, part, to, out_step, count,
                    columns,
                )  # fmt: skip


@device()
def _find_lines(task: Any, begin: Any, row: Any, lines: Any, zeros: Any, copy: Any) -> None:
    """Find where each line of a group's channels lies; zeros stand for one outside.

    What is read around the first and the last lines of all is no memory of the source: they are
    copied to where there is some.
    """
    height, width, count = task[the.IN_HEIGHT], task[the.IN_WIDTH], task[the.PLANE]
    start = row * task[the.ROW_STEP] - task[the.ROW_ORIGIN]
    low = max(0, min(count, -start))
    high = max(low, min(count, height - start))
    for c in range(task[the.IN_CHANNELS]):
        at, size = begin + (c * height + start + low) * width, (high - low) * width
        first = task[the.SOURCE] + 4 * at
        if at < task[the.BEFORE] or at + size + task[the.AFTER] > task[the.SOURCE_NUMBERS]:
            floats(copy, size)[:] = floats(first, size)
            first, copy = copy, copy + 4 * (size + task[the.BEFORE] + task[the.AFTER])
        found = lines[c * count : (c + 1) * count]
        for i in range(low):
            found[i] = zeros
        for i in range(low, high):
            found[i] = first + 4 * width * (i - low)
        for i in range(high, count):
            found[i] = zeros


@device()
def depthwise(task: Any, job: Any, memory: Any) -> None:
    """A convolution of many small groups: some lines of some groups of a sample."""
    ranges = longs(task[the.JOBS] + 8 * JOB * job, JOB)
    n, first, groups, row, rows = ranges[0], ranges[1], ranges[2], ranges[3], ranges[4]
    size = task[the.IN_CHANNELS] * task[the.IN_HEIGHT] * task[the.IN_WIDTH]
    height, width, results = task[the.OUT_HEIGHT], task[the.OUT_WIDTH], task[the.RESULTS]
    line = min(height, row * task[the.LINE_STEP])
    high = min(height, (row + rows) * task[the.LINE_STEP]) - line
    before, around = 4 * task[the.BEFORE], task[the.BEFORE] + task[the.AFTER]
    lines, each, together = (
        longs(memory, task[the.LAID]),
        results * high * width,
        task[the.TOGETHER],
    )
    memory += 8 * lines.size
    part = floats(memory, together * each + 2 * WIDE)
    memory += 4 * part.size
    zeros = floats(memory, around + task[the.IN_WIDTH])
    copy = memory + 4 * zeros.size
    zeros[:] = np.float32(0.0)
    for group in range(first, first + groups, together):
        some = min(together, first + groups - group)
        for g in range(some):
            begin = (n * task[the.GROUPS] + group + g) * size
            _find_lines(task, begin, row, lines, memory + before, copy + before)
            _sum_group(task, group + g, row, rows, high, lines, part, g * each)
        if task[the.THEN] != the.NOTHING:
            finish(
                task, part, n, group * results, some * results, line, high, width, np.int64(0),
                width,
            )  # fmt: skip
        else:
            _hand_out(task, part, n * task[the.CHANNELS] + group * results, some, line, high)


@device()
def _hand_out(
    task: Any, part: Any, channel: Any, groups: Any, line: Any, lines: Any
) -> None:  # fmt: skip
    """Copy a part to where it lies in the result."""
    width, places = task[the.OUT_WIDTH], task[the.PLACES]
    out = floats(task[the.OUT], task[the.OUT_NUMBERS])
    for c in range(groups * task[the.RESULTS]):
        to, at = (channel + c) * places + line * width, c * lines * width
        out[to : to + lines * width] = part[at : at + lines * width]
