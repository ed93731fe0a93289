"""How a stencil's work is cut into blocks that stay in a core's cache, and what a block does."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels._stencil import hand_out, lay_out
from onnxlrp.kernels.axes import Target
from onnxlrp.kernels.epilogues import Epilogue
from onnxlrp.kernels.packing import Packed
from onnxlrp.kernels.scratch import scratch
from onnxlrp.kernels.shares import even_ranges, row_ranges
from onnxlrp.kernels.stencil import Offsets, Stencil, Term
from onnxlrp.kernels.threads import Job

Array = NDArray[np.float32]
Indices = NDArray[np.int64]

#: Numbers that one block lays out, and that it sums up (384 KiB each).
_BLOCK = 98304
#: A sample is cut into about this many jobs, so that all threads end at about the same time; but
#: a job shall lay out so many numbers at least.
_JOBS, _LEAST = 8, 65536
#: Columns of a product below which blocks are not made smaller for the sake of more jobs.
_COLUMNS = 192
#: Numbers that a product may read, without using them, after its last row.
_SLACK = 64


@dataclass(frozen=True, slots=True)
class Product:
    """One phase of the result: its product, and where that lies in the result.

    `packed` is None where no tap reaches: zeros lie there. `columns` holds start, step and count.
    """

    packed: Packed | None
    offsets: Offsets
    rows: Target
    columns: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Slice:
    """One depth of the result: the depths of the source that it reads, and the products that do."""

    place: int
    depths: Indices
    products: tuple[Product, ...]


@dataclass(frozen=True, slots=True)
class Blocks:
    """A stencil, cut into blocks of rows and groups; `plane` numbers are laid out for a phase.

    `results` and `channels` count those of a group, `channels` phase by phase; a row that is laid
    out has `pitch` numbers.
    """

    rows: tuple[slice, ...]
    groups: tuple[slice, ...]
    group_count: int
    results: int
    channels: int
    plane: int
    pitch: int
    phases: tuple[Indices, Indices]
    steps: tuple[int, int]
    origins: tuple[int, int]
    slices: tuple[Slice, ...]

    def jobs(self, source: Array, out: Array, then: Epilogue | None = None) -> list[Job]:
        """Jobs for (N, channel, depth, height, width) arrays; no two write the same element."""
        count = self.group_count
        sources = source.reshape(len(source), count, -1, *source.shape[2:])
        targets = out.reshape(len(out), count, -1, *out.shape[2:])
        after = [None if then is None else _on(then, out, n) for n in range(len(out))]
        results = [slice(0, self.results)]
        if count == 1:
            results = row_ranges(self.results, len(source) * len(self.rows))
        return [
            partial(self._work, sources[n], targets[n], groups, rows, part, after[n])
            for n in range(len(source))
            for groups, rows, part in itertools.product(self.groups, self.rows, results)
        ]

    def _work(
        self, source: Array, out: Array, groups: slice, rows: slice, results: slice,
        then: Callable[[Array, slice, slice, int, slice], None] | None,
    ) -> None:  # fmt: skip
        """Compute some rows of some results of some groups, for all depths and phases."""
        read = source[groups].reshape(-1, *source.shape[2:])
        written = out[groups, results].reshape(-1, *out.shape[2:])
        height, width = out.shape[3:]
        lines = self._lines(rows, height)
        for part in self.slices:
            target, place, above = written, part.place, 0
            if then is not None:
                shape = len(written), 1, lines.stop - lines.start, width
                target = scratch("part", math.prod(shape)).reshape(shape)
                place, above = 0, lines.start
            laid = self._lay_out(read, part.depths, rows.start)
            for product in part.products:
                self._multiply(product, part, laid, target, place, above, groups, rows, results)
            if then is not None:
                first, last = groups.start * self.results, (groups.stop - 1) * self.results
                start = part.place * height
                then(
                    target.reshape(-1), slice(first + results.start, last + results.stop),
                    slice(start + lines.start, start + lines.stop), width, slice(0, width),
                )  # fmt: skip

    def _multiply(
        self, product: Product, part: Slice, laid: Array, target: Array, depth: int, above: int,
        groups: slice, rows: slice, results: slice,
    ) -> None:  # fmt: skip
        """Write one phase of a block's result; the target's first line is line `above`."""
        step = self.plane * self.channels * len(part.depths)
        phase = product.rows
        count = min(rows.stop, phase.count) - rows.start
        first = phase.start + rows.start * phase.step - above
        if count <= 0:
            return
        if product.packed is None:
            lines = slice(first, first + count * phase.step, phase.step)
            target[:, depth, lines, product.columns[0] :: product.columns[1]] = 0.0
            return
        needed = (count - 1) * self.pitch + product.columns[2]
        stride = product.packed.round_up(needed)
        sums = _sum(product.packed, product.offsets, laid, step, stride, groups, results)
        hand_out(
            sums, stride, self.pitch, target, depth, first, phase.step, count, *product.columns
        )

    def _lines(self, rows: slice, height: int) -> slice:
        """Lines of the result that a block writes: those of all its phases lie side by side."""
        step = max(
            (product.rows.step for part in self.slices for product in part.products), default=1
        )
        return slice(min(height, rows.start * step), min(height, rows.stop * step))

    def _lay_out(self, source: Array, depths: Indices, first: int) -> Array:
        """Lay out the rows of the source that a block reads."""
        per_channel = len(depths) * len(self.phases[0]) * len(self.phases[1]) * self.plane
        laid = scratch("rows", len(source) * per_channel + _SLACK)
        lay_out(
            source, depths, *self.phases, self.steps[0],
            first * self.steps[0] - self.origins[0], self.plane // self.pitch, self.steps[1],
            -self.origins[1], self.pitch, laid,
        )  # fmt: skip
        return laid


def _on(then: Epilogue, out: Array, n: int) -> Callable[[Array, slice, slice, int, slice], None]:
    """What is done to the parts of one sample."""
    return lambda part, *place: then.on(part, out, n, *place)


def _sum(
    packed: Packed, offsets: Offsets, laid: Array, step: int, stride: int, groups: slice,
    results: slice,
) -> Array:  # fmt: skip
    """Sum over channels and taps, `stride` numbers for each result."""
    per_group = (results.stop - results.start) * stride
    spill = packed.spill * stride  # over the next group's sums, which come later
    sums = scratch("sums", (groups.stop - groups.start) * per_group + spill)
    packed.multiply(offsets, laid, step, sums, per_group, stride, stride, groups, results)
    return sums


def cut(stencil: Stencil) -> Blocks:
    """Choose blocks that stay in the cache, and are enough for several threads."""
    rows, pitch = stencil.rows, stencil.pitch
    depth_taps = max((len(target.taps) for target in stencil.depth.targets), default=1)
    laid = max(1, stencil.channels * depth_taps * stencil.phases * pitch)
    summed = stencil.results * pitch
    step = max(1, min(_BLOCK // laid - rows.reach, _BLOCK // summed, rows.count))
    if stencil.groups == 1:
        step = min(step, max(-(-rows.count // _JOBS), -(-_COLUMNS // pitch)))
    parts = even_ranges(rows.count, step)
    step = max(part.stop - part.start for part in parts)
    size = max(laid * (step + rows.reach), summed * step)
    span = max(-(-stencil.groups // _JOBS), _LEAST // size)
    groups = even_ranges(stencil.groups, max(1, min(span, _BLOCK // size)))
    plane = (step + rows.reach) * pitch
    return Blocks(
        rows=tuple(parts),
        groups=tuple(groups),
        group_count=stencil.groups,
        results=stencil.results,
        channels=stencil.channels * stencil.phases,
        plane=plane,
        pitch=pitch,
        phases=(np.array(rows.phases, np.int64), np.array(stencil.columns.phases, np.int64)),
        steps=(rows.step, stencil.columns.step),
        origins=(rows.origin, stencil.columns.origin),
        slices=tuple(_slices(stencil, plane)),
    )


def _slices(stencil: Stencil, plane: int) -> list[Slice]:
    """Describe each depth of the result, phase by phase."""
    axis, slices = stencil.depth, []
    for phase in axis.targets:
        products = tuple(
            _product(term, stencil.offsets(term, plane))
            for term in stencil.terms
            if term.depth is phase
        )
        for index in range(phase.count):
            depths = [
                (index + tap.shift) * axis.step + axis.phases[tap.phase] - axis.origin
                for tap in phase.taps
            ]
            place = phase.start + index * phase.step
            slices.append(Slice(place, np.array(depths, np.int64), products))
    return slices


def _product(term: Term, offsets: Offsets) -> Product:
    columns = term.columns.start, term.columns.step, term.columns.count
    return Product(term.packed, offsets, term.rows, columns)
