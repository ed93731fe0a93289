"""The product that every convolution comes down to: packed weights times shifted rows.

    out[i, j] = Σ_d weights[d, i] · source[offset[d] + j]

Each sum is built in one register in the order of d. So a result does not depend on how the work was
cut: not on the block, on the batch, or on the number of threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxlrp.kernels._jit import b1, device, i8, kernel, read, types, write
from onnxlrp.kernels._vectors import LANES, Code, Pointer, Vector, vector_function

#: Rows of packed weights that are multiplied at once.
ROWS = 4

i4 = types.int32

#: Channels and taps that are summed before the next rows of weights come, and numbers that are read
#: for them: so much of the source stays in the first-level cache (24 KiB).
DEPTH, _CACHED = 128, 6144


def _product(rows: int, vectors: int) -> Any:
    """Make the function that adds up `rows` × 8·`vectors` sums in registers, for some of the d.

    It begins at 0 if `fresh`, else at what `out` holds.
    """
    columns = LANES * vectors

    def meaning(
        weights: Any, w_at: int, offsets: Any, o_at: int, source: Any, s_at: int, out: Any,
        out_at: int, depth: int, stride: int, fresh: bool,
    ) -> None:  # fmt: skip
        packed = weights[w_at : w_at + depth * rows].reshape(depth, rows)
        shifts = s_at + offsets[o_at : o_at + depth].astype(np.int64)
        products = packed.T @ source[shifts[:, None] + np.arange(columns)]
        for i, row in enumerate(products):
            place = slice(out_at + i * stride, out_at + i * stride + columns)
            out[place] = row if fresh else out[place] + row

    @vector_function(
        read(), i8, read(1, i4), i8, read(), i8, write(), i8, i8, i8, b1, meaning=meaning
    )
    def product(
        code: Code, weights: Pointer, offsets: Pointer, source: Pointer, out: Pointer,
        depth: Any, stride: Any, fresh: Any,
    ) -> None:  # fmt: skip
        places = [
            out + code.builder.mul(stride, stride.type(i)) + LANES * j
            for i in range(rows)
            for j in range(vectors)
        ]

        def step(d: Any, sums: list[Vector]) -> list[Vector]:
            shift = code.builder.sext((offsets + d).number(), d.type)
            shifted = [(source + shift + LANES * j).load() for j in range(vectors)]
            results = []
            for i in range(rows):
                weight = (weights + code.builder.mul(d, d.type(rows)) + i).load_repeated()
                results += [sums[i * vectors + j] + weight * shifted[j] for j in range(vectors)]
            return results

        starts = [code.choose(fresh, code.zero(), place.load()) for place in places]
        for place, total in zip(places, code.accumulate(depth, starts, step), strict=True):
            place.store(total)

    return product


_four_by_8, _four_by_16, _four_by_24 = (_product(ROWS, vectors) for vectors in (1, 2, 3))
_one_by_8, _one_by_32, _one_by_64 = (_product(1, vectors) for vectors in (1, 4, 8))

_PARAMETERS = (
    read(), *(i8,) * 3, read(1, i4), read(), i8, write(), *(i8,) * 4,
)  # fmt: skip


@device
def _strips(
    weights: Any, w: Any, offsets: Any, first: Any, source: Any, x: Any, out: Any, z: Any,
    depth: Any, stride: Any, columns: Any,
) -> None:  # fmt: skip
    """Add `depth` of the d, from first on, to four rows of a multiple of 8 columns."""
    fresh, j = first == 0, 0
    while j < columns:
        left = columns - j
        if left >= 24 and left != 32:
            _four_by_24(weights, w, offsets, first, source, x + j, out, z + j, depth, stride, fresh)
            j += 24
        elif left >= 16:  # two of 16 are faster than 24 and 8
            _four_by_16(weights, w, offsets, first, source, x + j, out, z + j, depth, stride, fresh)
            j += 16
        else:
            _four_by_8(weights, w, offsets, first, source, x + j, out, z + j, depth, stride, fresh)
            j += 8


@device
def _panels(
    weights: Any, at: Any, all_rows: Any, number: Any, end: Any, offsets: Any, source: Any, x: Any,
    out: Any, z: Any, stride: Any, columns: Any,
) -> None:  # fmt: skip
    """Multiply some panels of four rows, by a multiple of 8 columns."""
    panels = (all_rows + 3) // 4
    for first in range(0, offsets.size, DEPTH):
        depth = min(DEPTH, offsets.size - first)
        for panel in range(number, end):
            w = at + 4 * (first * panels + panel * depth)
            top = z + (min(4 * panel, max(0, all_rows - 4)) - 4 * number) * stride
            _strips(weights, w, offsets, first, source, x, out, top, depth, stride, columns)


@kernel(*_PARAMETERS)
def multiply(
    weights: Any, all_rows: Any, first_row: Any, rows: Any, offsets: Any, source: Any,
    source_step: Any, out: Any, out_step: Any, stride: Any, batches: Any, columns: Any,
) -> None:  # fmt: skip
    """Multiply batch by batch some rows, at least 4, by at least 8 columns.

    Where rows are no multiple of 4, or columns none of 8, the last ones are computed once more in
    a product of full size, which gives the same bits again.
    """
    block = _CACHED // min(offsets.size, DEPTH) // 24 * 24
    panel, ragged = first_row // 4, rows % 4 != 0
    end, full = panel + rows // 4, columns // 8 * 8
    for b in range(batches):
        at = b * ((all_rows + 3) // 4) * 4 * offsets.size
        left = 0
        while left < columns:
            width = block if full - left >= block + 24 else full - left
            if width == 0:
                left, width = columns - 8, 8
            x, z = b * source_step + left, b * out_step + left
            _panels(weights, at, all_rows, panel, end, offsets, source, x, out, z, stride, width)
            if ragged:
                z += 4 * (end - panel) * stride
                _panels(
                    weights, at, all_rows, end, end + 1, offsets, source, x, out, z, stride, width
                )
            left += width


@kernel(*_PARAMETERS)
def multiply_single(
    weights: Any, all_rows: Any, first_row: Any, rows: Any, offsets: Any, source: Any,
    source_step: Any, out: Any, out_step: Any, stride: Any, batches: Any, columns: Any,
) -> None:  # fmt: skip
    """Multiply batch by batch and row by row, any number of rows by at least 8 columns."""
    depth = offsets.size
    for b in range(batches):
        for row in range(rows):
            w = (b * all_rows + first_row + row) * depth
            j = 0
            while j < columns:
                left = columns - j
                j = j if left >= 8 else columns - 8
                x, z = b * source_step + j, b * out_step + row * stride + j
                if left >= 64:
                    _one_by_64(weights, w, offsets, 0, source, x, out, z, depth, stride, True)
                    j += 64
                elif left >= 32:
                    _one_by_32(weights, w, offsets, 0, source, x, out, z, depth, stride, True)
                    j += 32
                else:
                    _one_by_8(weights, w, offsets, 0, source, x, out, z, depth, stride, True)
                    j += 8
