"""One stretch of memory for arrays that are not all alive at once."""

from __future__ import annotations

from collections.abc import Sequence

#: Bytes of a cache line, where every array begins.
_LINE = 64


def lay_out(sizes: Sequence[int], lives: Sequence[tuple[int, int]]) -> tuple[list[int], int]:
    """Place arrays so that no two overlap that are alive at the same time.

    They are placed in the order in which they come to life, each as low as it fits: what was in the
    cache last is written next.

    Parameters
    ----------
    sizes : sequence of int
        Bytes.
    lives : sequence of (int, int)
        First and last moment at which each is alive.

    Returns
    -------
    (list of int, int)
        Where each begins, and the size of all together, in bytes.

    Examples
    --------
    >>> lay_out([64, 100, 64], [(0, 1), (1, 2), (2, 3)])
    ([0, 64, 0], 192)
    """
    offsets = [0] * len(sizes)
    placed: list[int] = []
    for number in sorted(range(len(sizes)), key=lambda number: lives[number]):
        begin, _ = lives[number]
        # Those placed earlier came to life earlier: they are in the way if they still live.
        placed = [other for other in placed if lives[other][1] >= begin]
        placed.sort(key=offsets.__getitem__)
        at = 0
        for other in placed:
            if offsets[other] - at >= sizes[number]:
                break
            at = max(at, _rounded(offsets[other] + sizes[other]))
        offsets[number] = at
        placed.append(number)
    ends = (_rounded(at + size) for at, size in zip(offsets, sizes, strict=True))
    return offsets, max(ends, default=0)


def _rounded(size: int) -> int:
    return -(-size // _LINE) * _LINE
