"""Convolution with a 1×1 window and no stride: one product of all positions."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from onnxlrp.kernels import _task as the
from onnxlrp.kernels._products import DEPTH, FEW, ROWS, STRIP
from onnxlrp.kernels._vectors import WIDE
from onnxlrp.kernels.crew import Numbers
from onnxlrp.kernels.geometry import Sizes
from onnxlrp.kernels.packing import Packed
from onnxlrp.kernels.shares import LEAST_ROWS, busy_ranges, even_ranges, longest, row_ranges
from onnxlrp.kernels.threads import get_num_threads

#: Rows from which, and strips of positions below which, it is rows that are shared out where
#: positions leave a thread idle.
_MANY_ROWS, _FEW_STRIPS = 256, 16
#: Numbers that a job reads and writes, about: they stay in a core's cache (1 MiB).
_BLOCK = 262144
#: Positions from which a channel's lie so far apart that the product reads them from a copy.
_FAR = 512
#: Fewer positions do not fill a vector.
LEAST_POSITIONS = WIDE


@dataclass(frozen=True, slots=True)
class Pointwise:
    """Product of packed weights (result, channel) with every position."""

    packed: Packed

    def plan(self, source: Sizes, out: Sizes, numbers: Numbers) -> tuple[Numbers, int]:
        """Write into a task what its jobs do; return their table and the memory that one needs.

        Arrays are (N, channel, ...) with at least `LEAST_POSITIONS` positions.
        """
        rows, depth = self.packed.rows, self.packed.depth
        numbers[the.KIND] = the.POINTWISE
        self.packed.write(numbers)
        positions, wide = int(numbers[the.PLACES]), max(rows, out[1])
        return _table(out[0], positions, rows, depth, wide, get_num_threads())

    def places(self, table: Numbers) -> Numbers | None:
        """Sample and positions of each job, if it makes all results there."""
        return table[:, :3] if (table[:, 4] == self.packed.rows).all() else None


@lru_cache(maxsize=512)
def _table(
    samples: int, positions: int, rows: int, depth: int, wide: int, threads: int
) -> tuple[Numbers, int]:
    """Sample, positions (first, count), results (first, count), whether they lie far apart."""
    few, many = sorted((wide, depth))  # a product and its adjoint are cut alike
    full = positions // STRIP
    shared = full * max(1, few // LEAST_ROWS) // threads  # where rows are too few
    most = max(4, min(_BLOCK // (STRIP * (wide + depth)), shared))
    by_rows = many >= _MANY_ROWS and full < _FEW_STRIPS
    cut = even_ranges if by_rows else partial(busy_ranges, pieces=samples)
    strips = cut(full, most)
    edges = [STRIP * strip.start for strip in strips] + [positions]
    parts = list(itertools.pairwise(edges))
    results = row_ranges(rows, len(parts) * samples)
    far = depth > rows and positions >= _FAR
    table = [
        (n, left, right - left, part.start, part.stop - part.start, far)
        for n in range(samples)
        for (left, right), part in itertools.product(parts, results)
    ]
    most = max(right - left for left, right in parts)
    whole = rows < FEW or any((part.stop - part.start) % ROWS for part in results)
    copied = (depth if whole else min(depth, DEPTH)) * most * far
    return np.array(table, np.int64), depth + copied + longest(results) * most + 2 * 16
