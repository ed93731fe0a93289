"""How a stencil's work is cut into blocks that stay in a core's cache, and what a block does."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels._stencil import hand_out, lay_out
from onnxlrp.kernels.axes import Target
from onnxlrp.kernels.packing import row_ranges
from onnxlrp.kernels.scratch import scratch
from onnxlrp.kernels.stencil import Offsets, Stencil, Term
from onnxlrp.kernels.threads import Job

Array = NDArray[np.float32]

#: Numbers that one block lays out, and that it sums up (384 KiB each).
_BLOCK = 98304
#: A sample is cut into about this many jobs, so that all threads end at about the same time.
_JOBS = 8
#: Columns of a product below which its blocks are not made smaller for the sake of more jobs.
_COLUMNS = 192
#: Numbers that a product may read, without using them, after its last row.
_SLACK = 64


@dataclass(frozen=True, slots=True)
class Blocks:
    """A stencil, cut into blocks of `step` rows and `span` groups."""

    stencil: Stencil
    step: int
    span: int
    offsets: tuple[Offsets, ...]

    def jobs(self, source: Array, out: Array) -> list[Job]:
        """Jobs for (N, channel, depth, height, width) arrays; no two write the same element."""
        sources, targets = (
            array.reshape(len(array), self.stencil.groups, -1, *array.shape[2:])
            for array in (source, out)
        )
        cuts = list(self._cuts())
        return [
            partial(self._work, sources[n], targets[n], groups, first, results)
            for n in range(len(source))
            for groups, first, results in cuts
        ]

    def _cuts(self) -> Iterator[tuple[slice, int, slice]]:
        """Groups, first row and results of each block."""
        stencil = self.stencil
        firsts = range(0, stencil.rows.count, self.step)
        groups = [
            slice(first, min(first + self.span, stencil.groups))
            for first in range(0, stencil.groups, self.span)
        ]
        parts = -(-_JOBS // (len(firsts) * len(groups))) if self.span == 1 else 1
        results = row_ranges(stencil.results, min(parts, stencil.results // 32))
        return itertools.product(groups, firsts, results)

    def _work(self, source: Array, out: Array, groups: slice, first: int, results: slice) -> None:
        """Compute some rows of some results of some groups, for all depths and phases."""
        source, out = (
            array.reshape(-1, *array.shape[2:]) for array in (source[groups], out[groups, results])
        )
        stencil = self.stencil
        for phase in stencil.depth.targets:
            terms = [
                (term, offsets)
                for term, offsets in zip(stencil.terms, self.offsets, strict=True)
                if term.depth is phase
            ]
            for index in range(phase.count):
                laid = self._lay_out(source, phase, index, first)
                d = phase.start + index * phase.step
                for term, offsets in terms:
                    self._sum(term, offsets, laid, out, groups, d, first, results)

    def _lay_out(self, source: Array, phase: Target, index: int, first: int) -> Array:
        """Lay out the rows that a block reads at one depth of the result."""
        depth, rows, columns = self.stencil.depth, self.stencil.rows, self.stencil.columns
        depths = [
            (index + tap.shift) * depth.step + depth.phases[tap.phase] - depth.origin
            for tap in phase.taps
        ]
        size = len(source) * len(depths) * self.stencil.phases * self._plane
        laid = scratch("rows", size + _SLACK)
        lay_out(
            source, np.array(depths, np.int64), np.array(rows.phases), np.array(columns.phases),
            rows.step, first * rows.step - rows.origin, self._plane // self.stencil.pitch,
            columns.step, -columns.origin, self.stencil.pitch, laid,
        )  # fmt: skip
        return laid

    def _sum(
        self, term: Term, offsets: Offsets, laid: Array, out: Array, groups: slice, d: int,
        first: int, results: slice,
    ) -> None:  # fmt: skip
        """Sum over channels and taps, and write one phase of the result."""
        rows, columns, pitch = term.rows, term.columns, self.stencil.pitch
        count = min(self.step, rows.count - first)
        if count <= 0:
            return
        start = rows.start + first * rows.step
        if term.packed is None:
            end = start + count * rows.step
            out[:, d, start : end : rows.step, columns.start :: columns.step] = 0.0
            return
        needed = (count - 1) * pitch + columns.count
        stride = -(-needed // term.packed.unit) * term.packed.unit
        sums = scratch("sums", len(out) * stride)
        planes = self.stencil.channels * len(term.depth.taps) * self.stencil.phases
        term.packed.multiply(
            offsets,
            laid,
            planes * self._plane,
            sums,
            (results.stop - results.start) * stride,
            stride,
            stride,
            groups,
            results,
        )
        hand_out(
            sums, stride, pitch, out, d, start, rows.step, count, columns.start, columns.step,
            columns.count,
        )  # fmt: skip

    @property
    def _plane(self) -> int:
        """Numbers in one plane (channel, depth tap, phases) that is laid out."""
        return (self.step + self.stencil.rows.reach) * self.stencil.pitch


def cut(stencil: Stencil) -> Blocks:
    """Choose blocks that stay in the cache, and are enough for several threads."""
    rows, pitch = stencil.rows, stencil.pitch
    depth_taps = max((len(target.taps) for target in stencil.depth.targets), default=1)
    laid = stencil.channels * depth_taps * stencil.phases * pitch
    summed = stencil.results * pitch
    step = max(1, min(_BLOCK // max(1, laid) - rows.reach, _BLOCK // summed, rows.count))
    if stencil.groups == 1:
        step = min(step, max(-(-rows.count // _JOBS), -(-_COLUMNS // pitch)))
    step = -(-rows.count // -(-rows.count // step))  # blocks of about the same size
    span = _BLOCK // max(laid * (step + rows.reach), summed * step)
    span = max(1, min(span, -(-stencil.groups // _JOBS)))
    plane = (step + rows.reach) * pitch
    offsets = tuple(stencil.offsets(term, plane) for term in stencil.terms)
    return Blocks(stencil, step, span, offsets)
