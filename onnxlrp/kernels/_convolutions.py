"""Compiled jobs of the three algorithms of a convolution: some results at some places.

Each is handed its task, the row of the table that says which part is its own, and memory that no
other thread uses.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxlrp.kernels import _task as the
from onnxlrp.kernels._epilogues import finish
from onnxlrp.kernels._jit import ONE, ZERO, device
from onnxlrp.kernels._memory import floats, ints, longs
from onnxlrp.kernels._products import DEPTH, ROWS, multiply, multiply_single
from onnxlrp.kernels._stencil import clear, copy_lines, copy_windows, hand_out, lay_out
from onnxlrp.kernels._tiles import LANES, MORE
from onnxlrp.kernels._vectors import WIDE
from onnxlrp.kernels._winograd import COLUMNS, transform_input, transform_output

#: Results that are transformed back before what comes then: they stay in the cache.
TOGETHER = 64
#: Points do not lie a power of two apart: they would share the same few lines of the cache.
GAP = 16
#: Columns that a product without panels computes at once.
UNIT = 4 * WIDE
#: Numbers of a row of the tables of `stencil`.
SLICE, PRODUCT = 6, 14


@device()
def _rounded(count: Any) -> Any:
    """So many numbers, at least, that what comes after them begins a line of the cache."""
    return (count + 15) // 16 * 16


@device()
def _offsets(memory: Any, count: Any, step: Any) -> Any:
    """Offset of each channel, written to memory."""
    offsets = ints(memory, count)
    for c in range(count):
        offsets[c] = np.int32(c * step)
    return offsets


@device()
def _ranges(task: Any, job: Any) -> Any:
    """A job's sample, and the first and the number of three things that it does."""
    row = longs(task[the.JOBS] + 56 * job, 7)
    return row[0], row[1], row[2], row[3], row[4], row[5], row[6]


@device()
def _multiply(
    weights: Any, panels: Any, rows: Any, first: Any, count: Any, done: Any, depth: Any,
    offsets: Any, source: Any, source_step: Any, out: Any, out_step: Any, stride: Any, batches: Any,
    columns: Any,
) -> None:  # fmt: skip
    """Multiply weights packed in one way or the other; those in the other one all at once."""
    if panels:
        multiply(
            weights, rows, first, count, done, depth, offsets, source, source_step, out, out_step,
            stride, batches, columns,
        )  # fmt: skip
    else:
        multiply_single(
            weights, rows, first, count, offsets, source, source_step, out, out_step, stride,
            batches, columns,
        )  # fmt: skip


@device()
def terms(copied: Any, panels: Any, results: Any, depth: Any) -> Any:
    """How many terms of a sum are added at once: what is copied for them stays in the cache."""
    return min(DEPTH, depth) if copied and panels and results % ROWS == 0 else depth


@device()
def zeros(task: Any, job: Any, memory: Any) -> None:
    """One sample of a result without anything to sum."""
    channels, size = task[the.CHANNELS], task[the.PLACES]
    if task[the.THEN] == the.TIMES:
        channels *= task[the.FOLD]
    elif task[the.THEN] == the.RATIO:
        channels //= task[the.SPREAD]
    if task[the.THEN] == the.NOTHING:
        floats(task[the.OUT] + 4 * job * channels * size, channels * size)[:] = np.float32(0.0)
        return
    part = floats(memory, channels * size)
    part[:] = np.float32(0.0)
    finish(task, part, job, ZERO, channels, ZERO, ONE, size, ZERO, size, ZERO)


@device()
def pointwise(task: Any, job: Any, memory: Any) -> None:
    """A 1×1 convolution: some results at some positions of a sample.

    What it hands on to a linked task lies in the thread's memory, as many numbers for each channel
    as there are positions, and stays in the cache: the next job's lies there too.
    """
    row = longs(task[the.JOBS] + 48 * job, 6)
    n, left, count, first, results, far = row[0], row[1], row[2], row[3], row[4], row[5]
    depth, positions = task[the.DEPTH], task[the.PLACES]
    pitch, at = positions, task[the.SOURCE] + 4 * (n * depth * positions + left)
    if task[the.TAKEN]:
        far, pitch, at = ZERO, count, memory + 4 * task[the.TAKEN]
    source, handed = floats(at, depth * pitch), task[the.HANDED_ON]
    step = terms(far, task[the.PANELS] != 0, results, depth)
    offsets = _offsets(memory, step, count if far else pitch)
    rest = memory + 4 * _rounded(step)
    channels = floats(rest, step * count * far)
    rest += 4 * _rounded(channels.size)
    # What little is read for some of the results is read again for others, while these are finished
    # in the cache.
    few = task[the.PANELS] and depth <= DEPTH and not far and task[the.THEN] != the.NOTHING
    together = TOGETHER if few and results % ROWS == 0 else results
    for begin in range(first, first + results, together):
        some = min(together, first + results - begin)
        to = memory + 4 * (handed + begin * task[the.SPREAD] * count) if handed else ZERO
        _some_results(
            task, n, left, count, begin, some, step, source, pitch, offsets, channels, rest, to
        )


@device()
def _some_results(
    task: Any, n: Any, left: Any, count: Any, first: Any, results: Any, step: Any, source: Any,
    pitch: Any, offsets: Any, channels: Any, memory: Any, handed: Any,
) -> None:  # fmt: skip
    """Some results of `pointwise`: `step` terms of their sums at once, copied if there is room."""
    depth, rows, positions = task[the.DEPTH], task[the.ROWS], task[the.PLACES]
    target, stride = floats(memory, results * count), count
    if task[the.THEN] == the.NOTHING:
        stride, place = positions, (n * rows + first) * positions + left
        target = floats(task[the.OUT] + 4 * place, results * positions - left)
    weights = floats(task[the.WEIGHTS], task[the.WEIGHT_NUMBERS])
    for done in range(0, depth, step):
        some = min(step, depth - done)
        read = source
        if channels.size:  # positions of channels lie so far apart that a copy is read sooner
            copy_lines(source, done * pitch, pitch, some, count, channels)
            read = channels
        _multiply(
            weights, task[the.PANELS], rows, first, results, done, depth, offsets[:some], read,
            ZERO, target, ZERO, stride, ONE, count,
        )  # fmt: skip
    if task[the.THEN] != the.NOTHING:
        finish(task, target, n, first, results, ZERO, ONE, positions, left, count, handed)


@device()
def winograd(task: Any, job: Any, memory: Any) -> None:
    """A 3×3 convolution: some results for a block of tiles of a sample."""
    n, top, high, left, wide, first, results = _ranges(task, job)
    channels, all_rows, output = task[the.DEPTH], task[the.ROWS], task[the.TILE]
    count = (output + MORE) ** 2
    pitch = (high * wide + WIDE - 1) // WIDE * WIDE
    line = (wide + LANES - 1) // LANES * COLUMNS
    step, points_step = channels * pitch + GAP, results * pitch + GAP
    offsets = _offsets(memory, channels, pitch)
    memory += 4 * _rounded(channels)
    plane = floats(memory, (output * high + 2) * (line + LANES))
    memory += 4 * _rounded(plane.size)
    tiles = floats(memory, count * step)
    memory += 4 * _rounded(tiles.size)
    points = floats(memory, count * points_step)
    memory += 4 * _rounded(points.size)
    size = task[the.IN_HEIGHT] * task[the.IN_WIDTH]
    source = floats(task[the.SOURCE] + 4 * n * channels * size, channels * size)
    transform_input(
        source.reshape(channels, task[the.IN_HEIGHT], task[the.IN_WIDTH]), output,
        output * top - task[the.ROW_ORIGIN], output * left - task[the.COLUMN_ORIGIN], high, wide,
        pitch, step, plane, tiles,
    )  # fmt: skip
    weights = floats(task[the.WEIGHTS], task[the.WEIGHT_NUMBERS])
    _multiply(
        weights, task[the.PANELS], all_rows, first, results, ZERO, channels, offsets, tiles, step,
        points, points_step, pitch, count, max(WIDE, high * wide),
    )  # fmt: skip
    height, width = task[the.OUT_HEIGHT], task[the.OUT_WIDTH]
    if task[the.THEN] == the.NOTHING:
        place = (n * all_rows + first) * height * width
        out = floats(task[the.OUT] + 4 * place, results * height * width)
        transform_output(
            points, output, output * top, output * left, high, wide, pitch, points_step, plane,
            out.reshape(results, height, width),
        )  # fmt: skip
        return
    lines = min(height, output * (top + high)) - output * top
    across = min(width, output * (left + wide)) - output * left
    for done in range(0, results, TOGETHER):
        some = min(TOGETHER, results - done)
        part = floats(memory, some * lines * across)
        transform_output(
            points[done * pitch :], output, ZERO, ZERO, high, wide, pitch, points_step, plane,
            part.reshape(some, lines, across),
        )  # fmt: skip
        finish(
            task, part, n, first + done, some, output * top, lines, width, output * left, across,
            ZERO,
        )  # fmt: skip


@device()
def stencil(task: Any, job: Any, memory: Any) -> None:
    """Any convolution: some rows of some results of some groups, for all depths and phases."""
    n, group, groups, row, rows, first, results = _ranges(task, job)
    channels = groups * task[the.IN_CHANNELS]
    depth, height, width = task[the.IN_DEPTH], task[the.IN_HEIGHT], task[the.IN_WIDTH]
    start = (n * task[the.GROUPS] + group) * task[the.IN_CHANNELS] * depth * height * width
    source = floats(task[the.SOURCE] + 4 * start, channels * depth * height * width)
    read = source.reshape(channels, depth, height, width)
    height, width, count = task[the.OUT_HEIGHT], task[the.OUT_WIDTH], groups * results
    channel = group * task[the.RESULTS] + first
    start = (n * task[the.GROUPS] * task[the.RESULTS] + channel) * task[the.PLACES]
    out = floats(task[the.OUT] + 4 * start, count * task[the.PLACES])
    written = out.reshape(count, task[the.OUT_DEPTH], height, width)
    line = min(height, row * task[the.LINE_STEP])
    lines = min(height, (row + rows) * task[the.LINE_STEP]) - line
    laid = floats(memory, task[the.LAID])
    memory += 4 * _rounded(laid.size)
    part = floats(memory, count * lines * width)
    memory += 4 * _rounded(part.size)
    for index in range(task[the.SLICE_COUNT]):
        slice_ = longs(task[the.SLICES] + 8 * SLICE * index, SLICE)
        at, depths = slice_[0], slice_[2]
        target, place, above = written, at, ZERO
        if task[the.THEN] != the.NOTHING:
            target, place, above = part.reshape(count, 1, lines, width), ZERO, line
        lay_out(
            read, longs(slice_[1], depths),
            longs(task[the.ROW_PHASES], task[the.ROW_PHASE_COUNT]),
            longs(task[the.COLUMN_PHASES], task[the.COLUMN_PHASE_COUNT]),
            task[the.ROW_STEP], row * task[the.ROW_STEP] - task[the.ROW_ORIGIN],
            task[the.PLANE] // task[the.PITCH], task[the.COLUMN_STEP], -task[the.COLUMN_ORIGIN],
            task[the.PITCH], laid,
        )  # fmt: skip
        if slice_[5]:
            clear(target, place, line - above, lines)
        for product in range(slice_[3], slice_[4]):
            numbers = longs(task[the.PRODUCTS] + 8 * PRODUCT * product, PRODUCT)
            _phase(
                task, numbers, depths, laid, memory, target, place, above, group, groups, row,
                rows, first, results,
            )  # fmt: skip
        if task[the.THEN] != the.NOTHING:
            finish(
                task, part, n, channel, count, at * height + line, lines, width, ZERO, width, ZERO
            )


@device()
def _phase(
    task: Any, numbers: Any, depths: Any, laid: Any, memory: Any, target: Any, d: Any,
    above: Any, group: Any, groups: Any, row: Any, rows: Any, first: Any, results: Any,
) -> None:  # fmt: skip
    """Write one phase of a block's result; the target's first line is line `above`."""
    weights_at, size, batches, all_rows = numbers[0], numbers[1], numbers[2], numbers[3]
    panels, spill = numbers[4], numbers[5]
    row_start, row_step, count = numbers[8], numbers[9], min(row + rows, numbers[10]) - row
    column_start, column_step, columns = numbers[11], numbers[12], numbers[13]
    line = row_start + row * row_step - above
    if count <= 0:
        return
    offsets, pitch = ints(numbers[6], numbers[7]), task[the.PITCH]
    depth, part = offsets.size, laid[:0]
    step = depth
    if task[the.WINDOWS]:
        pitch, step = columns, terms(1, panels != 0, results, depth)
        part = floats(memory, step * count * columns + 8)
        memory += 4 * _rounded(part.size)
    own = _offsets(memory, step if task[the.WINDOWS] else 0, count * columns)
    memory += 4 * _rounded(own.size)
    first_weight = group * (size // batches)
    weights = floats(weights_at + 4 * first_weight, size - first_weight)
    across = (count - 1) * pitch + columns
    height, width = target.shape[2], target.shape[3]
    in_place = row_step * column_step == 1 and pitch == width and spill == 0 and across >= WIDE
    unit = WIDE if panels else UNIT
    stride = (across + unit - 1) // unit * unit
    wide = max(WIDE, across) if panels else stride
    if in_place:
        wide, stride = across, target.shape[1] * height * width
        sums = target.reshape(-1)[(d * height + line) * width :]
    else:
        sums = floats(memory, (groups * results + spill) * stride)
    for done in range(0, depth, step):
        some = offsets[done : done + step]
        source = laid
        if task[the.WINDOWS]:
            copy_windows(laid, some, task[the.PITCH], count, columns, part)
            source, some = part, own[: some.size]
        _multiply(
            weights, panels, all_rows, first, results, done, depth, some, source,
            task[the.PLANE] * (_planes(task) * depths), sums, results * stride, stride, groups,
            wide,
        )  # fmt: skip
    if not in_place:
        hand_out(
            sums, stride, pitch, target, d, line, row_step, count, column_start, column_step,
            columns,
        )  # fmt: skip


@device()
def _planes(task: Any) -> Any:
    """Planes that are laid out for one depth of a group: its channels, phase by phase."""
    return task[the.IN_CHANNELS] * task[the.ROW_PHASE_COUNT] * task[the.COLUMN_PHASE_COUNT]
