"""Convolution of many small groups, and its adjoint, read and written where they lie.

The sums are those of a stencil, bit by bit; only memory is handled otherwise. See `stencil` for
phases and terms.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels import _depthwise as compiled
from onnxlrp.kernels import _task as the
from onnxlrp.kernels._vectors import WIDE
from onnxlrp.kernels.axes import Target
from onnxlrp.kernels.crew import Numbers
from onnxlrp.kernels.geometry import Sizes
from onnxlrp.kernels.packing import Packed
from onnxlrp.kernels.shares import busy_ranges, even_ranges, longest
from onnxlrp.kernels.stencil import Stencil, Term

#: Numbers that are summed up before they are finished, about: they stay in the second-level cache
#: (64 KiB), and what is read and written with them lies in pieces that are long enough for the
#: processor to see what comes next.
_BLOCK = 16384
#: Numbers that a job sums up, about, and parts of a sample that groups are cut into at least.
_JOB, _PARTS = 32768, 16
#: Channels of a group, at most: many are better multiplied as matrices.
_CHANNELS = 8


@dataclass(frozen=True, slots=True)
class _Taps:
    """Weights (group, result, channel and tap), and the line and the column that each is read at.

    Both are counted from the first line and the first column that a result reads.
    """

    packed: Packed
    places: NDArray[np.int32]

    @property
    def numbers(self) -> tuple[int, ...]:
        weights, places = self.packed.weights, self.places
        return weights.ctypes.data, weights.size, places.ctypes.data, places.size


@dataclass(frozen=True, slots=True)
class _Product:
    """Some lines of the result, and the taps of one or of two phases of their columns."""

    lines: Target
    taps: tuple[_Taps, ...]
    how: int

    @property
    def numbers(self) -> tuple[int, ...]:
        """A row of the table that `_depthwise` reads."""
        lines = self.lines
        taps = [number for taps in self.taps for number in taps.numbers]
        nothing = [0] * (8 - len(taps))
        return (*taps, *nothing, lines.start, lines.step, lines.count, self.how)


@dataclass(frozen=True, slots=True)
class Depthwise:
    """A stencil of many small groups; a block of its result reads `lines` lines of each channel.

    `rows` are those of the longest phase of the result.
    """

    stencil: Stencil
    rows: tuple[slice, ...]
    lines: int
    products: tuple[_Product, ...]
    table: Numbers = field(init=False, repr=False)

    def __post_init__(self) -> None:
        table = np.array([product.numbers for product in self.products], np.int64)
        object.__setattr__(self, "table", table)

    def plan(self, source: Sizes, out: Sizes, numbers: Numbers) -> tuple[Numbers, int]:
        """Write into a task what its jobs do; return their table and the memory that one needs."""
        stencil, (height, width) = self.stencil, source[-2:]
        line_step = max(target.step for target in stencil.rows.targets)
        summed = stencil.results * line_step * longest(self.rows) * out[-1]  # by a group, in a job
        together = max(1, _BLOCK // summed)
        lines = -(-together * stencil.channels * self.lines // 8) * 8
        before, after = self._around(width, out[-1])
        numbers[the.KIND] = the.DEPTHWISE
        numbers[the.IN_DEPTH : the.RESULTS + 1] = (
            1, height, width, 1, *out[-2:], stencil.groups, stencil.channels, stencil.results,
        )  # fmt: skip
        numbers[the.PLANE] = self.lines
        numbers[the.ROW_STEP : the.LAID + 1] = (
            stencil.rows.step, stencil.columns.step, stencil.rows.origin, stencil.columns.origin,
            line_step, lines,
        )  # fmt: skip
        numbers[the.PRODUCTS : the.AFTER + 1] = (
            self.table.ctypes.data, len(self.table), together, math.prod(source), before, after,
        )  # fmt: skip
        zeros = before + width + after
        copies = min(together * stencil.channels, 4 + (before + after) // (height * width))
        copied = copies * (min(height, self.lines) * width + before + after)
        memory = 2 * lines + together * summed + compiled.SLACK + zeros + copied
        return self._jobs(out[0], summed, together), memory

    def _jobs(self, samples: int, summed: int, together: int) -> Numbers:
        """Sample, groups and rows (first, count) of each job."""
        groups = self.stencil.groups
        most = max(together, min(_JOB // summed, -(-groups // _PARTS)))
        parts_of_groups = busy_ranges(groups, most, samples * len(self.rows))
        table = [
            (n, *(number for part in parts for number in (part.start, part.stop - part.start)))
            for n in range(samples)
            for parts in itertools.product(parts_of_groups, self.rows)
        ]
        return np.array(table, np.int64)

    def _around(self, width: int, columns: int) -> tuple[int, int]:
        """Numbers that are read before and after a line, without being used."""
        left = [int(taps.places[1::2].min()) for p in self.products for taps in p.taps]
        right = [int(taps.places[1::2].max()) for p in self.products for taps in p.taps]
        step = self.stencil.columns.step
        most = max(right) + step * (columns + 2 * WIDE)
        return max(0, -min(left)), max(0, most - width)


def prepare_depthwise(stencil: Stencil) -> Depthwise | None:
    """Prepare a stencil of two axes, if it has many small groups and not too long steps."""
    if stencil.groups == 1 or stencil.channels > _CHANNELS or stencil.columns.step > 2:
        return None
    if any(term.packed is None or term.packed.panels for term in stencil.terms):
        return None
    axis, columns = stencil.rows, sum(target.count for target in stencil.columns.targets)
    summed = stencil.results * columns * max(target.step for target in axis.targets)
    rows = even_ranges(axis.count, max(compiled.LINES, _BLOCK // max(1, summed)))
    lines = (longest(rows) - 1 + axis.reach) * axis.step + max(axis.phases) + 1
    products = []
    for target in axis.targets:
        terms = [term for term in stencil.terms if term.rows is target]
        terms.sort(key=lambda term: term.columns.start)
        if len(terms) != terms[0].columns.step or len(terms) > 2:
            return None
        taps = tuple(_taps(stencil, term, lines) for term in terms)
        products.append(_Product(target, taps, _how(stencil, terms)))
    return Depthwise(stencil, tuple(rows), lines, tuple(products))


def _taps(stencil: Stencil, term: Term, lines: int) -> _Taps:
    assert term.packed is not None
    rows, columns = stencil.rows, stencil.columns
    places = [
        (
            c * lines + row.shift * rows.step + rows.phases[row.phase],
            column.shift * columns.step + columns.phases[column.phase] - columns.origin,
        )
        for c, row, column in itertools.product(
            range(stencil.channels), term.rows.taps, term.columns.taps
        )
    ]  # fmt: skip
    return _Taps(term.packed, np.array(places, np.int32).reshape(-1))


def _how(stencil: Stencil, terms: list[Term]) -> int:
    """Whether the taps are a square of neighbours, from the first or from the last one on."""
    if len(terms) > 1:
        return compiled.PAIRS
    if stencil.rows.step != stencil.columns.step:
        return compiled.BY_TAP
    shifts = [
        [tap.shift * axis.step + axis.phases[tap.phase] for tap in target.taps]
        for axis, target in ((stencil.rows, terms[0].rows), (stencil.columns, terms[0].columns))
    ]
    square = list(range(compiled.SQUARE))
    if shifts == [square, square]:
        return compiled.FORWARD
    return compiled.BACKWARD if shifts == [square[::-1]] * 2 else compiled.BY_TAP
