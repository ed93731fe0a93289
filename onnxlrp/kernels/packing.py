"""Weights in the order in which the products read them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels import _products as products
from onnxlrp.kernels._jit import Kernel

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Packed:
    """Weights of some batches of products, ready for the kernel that multiplies them."""

    weights: Array
    batches: int
    rows: int
    depth: int

    @property
    def kernel(self) -> Kernel:
        """The kernel that reads this order: four rows at once, unless there are fewer."""
        return products.multiply if self.rows >= products.ROWS else products.multiply_single

    @property
    def step(self) -> int:
        """Numbers from one batch to the next."""
        return self.weights.size // self.batches

    @property
    def unit(self) -> int:
        """Columns that are worth computing at once: results are rounded up to a multiple."""
        return 8 if self.rows >= products.ROWS else 32

    def multiply(
        self, offsets: NDArray[np.int32], source: Array, source_step: int, out: Array,
        out_step: int, stride: int, columns: int, batches: slice, rows: slice,
    ) -> None:  # fmt: skip
        """Compute out_bij = Σ_d weights_bid · source[b · source_step + offset_d + j].

        out_bij lies at b · out_step + i · stride + j; b and i count from the first of `batches`
        and `rows`, which begins at a multiple of 4.
        """
        count = rows.stop - rows.start
        first = batches.start * self.step + rows.start * self.depth
        self.kernel(
            self.weights[first:], offsets, source, out, batches.stop - batches.start, count,
            columns, self.step, source_step, out_step, stride,
        )  # fmt: skip


def pack(matrices: Array) -> Packed:
    """Pack matrices (batch, row, depth) in panels of four rows: (batch, panel, depth, 4).

    If the rows are no multiple of four, the last panel repeats some rows of the one before. Fewer
    than four rows stay as they are.
    """
    batches, rows, depth = matrices.shape
    lanes = products.ROWS
    if rows >= lanes:
        starts = np.minimum(np.arange(0, rows, lanes), rows - lanes)
        panels = matrices[:, starts[:, None] + np.arange(lanes)]
        matrices = panels.transpose(0, 1, 3, 2)
    return Packed(np.ascontiguousarray(matrices, np.float32).reshape(-1), batches, rows, depth)


def row_ranges(rows: int, parts: int) -> list[slice]:
    """Cut rows into at most this many ranges that begin at a multiple of 4 and hold at least 8."""
    step = max(8, -(-rows // max(1, parts) // 4) * 4) if rows >= 8 else max(1, rows)
    starts = list(range(0, max(1, rows - 7), step)) or [0]
    return [slice(a, b) for a, b in zip(starts, [*starts[1:], rows], strict=True)]
