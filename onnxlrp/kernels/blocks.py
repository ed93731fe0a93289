"""How a stencil's work is cut into blocks that stay in a core's cache, and what a block does."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels._stencil import hand_out, lay_out
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
_JOBS, _LEAST = 8, 24576
#: Columns of a product below which blocks are not made smaller for the sake of more jobs.
_COLUMNS = 192
#: Numbers that a product may read, without using them, after its last row.
_SLACK = 64


@dataclass(frozen=True, slots=True)
class Slice:
    """One depth of the result: the depths of the source that it reads, and the terms that do."""

    place: int
    depths: Indices
    terms: tuple[tuple[Term, Offsets], ...]


@dataclass(frozen=True, slots=True)
class Blocks:
    """A stencil, cut into blocks of rows and groups; `plane` numbers are laid out for a phase."""

    stencil: Stencil
    rows: tuple[slice, ...]
    groups: tuple[slice, ...]
    plane: int
    phases: tuple[Indices, Indices]
    slices: tuple[Slice, ...]

    def jobs(self, source: Array, out: Array) -> list[Job]:
        """Jobs for (N, channel, depth, height, width) arrays; no two write the same element."""
        count = self.stencil.groups
        sources = source.reshape(len(source), count, -1, *source.shape[2:])
        targets = out.reshape(len(out), count, -1, *out.shape[2:])
        results = [slice(0, self.stencil.results)]
        if count == 1:
            results = row_ranges(self.stencil.results, len(source) * len(self.rows))
        return [
            partial(self._work, sources[n], targets[n], groups, rows, part)
            for n in range(len(source))
            for groups, rows, part in itertools.product(self.groups, self.rows, results)
        ]

    def _work(self, source: Array, out: Array, groups: slice, rows: slice, results: slice) -> None:
        """Compute some rows of some results of some groups, for all depths and phases."""
        read = source[groups].reshape(-1, *source.shape[2:])
        written = out[groups, results].reshape(-1, *out.shape[2:])
        for part in self.slices:
            laid = self._lay_out(read, part.depths, rows.start)
            for term, offsets in part.terms:
                count = min(rows.stop, term.rows.count) - rows.start
                place = term.rows.start + rows.start * term.rows.step
                if count <= 0:
                    continue
                if term.packed is None:
                    lines = slice(place, place + count * term.rows.step, term.rows.step)
                    columns = slice(term.columns.start, None, term.columns.step)
                    written[:, part.place, lines, columns] = 0.0
                    continue
                needed = (count - 1) * self.stencil.pitch + term.columns.count
                stride = term.packed.round_up(needed)
                step = self.plane * self.stencil.phases * self.stencil.channels * len(part.depths)
                sums = _sum(term.packed, offsets, laid, step, stride, groups, results)
                hand_out(
                    sums, stride, self.stencil.pitch, written, part.place, place, term.rows.step,
                    count, term.columns.start, term.columns.step, term.columns.count,
                )  # fmt: skip

    def _lay_out(self, source: Array, depths: Indices, first: int) -> Array:
        """Lay out the rows of the source that a block reads."""
        rows, columns, pitch = self.stencil.rows, self.stencil.columns, self.stencil.pitch
        size = len(source) * len(depths) * self.stencil.phases * self.plane
        laid = scratch("rows", size + _SLACK)
        lay_out(
            source, depths, *self.phases, rows.step, first * rows.step - rows.origin,
            self.plane // pitch, columns.step, -columns.origin, pitch, laid,
        )  # fmt: skip
        return laid


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
    phases = (np.array(rows.phases, np.int64), np.array(stencil.columns.phases, np.int64))
    slices = tuple(_slices(stencil, plane))
    return Blocks(stencil, tuple(parts), tuple(groups), plane, phases, slices)


def _slices(stencil: Stencil, plane: int) -> list[Slice]:
    """Describe each depth of the result, phase by phase."""
    axis, slices = stencil.depth, []
    for phase in axis.targets:
        terms = tuple(
            (term, stencil.offsets(term, plane)) for term in stencil.terms if term.depth is phase
        )
        for index in range(phase.count):
            depths = [
                (index + tap.shift) * axis.step + axis.phases[tap.phase] - axis.origin
                for tap in phase.taps
            ]
            place = phase.start + index * phase.step
            slices.append(Slice(place, np.array(depths, np.int64), terms))
    return slices
