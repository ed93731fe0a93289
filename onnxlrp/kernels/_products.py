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


#: What a product gets: weights, offsets, source and out, each with where to begin; depth, stride,
#: whether the sums begin at 0, and how many columns stay as they are.
_OPERANDS = (read(), i8, read(1, i4), i8, read(), i8, write(), i8, i8, i8, b1, i8)


def _product(rows: int, vectors: int, extra: bool = False) -> Any:
    """Make the function that adds up `rows` × `vectors` vectors in registers, for some of the d.

    With an `extra` column: its numbers of all rows are one more vector. The sums begin at 0 if
    `fresh`, else at what `out` holds; the first `kept` columns, of the first vector, are not
    written.
    """
    columns = WIDE * vectors + extra

    def meaning(
        weights: Any, w_at: int, offsets: Any, o_at: int, source: Any, s_at: int, out: Any,
        out_at: int, depth: int, stride: int, fresh: bool, kept: int,
    ) -> None:  # fmt: skip
        packed = weights[w_at : w_at + depth * rows].reshape(depth, rows)
        shifts = s_at + offsets[o_at : o_at + depth].astype(np.int64)
        products = packed.T @ source[shifts[:, None] + np.arange(columns)]
        for i, row in enumerate(products):
            place = slice(out_at + i * stride + kept, out_at + i * stride + columns)
            out[place] = row[kept:] if fresh else out[place] + row[kept:]

    @vector_function(*_OPERANDS, meaning=meaning, lanes=WIDE)
    def product(
        code: Code, weights: Pointer, offsets: Pointer, source: Pointer, out: Pointer,
        depth: Any, stride: Any, fresh: Any, kept: Any,
    ) -> None:  # fmt: skip
        lines = [out + code.times(stride, i) for i in range(rows)]
        places = [line + WIDE * j for line in lines for j in range(vectors)]
        tall, last = code.of(rows), [line + WIDE * vectors for line in lines]

        def step(d: Any, sums: list[Vector]) -> list[Vector]:
            shift = code.builder.sext((offsets + d).number(), d.type)
            shifted = [(source + shift + WIDE * j).load() for j in range(vectors)]
            panel = weights + code.times(d, rows)
            if rows > 1:
                (panel + code.times(depth, rows)).prefetch()
            results = []
            for i in range(rows):
                weight = (panel + i).load_repeated()
                results += [sums[i * vectors + j] + weight * shifted[j] for j in range(vectors)]
            if extra:
                number = tall.repeat((source + shift + WIDE * vectors).number())
                results.append(sums[-1] + panel.of(rows).load() * number)
            return results

        starts = [code.choose(fresh, code.zero(), place.load()) for place in places]
        if extra:
            starts.append(code.choose(fresh, tall.zero(), tall.collect(last)))
        sums = code.accumulate(depth, starts, step)
        if extra:
            tall.distribute(sums.pop(), last)
        written = code.within(0, kept, kept.type(WIDE))
        for n, (place, total) in enumerate(zip(places, sums, strict=True)):
            is_first = n % vectors == 0
            place.store(code.choose(written, total, place.load()) if is_first else total)

    return product


_tall_1, _tall_2, _tall_3 = (_product(ROWS, vectors) for vectors in (1, 2, 3))
_tall_3_1 = _product(ROWS, 3, extra=True)
_low_1, _low_2, _low_3 = (_product(FEW, vectors) for vectors in (1, 2, 3))
_single_1, _single_4, _single_8 = (_product(1, vectors) for vectors in (1, 4, 8))


@device()
def _vectors(left: Any, columns: Any) -> Any:
    """Vectors of the next strip of all `columns`, of which so many are left."""
    vectors = (left + WIDE - 1) // WIDE
    if vectors == 4:
        return 2  # two of two vectors are faster than three and one
    return min(vectors, 3) if WIDE * min(vectors, 3) <= columns else left // WIDE


@device()
def _strips(
    weights: Any, w: Any, tall: Any, offsets: Any, first: Any, source: Any, x: Any, out: Any,
    z: Any, fresh: Any, depth: Any, stride: Any, columns: Any, begin: Any, extra: Any, count: Any,
) -> Any:  # fmt: skip
    """Add `depth` of the d, from the first offset on, to one panel's rows of `count` strips.

    The first one begins at a column, and the next `extra` strips are those of a column more; return
    where the strip after them begins.
    """
    j = begin
    while count > 0 and j < columns:
        vectors = 3 if extra > 0 else _vectors(columns - j, columns)
        i = min(j, columns - WIDE * vectors)
        kept, s, t = j - i, x + i, z + i
        if extra > 0:
            _tall_3_1(weights, w, offsets, first, source, s, out, t, depth, stride, fresh, kept)
            i += 1
        elif tall:
            if vectors == 3:
                _tall_3(weights, w, offsets, first, source, s, out, t, depth, stride, fresh, kept)
            elif vectors == 2:
                _tall_2(weights, w, offsets, first, source, s, out, t, depth, stride, fresh, kept)
            else:
                _tall_1(weights, w, offsets, first, source, s, out, t, depth, stride, fresh, kept)
        elif vectors == 3:
            _low_3(weights, w, offsets, first, source, s, out, t, depth, stride, fresh, kept)
        elif vectors == 2:
            _low_2(weights, w, offsets, first, source, s, out, t, depth, stride, fresh, kept)
        else:
            _low_1(weights, w, offsets, first, source, s, out, t, depth, stride, fresh, kept)
        j, extra, count = i + WIDE * vectors, extra - 1, count - 1
    return j


@device()
def _panels(
    weights: Any, at: Any, all_rows: Any, height: Any, number: Any, end: Any, done: Any,
    offsets: Any, source: Any, x: Any, out: Any, z: Any, stride: Any, columns: Any,
) -> None:  # fmt: skip
    """Multiply some panels of `height` rows by at least WIDE columns.

    Some of the depth of all panels stays in the second-level cache while all columns pass. A few
    columns too many for full vectors are shared out to as many strips; else the last strip
    overlaps the one before it.
    """
    panels, rest = (all_rows + height - 1) // height, columns % WIDE
    together = _CACHED // (min(offsets.size, DEPTH) * STRIP)
    for first in range(0, offsets.size, DEPTH):
        depth = min(DEPTH, offsets.size - first)
        begin, extra = 0, rest if height == ROWS and rest <= columns // STRIP else 0
        while begin < columns:
            following = begin
            for panel in range(number, end):
                w = at + height * ((done + first) * panels + panel * depth)
                row = min(height * panel, max(0, all_rows - height)) - height * number
                following = _strips(
                    weights, w, height == ROWS, offsets, first, source, x, out, z + row * stride,
                    done + first == 0, depth, stride, columns, begin, extra, together,
                )  # fmt: skip
            begin, extra = following, extra - together


@device()
def multiply(
    weights: Any, all_rows: Any, first_row: Any, rows: Any, done: Any, depth: Any, offsets: Any,
    source: Any, source_step: Any, out: Any, out_step: Any, stride: Any, batches: Any, columns: Any,
) -> None:  # fmt: skip
    """Multiply batch by batch some rows, at least `FEW`, by at least WIDE columns.

    Of `depth` terms those of the offsets are added, after so many `done`, a multiple of `DEPTH`.
    Where rows are no multiple of a panel's, some are computed once more in a last full panel, which
    gives the same bits again; there all terms have to be added at once.
    """
    height = ROWS if all_rows >= ROWS else FEW
    first = first_row // height
    end = first + rows // height
    for b in range(batches):
        at = b * ((all_rows + height - 1) // height) * height * depth
        x, z = b * source_step, b * out_step
        if end > first:
            _panels(
                weights, at, all_rows, height, first, end, done, offsets, source, x, out, z,
                stride, columns,
            )  # fmt: skip
        if rows % height:
            _panels(
                weights, at, all_rows, height, end, end + 1, done, offsets, source, x, out,
                z + height * (end - first) * stride, stride, columns,
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
                    _single_8(weights, w, offsets, 0, source, x, out, z, depth, stride, True, 0)
                    j += 8 * WIDE
                elif left >= 4 * WIDE:
                    _single_4(weights, w, offsets, 0, source, x, out, z, depth, stride, True, 0)
                    j += 4 * WIDE
                else:
                    _single_1(weights, w, offsets, 0, source, x, out, z, depth, stride, True, 0)
                    j += WIDE
