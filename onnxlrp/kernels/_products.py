"""The product that every convolution comes down to: packed weights times shifted rows.

    out[i, j] = Σ_d weights[d, i] · source[offset[d] + j]

Each sum is built in one register in the order of d. So a result does not depend on how the work was
cut: not on the block, on the batch, or on the number of threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxlrp.kernels._jit import b1, device, i8, read, types, write
from onnxlrp.kernels._vectors import WIDE, Code, Pointer, Vector, vector_function

#: Rows of packed weights that are multiplied at once: as many as registers hold the sums of.
ROWS = 8 if WIDE == 16 else 4
#: The same where a matrix has fewer rows.
FEW = 4

i4 = types.int32

#: Channels and taps that are summed before the next rows of weights come, and numbers that are read
#: for them: so much of the source stays in the first-level cache (24 KiB).
DEPTH, _CACHED = 128, 6144
#: Columns of a full strip.
STRIP = 3 * WIDE
#: So many columns after the last full vector are computed with vectors of rows.
THIN = 4


#: What a product gets: weights, offsets, source and out, each with where to begin; depth, stride,
#: whether the sums begin at 0.
_OPERANDS = (read(), i8, read(1, i4), i8, read(), i8, write(), i8, i8, i8, b1)


def _product(rows: int, vectors: int) -> Any:
    """Make the function that adds up `rows` × `vectors` vectors in registers, for some of the d.

    It begins at 0 if `fresh`, else at what `out` holds.
    """
    columns = WIDE * vectors

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

    @vector_function(*_OPERANDS, meaning=meaning, lanes=WIDE)
    def product(
        code: Code, weights: Pointer, offsets: Pointer, source: Pointer, out: Pointer,
        depth: Any, stride: Any, fresh: Any,
    ) -> None:  # fmt: skip
        places = [
            out + code.builder.mul(stride, stride.type(i)) + WIDE * j
            for i in range(rows)
            for j in range(vectors)
        ]

        def step(d: Any, sums: list[Vector]) -> list[Vector]:
            shift = code.builder.sext((offsets + d).number(), d.type)
            shifted = [(source + shift + WIDE * j).load() for j in range(vectors)]
            results = []
            for i in range(rows):
                weight = (weights + code.builder.mul(d, d.type(rows)) + i).load_repeated()
                results += [sums[i * vectors + j] + weight * shifted[j] for j in range(vectors)]
            return results

        starts = [code.choose(fresh, code.zero(), place.load()) for place in places]
        for place, total in zip(places, code.accumulate(depth, starts, step), strict=True):
            place.store(total)

    return product


_tall_1, _tall_2, _tall_3 = (_product(ROWS, vectors) for vectors in (1, 2, 3))
_low_1, _low_2, _low_3 = (_product(FEW, vectors) for vectors in (1, 2, 3))
_single_1, _single_4, _single_8 = (_product(1, vectors) for vectors in (1, 4, 8))


def _thin_product(panels: int, columns: int) -> Any:
    """Make the function that adds up a few columns of some panels, with vectors of a panel's rows.

    The sums are the same bits as those of `_product`: each is built in the order of d.
    """

    def meaning(
        weights: Any, w_at: int, offsets: Any, o_at: int, source: Any, s_at: int, out: Any,
        out_at: int, depth: int, stride: int, fresh: bool,
    ) -> None:  # fmt: skip
        packed = weights[w_at : w_at + panels * depth * ROWS].reshape(panels, depth, ROWS)
        shifts = s_at + offsets[o_at : o_at + depth].astype(np.int64)
        products = packed.swapaxes(1, 2) @ source[shifts[:, None] + np.arange(columns)]
        for i, row in enumerate(products.reshape(-1, columns)):
            place = slice(out_at + i * stride, out_at + i * stride + columns)
            out[place] = row if fresh else out[place] + row

    @vector_function(*_OPERANDS, meaning=meaning, lanes=ROWS)
    def product(
        code: Code, weights: Pointer, offsets: Pointer, source: Pointer, out: Pointer,
        depth: Any, stride: Any, fresh: Any,
    ) -> None:  # fmt: skip
        begins = [weights + code.times(depth, ROWS * panel) for panel in range(panels)]
        places = [
            [out + code.times(stride, ROWS * panel + i) + j for i in range(ROWS)]
            for panel in range(panels)
            for j in range(columns)
        ]

        def step(d: Any, sums: list[Vector]) -> list[Vector]:
            shift = code.builder.sext((offsets + d).number(), d.type)
            numbers = [(source + shift + j).load_repeated() for j in range(columns)]
            rows = [(begin + code.times(d, ROWS)).load() for begin in begins]
            products = [weight * number for weight in rows for number in numbers]
            return [total + product for total, product in zip(sums, products, strict=True)]

        starts = [code.choose(fresh, code.zero(), code.collect(column)) for column in places]
        for column, total in zip(places, code.accumulate(depth, starts, step), strict=True):
            code.distribute(total, column)

    return product


_thin_1, _thin_2 = _thin_product(8, 1), _thin_product(4, 2)


@device()
def _strips(
    weights: Any, w: Any, tall: Any, offsets: Any, first: Any, source: Any, x: Any, out: Any,
    z: Any, depth: Any, stride: Any, columns: Any,
) -> None:  # fmt: skip
    """Add `depth` of the d, from first on, to one panel's rows of a multiple of WIDE columns."""
    fresh, j = first == 0, 0
    while j < columns:
        left = columns - j
        if left >= 3 * WIDE and left != 4 * WIDE:
            if tall:
                _tall_3(weights, w, offsets, first, source, x + j, out, z + j, depth, stride, fresh)
            else:
                _low_3(weights, w, offsets, first, source, x + j, out, z + j, depth, stride, fresh)
            j += 3 * WIDE
        elif left >= 2 * WIDE:  # two of two vectors are faster than three and one
            if tall:
                _tall_2(weights, w, offsets, first, source, x + j, out, z + j, depth, stride, fresh)
            else:
                _low_2(weights, w, offsets, first, source, x + j, out, z + j, depth, stride, fresh)
            j += 2 * WIDE
        else:
            if tall:
                _tall_1(weights, w, offsets, first, source, x + j, out, z + j, depth, stride, fresh)
            else:
                _low_1(weights, w, offsets, first, source, x + j, out, z + j, depth, stride, fresh)
            j += WIDE


@device()
def _panels(
    weights: Any, at: Any, all_rows: Any, height: Any, number: Any, end: Any, offsets: Any,
    source: Any, x: Any, out: Any, z: Any, stride: Any, columns: Any,
) -> None:  # fmt: skip
    """Multiply some panels of `height` rows by a multiple of WIDE columns.

    Some of the depth of all panels stays in the second-level cache while all columns pass.
    """
    panels = (all_rows + height - 1) // height
    block = _CACHED // min(offsets.size, DEPTH) // STRIP * STRIP
    for first in range(0, offsets.size, DEPTH):
        depth = min(DEPTH, offsets.size - first)
        left = 0
        while left < columns:
            width = block if columns - left >= block + STRIP else columns - left
            for panel in range(number, end):
                w = at + height * (first * panels + panel * depth)
                row = min(height * panel, max(0, all_rows - height)) - height * number
                _strips(
                    weights, w, height == ROWS, offsets, first, source, x + left, out,
                    z + row * stride + left, depth, stride, width,
                )  # fmt: skip
            left += width


@device()
def _thin(
    weights: Any, at: Any, all_rows: Any, number: Any, end: Any, offsets: Any, source: Any, x: Any,
    out: Any, z: Any, stride: Any, columns: Any,
) -> Any:  # fmt: skip
    """Multiply as many panels as go together by a few columns; return the first panel left."""
    panels, together = (all_rows + ROWS - 1) // ROWS, 8 if columns == 1 else 4
    end = number + (end - number) // together * together
    for first in range(0, offsets.size, DEPTH):
        depth, fresh = min(DEPTH, offsets.size - first), first == 0
        for panel in range(number, end, together):
            w = at + ROWS * (first * panels + panel * depth)
            to = z + ROWS * (panel - number) * stride
            if columns == 1:
                _thin_1(weights, w, offsets, first, source, x, out, to, depth, stride, fresh)
            else:
                for pair in range(0, columns, 2):
                    j = pair if pair + 2 <= columns else columns - 2
                    _thin_2(
                        weights, w, offsets, first, source, x + j, out, to + j, depth, stride, fresh
                    )
    return end


@device()
def multiply(
    weights: Any, all_rows: Any, first_row: Any, rows: Any, offsets: Any, source: Any,
    source_step: Any, out: Any, out_step: Any, stride: Any, batches: Any, columns: Any,
) -> None:  # fmt: skip
    """Multiply batch by batch some rows, at least `FEW`, by at least WIDE columns.

    Where rows are no multiple of a panel's, or columns none of WIDE, the last ones are computed
    once more in a product of full size, which gives the same bits again; but for a few columns,
    which are computed by vectors of rows.
    """
    height = ROWS if all_rows >= ROWS else FEW
    first, ragged = first_row // height, rows % height
    full, rest = columns // WIDE * WIDE, columns % WIDE
    end = first + rows // height
    for b in range(batches):
        at = b * ((all_rows + height - 1) // height) * height * offsets.size
        x, z = b * source_step, b * out_step
        for part in range(4):  # all but the last columns, the last; the same of the last rows
            last_rows, last_columns = part // 2, part % 2
            if (last_rows and not ragged) or (last_columns and not rest):
                continue
            number, to = (end, end + 1) if last_rows else (first, end)
            if last_columns and not last_rows and rest <= THIN and height == ROWS:
                number = _thin(
                    weights, at, all_rows, number, to, offsets, source, x + full, out, z + full,
                    stride, rest,
                )  # fmt: skip
                if number == to:
                    continue
            skipped, width = (columns - WIDE, WIDE) if last_columns else (0, full)
            _panels(
                weights, at, all_rows, height, number, to, offsets, source, x + skipped, out,
                z + height * (number - first) * stride + skipped, stride, width,
            )  # fmt: skip


@device()
def multiply_single(
    weights: Any, all_rows: Any, first_row: Any, rows: Any, offsets: Any, source: Any,
    source_step: Any, out: Any, out_step: Any, stride: Any, batches: Any, columns: Any,
) -> None:  # fmt: skip
    """Multiply batch by batch and row by row, any number of rows by at least WIDE columns."""
    depth = offsets.size
    for b in range(batches):
        for row in range(rows):
            w = (b * all_rows + first_row + row) * depth
            j = 0
            while j < columns:
                left = columns - j
                j = j if left >= WIDE else columns - WIDE
                x, z = b * source_step + j, b * out_step + row * stride + j
                if left >= 8 * WIDE:
                    _single_8(weights, w, offsets, 0, source, x, out, z, depth, stride, True)
                    j += 8 * WIDE
                elif left >= 4 * WIDE:
                    _single_4(weights, w, offsets, 0, source, x, out, z, depth, stride, True)
                    j += 4 * WIDE
                else:
                    _single_1(weights, w, offsets, 0, source, x, out, z, depth, stride, True)
                    j += WIDE
