"""The product that every convolution comes down to: packed weights times shifted rows.

    out[i, j] = Σ_d weights[d, i] · source[offset[d] + j]

Each sum is built in one register in the order of d. So a result does not depend on how the work was
cut: not on the block, on the batch, or on the number of threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxlrp.kernels._jit import i8, kernel, read, types, write
from onnxlrp.kernels._vectors import LANES, Code, Pointer, Vector, vector_function

#: Rows of packed weights that are multiplied at once.
ROWS = 4

i4 = types.int32


def _product(rows: int, vectors: int) -> Any:
    """Make the function that computes `rows` × 8·`vectors` sums in registers."""
    columns = LANES * vectors

    def meaning(
        weights: Any, w_at: int, offsets: Any, o_at: int, source: Any, s_at: int,
        depth: int, out: Any, out_at: int, stride: int,
    ) -> None:  # fmt: skip
        packed = weights[w_at : w_at + depth * rows].reshape(depth, rows)
        shifts = s_at + offsets[o_at : o_at + depth].astype(np.int64)
        shifted = source[shifts[:, None] + np.arange(columns)]
        for i, row in enumerate(packed.T @ shifted):
            out[out_at + i * stride : out_at + i * stride + columns] = row

    @vector_function(read(), i8, read(1, i4), i8, read(), i8, i8, write(), i8, i8, meaning=meaning)
    def product(
        code: Code, weights: Pointer, offsets: Pointer, source: Pointer, depth: Any,
        out: Pointer, stride: Any,
    ) -> None:  # fmt: skip
        def step(d: Any, sums: list[Vector]) -> list[Vector]:
            shift = code.builder.sext((offsets + d).number(), d.type)
            shifted = [(source + shift + LANES * j).load() for j in range(vectors)]
            results = []
            for i in range(rows):
                weight = (weights + code.builder.mul(d, d.type(rows)) + i).load_repeated()
                results += [sums[i * vectors + j] + weight * shifted[j] for j in range(vectors)]
            return results

        sums = code.accumulate(depth, [code.zero()] * (rows * vectors), step)
        for i in range(rows):
            row = out + code.builder.mul(stride, stride.type(i))
            for j in range(vectors):
                (row + LANES * j).store(sums[i * vectors + j])

    return product


_four_by_8, _four_by_16, _four_by_24 = (_product(ROWS, vectors) for vectors in (1, 2, 3))
_one_by_8, _one_by_32, _one_by_64 = (_product(1, vectors) for vectors in (1, 4, 8))

_PARAMETERS = (read(), read(1, i4), read(), write(), *(i8,) * 7)


@kernel(*_PARAMETERS)
def multiply(
    weights: Any, offsets: Any, source: Any, out: Any, batches: Any, rows: Any, columns: Any,
    weights_step: Any, source_step: Any, out_step: Any, stride: Any,
) -> None:  # fmt: skip
    """Multiply batch by batch, at least 4 rows by 8 columns; weights as `pack` lays them out.

    The last 4 rows and the last 8 columns may overlap those before: they give the same bits again.
    """
    depth = offsets.size
    for b in range(batches):
        for panel in range((rows + 3) // 4):
            at = b * weights_step + panel * 4 * depth
            top = b * out_step + min(4 * panel, rows - 4) * stride
            j = 0
            while j < columns:
                left = columns - j
                j = j if left >= 8 else columns - 8
                x, z = b * source_step + j, top + j
                if left >= 24 and left != 32:
                    _four_by_24(weights, at, offsets, 0, source, x, depth, out, z, stride)
                    j += 24
                elif left >= 16:  # two of 16 are faster than 24 and 8
                    _four_by_16(weights, at, offsets, 0, source, x, depth, out, z, stride)
                    j += 16
                else:
                    _four_by_8(weights, at, offsets, 0, source, x, depth, out, z, stride)
                    j += 8


@kernel(*_PARAMETERS)
def multiply_single(
    weights: Any, offsets: Any, source: Any, out: Any, batches: Any, rows: Any, columns: Any,
    weights_step: Any, source_step: Any, out_step: Any, stride: Any,
) -> None:  # fmt: skip
    """Multiply row by row, any number of rows and at least 8 columns; weights (batch, row, d)."""
    depth = offsets.size
    for b in range(batches):
        for row in range(rows):
            at, top = b * weights_step + row * depth, b * out_step + row * stride
            j = 0
            while j < columns:
                left = columns - j
                j = j if left >= 8 else columns - 8
                x, z = b * source_step + j, top + j
                if left >= 64:
                    _one_by_64(weights, at, offsets, 0, source, x, depth, out, z, stride)
                    j += 64
                elif left >= 32:
                    _one_by_32(weights, at, offsets, 0, source, x, depth, out, z, stride)
                    j += 32
                else:
                    _one_by_8(weights, at, offsets, 0, source, x, depth, out, z, stride)
                    j += 8
