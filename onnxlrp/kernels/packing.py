"""Weights in the order in which the products read them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels import _products as products
from onnxlrp.kernels import _task as the
from onnxlrp.kernels.scratch import kept

Array = NDArray[np.float32]

#: Terms of a sum from which a product of four rows is faster than three of one.
_DEPTH = 32


@dataclass(frozen=True, slots=True)
class Packed:
    """Weights of some batches of products, in the order in which a kernel reads them.

    Some rows make a panel (depth, rows), and of all panels a part of the depth comes first: (batch,
    part, panel, depth of the part, rows). Without panels (batch, row, depth) stays as it is.
    """

    weights: Array
    batches: int
    rows: int
    depth: int
    panels: bool

    @property
    def spill(self) -> int:
        """Rows that are written after the last one."""
        return max(0, products.FEW - self.rows) if self.panels else 0

    def write(self, numbers: NDArray[np.int64]) -> None:
        """Write into a task which weights its products read."""
        numbers[the.WEIGHTS : the.PANELS + 1] = (
            self.weights.ctypes.data, self.weights.size, self.batches, self.rows, self.depth,
            self.panels,
        )  # fmt: skip


def pack(matrices: Array, spill: bool = False) -> Packed:
    """Pack matrices (batch, row, depth).

    If the rows are no multiple of a panel's, the last panel repeats some rows of the one before.
    Three rows are filled up with zeros if they may `spill`: then a fourth row of the result is
    written, which means nothing.
    """
    batches, rows, depth = matrices.shape
    panels = rows >= products.FEW or (spill and rows == products.FEW - 1 and depth >= _DEPTH)
    if panels:
        if rows < products.FEW:
            matrices = np.pad(matrices, ((0, 0), (0, products.FEW - rows), (0, 0)))
        height = products.ROWS if rows >= products.ROWS else products.FEW
        starts = np.minimum(np.arange(0, rows, height), max(0, rows - height))
        filled = matrices[:, starts[:, None] + np.arange(height)]
        parts = [
            filled[..., first : first + products.DEPTH].swapaxes(2, 3).reshape(batches, -1)
            for first in range(0, depth, products.DEPTH)
        ]
        matrices = np.concatenate(parts, axis=1)
    return Packed(kept(matrices), batches, rows, depth, panels)
