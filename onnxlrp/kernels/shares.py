"""How work is cut into pieces of about the same size."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from onnxlrp.kernels._products import ROWS
from onnxlrp.kernels.threads import get_num_threads

#: Jobs of each thread from which one more or less makes no difference.
_MANY = 8
#: Rows of a product that are not shared out among threads.
LEAST_ROWS = 32


def even_ranges(total: int, most: int) -> list[slice]:
    """Cut 0…total into the fewest ranges that are no longer than `most`, evenly."""
    return even_parts(total, max(1, -(-total // max(1, most))))


def busy_ranges(total: int, most: int, pieces: int = 1) -> list[slice]:
    """Cut 0…total into ranges no longer than `most`, few, but so many that no thread waits long.

    There are `pieces` that are cut alike.
    """
    threads, count = get_num_threads(), max(1, -(-total // max(1, most)))
    if count * pieces < _MANY * threads and count * pieces % threads:
        count = min(max(1, total), -(-count // threads) * threads)
    return even_parts(total, count)


def even_parts(total: int, count: int) -> list[slice]:
    """Cut 0…total into so many ranges, evenly."""
    edges = [part * total // count for part in range(count + 1)]
    return [slice(a, b) for a, b in itertools.pairwise(edges)]


def longest(ranges: Sequence[slice]) -> int:
    """Length of the longest range."""
    most: int = max(part.stop - part.start for part in ranges)
    return most


def row_ranges(rows: int, pieces: int) -> list[slice]:
    """Cut rows of a product, of which there are `pieces` alike, so that no thread is left idle.

    A range begins at a multiple of a panel's rows and has `LEAST_ROWS` at least. Where it is cut
    changes no bit of a product, so that the number of threads may decide.
    """
    threads = get_num_threads()
    busy = pieces % threads == 0 or pieces >= 4 * threads
    count = 1 if busy else max(1, min(threads, rows // LEAST_ROWS))
    edges = [ROWS * (part * rows // (ROWS * count)) for part in range(count)] + [rows]
    return [slice(a, b) for a, b in itertools.pairwise(edges)]
