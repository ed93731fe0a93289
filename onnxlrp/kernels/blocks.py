"""How a stencil's work is cut into blocks that stay in a core's cache, and what a block does."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels import _task as the
from onnxlrp.kernels._convolutions import PRODUCT, SLICE, UNIT
from onnxlrp.kernels._products import DEPTH, FEW, ROWS
from onnxlrp.kernels.axes import Target
from onnxlrp.kernels.crew import Numbers
from onnxlrp.kernels.geometry import Sizes
from onnxlrp.kernels.packing import Packed
from onnxlrp.kernels.shares import even_ranges, longest, row_ranges
from onnxlrp.kernels.stencil import Offsets, Stencil, Term
from onnxlrp.kernels.threads import get_num_threads

Array = NDArray[np.float32]
Indices = NDArray[np.int64]

#: Numbers that one block lays out, and that it sums up (384 KiB each).
_BLOCK = 98304
#: A sample is cut into about this many jobs, so that all threads end at about the same time; but
#: a job shall lay out so many numbers at least.
_JOBS, _LEAST = 8, 16384
#: Rows of the result that are so short are computed without the padding between them, where a job
#: has so many results; it may lay out so many numbers (1 MiB).
_SHORT, _RESULTS, _LAID = 8, 64, 262144
#: Columns of a product below which blocks are not made smaller for the sake of more jobs, and below
#: which they are not made smaller at all: weights would be read too often.
_COLUMNS, _LEAST_COLUMNS = 192, 96
#: Numbers that a product may read, without using them, after its last row.
_SLACK = 64


@dataclass(frozen=True, slots=True)
class Product:
    """One phase of the result: its product, and where that lies in the result.

    `columns` holds start, step and count.
    """

    packed: Packed
    offsets: Offsets
    rows: Target
    columns: tuple[int, int, int]

    @property
    def numbers(self) -> tuple[int, ...]:
        """A row of the table that `_convolutions.stencil` reads."""
        packed, rows = self.packed, self.rows
        return (
            packed.weights.ctypes.data, packed.weights.size, packed.batches, packed.rows,
            packed.panels, packed.spill, self.offsets.ctypes.data, len(self.offsets),
            rows.start, rows.step, rows.count, *self.columns,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slice:
    """One depth of the result: the depths of the source that it reads, and the products that do.

    It `has_gaps` where no tap reaches: zeros lie there.
    """

    place: int
    depths: Indices
    products: tuple[Product, ...]
    has_gaps: bool


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
    line_step: int
    windows: int
    constants: Numbers = field(init=False, repr=False)
    tables: tuple[Numbers, Numbers] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tables", self._tables())
        object.__setattr__(self, "constants", self._constants())

    def plan(self, source: Sizes, out: Sizes, numbers: Numbers) -> tuple[Numbers, int]:
        """Write into a task what its jobs do; return their table and the memory that one needs.

        Arrays are (N, channel, depth, height, width).
        """
        numbers[the.KIND] = the.STENCIL
        numbers[the.GROUPS :] = self.constants
        numbers[the.IN_DEPTH : the.IN_WIDTH + 1] = source[2:]
        numbers[the.OUT_DEPTH : the.OUT_WIDTH + 1] = out[2:]
        table, results = self._jobs(out[0], get_num_threads())
        part = results * self.line_step * longest(self.rows) * out[4]
        return table, int(numbers[the.LAID]) + self._working + part + 4 * 16

    def _jobs(self, samples: int, threads: int) -> tuple[Numbers, int]:
        """Sample, groups (first, count), rows, results of a group; most results of a job."""
        results = [slice(0, self.results)]
        if self.group_count == 1:
            results = row_ranges(self.results, samples * len(self.rows))
        table = [
            (n, *(number for part in parts for number in (part.start, part.stop - part.start)))
            for n in range(samples)
            for parts in itertools.product(self.groups, self.rows, results)
        ]
        return np.array(table, np.int64), self._most_groups * longest(results)

    @property
    def _most_groups(self) -> int:
        return longest(self.groups)

    @property
    def _working(self) -> int:
        """Numbers that a product needs for windows, their offsets, and sums."""
        products = (product for part in self.slices for product in part.products)
        taps = max((len(product.offsets) for product in products), default=0)
        size = self.plane + UNIT  # as many as a channel has, or fewer
        return self.windows + taps + (self._most_groups * self.results + FEW) * size

    def _tables(self) -> tuple[Numbers, Numbers]:
        """Slices and products, as `_convolutions.stencil` reads them."""
        slices: list[tuple[int, ...]] = []
        products: list[tuple[int, ...]] = []
        for part in self.slices:
            first = len(products)
            products += [product.numbers for product in part.products]
            slices.append(
                (
                    part.place, part.depths.ctypes.data, len(part.depths), first, len(products),
                    part.has_gaps,
                )
            )  # fmt: skip
        return (
            np.array(slices, np.int64).reshape(-1, SLICE),
            np.array(products, np.int64).reshape(-1, PRODUCT),
        )

    def _constants(self) -> Numbers:
        """The numbers of a task, from `GROUPS` on, that are the same for all arrays."""
        numbers = np.zeros(the.SIZE, np.int64)
        depths = max((len(part.depths) for part in self.slices), default=0)
        numbers[the.GROUPS : the.RESULTS + 1] = (
            self.group_count, self.channels // (len(self.phases[0]) * len(self.phases[1])),
            self.results,
        )  # fmt: skip
        numbers[the.PLANE : the.PRODUCTS + 1] = (
            self.plane, self.pitch,
            self.phases[0].ctypes.data, len(self.phases[0]),
            self.phases[1].ctypes.data, len(self.phases[1]),
            *self.steps, *self.origins, self.line_step,
            self._most_groups * self.channels * depths * self.plane + _SLACK,
            self.windows,
            self.tables[0].ctypes.data, len(self.tables[0]), self.tables[1].ctypes.data,
        )  # fmt: skip
        return numbers[the.GROUPS :]


def cut(stencil: Stencil) -> Blocks:
    """Choose blocks that stay in the cache, and are enough for several threads."""
    rows, pitch = stencil.rows, stencil.pitch
    depth_taps = max((len(target.taps) for target in stencil.depth.targets), default=1)
    laid = max(1, stencil.channels * depth_taps * stencil.phases * pitch)
    summed = stencil.results * pitch
    windows = _windows(stencil)
    if windows:
        step = max(1, min(_LAID // max(laid, windows) - rows.reach, rows.count))
    else:
        most = _BLOCK if rows.reach or stencil.columns.reach else _LAID  # or one tap: read once
        step = max(1, min(most // laid - rows.reach, most // summed, rows.count))
        if stencil.groups == 1:
            step = min(step, max(-(-rows.count // _JOBS), -(-_COLUMNS // pitch)))
            step = max(step, min(rows.count, -(-_LEAST_COLUMNS // pitch)))
    parts = even_ranges(rows.count, step)
    step = longest(parts)
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
        line_step=max((target.step for target in rows.targets), default=1),
        windows=step * windows + (_SLACK if windows else 0),
    )


def _windows(stencil: Stencil) -> int:
    """Numbers of a row's windows that are copied side by side for some terms, or 0 if none are."""
    columns = stencil.columns.count
    if stencil.groups > 1 or stencil.results < _RESULTS or columns > _SHORT:
        return 0
    if stencil.columns.reach == 0:
        return 0  # they do lie side by side
    taps = max(
        len(term.depth.taps) * len(term.rows.taps) * len(term.columns.taps)
        for term in stencil.terms
    )
    terms = stencil.channels * taps
    return columns * (terms if stencil.results % ROWS else min(terms, DEPTH))


def _slices(stencil: Stencil, plane: int) -> list[Slice]:
    """Describe each depth of the result, phase by phase."""
    axis, slices = stencil.depth, []
    for phase in axis.targets:
        terms = [term for term in stencil.terms if term.depth is phase]
        products = tuple(
            _product(term, term.packed, stencil.offsets(term, plane))
            for term in terms
            if term.packed is not None
        )
        for index in range(phase.count):
            depths = [
                (index + tap.shift) * axis.step + axis.phases[tap.phase] - axis.origin
                for tap in phase.taps
            ]
            place = phase.start + index * phase.step
            has_gaps = len(products) < len(terms)
            slices.append(Slice(place, np.array(depths, np.int64), products, has_gaps))
    return slices


def _product(term: Term, packed: Packed, offsets: Offsets) -> Product:
    columns = term.columns.start, term.columns.step, term.columns.count
    return Product(packed, offsets, term.rows, columns)
