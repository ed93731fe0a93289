"""Lines cut into dashes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import cycle, pairwise
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]


def dashed(points: Sequence[Point], dashes: Sequence[int]) -> Iterator[list[Point]]:
    """Cut a line into its dashes; without any it stays whole.

    Parameters
    ----------
    points : sequence of (float, float)
        Corners of the line.
    dashes : sequence of int
        Lengths of dash, gap, dash, gap, … in the unit of the points.

    Examples
    --------
    >>> list(dashed([(0.0, 0.0), (5.0, 0.0)], [2, 2]))
    [[(0.0, 0.0), (2.0, 0.0)], [(4.0, 0.0), (5.0, 0.0)]]
    """
    if not dashes:
        yield list(points)
        return
    lengths = cycle(dashes)
    drawing, left, piece = True, float(next(lengths)), [points[0]]
    for start, end in pairwise(points):
        length, done = math.dist(start, end), 0.0
        while length - done > left:
            done += left
            share = done / length
            middle = (
                start[0] + share * (end[0] - start[0]),
                start[1] + share * (end[1] - start[1]),
            )
            if drawing:
                yield [*piece, middle]
            drawing, left, piece = not drawing, float(next(lengths)), [middle]
        left -= length - done
        piece.append(end)
    if drawing and len(piece) > 1:
        yield piece
