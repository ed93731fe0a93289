"""Sliding windows in NumPy: every tap of all windows at once, as a view of the padded input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Sizes = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Windows:
    """Where windows lie: output p's tap k reads input p·stride − begin + k·dilation, each axis.

    Attributes
    ----------
    kernel, strides, dilations : tuple of int
        Taps, steps between windows and steps between taps, one for each spatial axis.
    begin, end : tuple of int
        Padding that the node asks for.
    size, out : tuple of int
        Spatial shapes of the input and of the output.
    """

    kernel: Sizes
    strides: Sizes
    dilations: Sizes
    begin: Sizes
    end: Sizes
    size: Sizes
    out: Sizes

    @property
    def inside(self) -> tuple[Any, ...]:
        """Index of the input in its padded copy."""
        sides = zip(self.begin, self.size, strict=True)
        return (..., *(slice(b, b + n) for b, n in sides))

    def padded(self, x: NDArray[Any], fill: float) -> NDArray[Any]:
        """Surround x (..., *size) with ``fill`` as far as the windows reach."""
        windows = zip(self.out, self.strides, self.kernel, self.dilations, strict=True)
        reach = [(o - 1) * s + extent(k, d) for o, s, k, d in windows]
        whole = tuple(map(max, reach, (b + n for b, n in zip(self.begin, self.size, strict=True))))
        if whole == self.size:
            return x
        padded = np.full((*x.shape[: -len(whole)], *whole), fill, x.dtype)
        padded[self.inside] = x
        return padded

    def taps(self, padded: NDArray[Any]) -> Iterator[NDArray[Any]]:
        """Yield for each tap of the kernel, in C order, what it sees in all windows: (..., *out).

        They are views: writing to them writes to ``padded``.
        """
        axes = tuple(zip(self.dilations, self.strides, self.out, strict=True))
        for tap in np.ndindex(self.kernel):
            starts = [k * d for k, (d, _, _) in zip(tap, axes, strict=True)]
            ends = [b + (o - 1) * s + 1 for b, (_, s, o) in zip(starts, axes, strict=True)]
            seen: tuple[Any, ...] = tuple(map(slice, starts, ends, self.strides))
            yield padded[(..., *seen)]


def extent(kernel: int, dilation: int) -> int:
    """How far a window reaches: dilation·(kernel − 1) + 1."""
    return dilation * (kernel - 1) + 1


def lay_windows(
    size: Sizes,
    kernel: Sequence[int],
    strides: Sequence[int] | None = None,
    dilations: Sequence[int] | None = None,
    pads: Sequence[int] | None = None,
    auto_pad: str | None = None,
    ceil_mode: int | None = None,
) -> Windows:
    """Read the attributes of a Conv or a pool; None: ONNX's default.

    n = ⌊(size + begin + end − extent)/stride⌋ + 1 windows, rounded up in ceil mode unless the last
    one would lie in the padding alone; SAME pads to n = ⌈size/stride⌉.
    """
    rank = len(size)
    strides, dilations = tuple(strides or (1,) * rank), tuple(dilations or (1,) * rank)
    reach = tuple(map(extent, kernel, dilations))
    begin, end = _padding(size, strides, reach, pads, auto_pad)
    out = []
    for n, b, e, r, s in zip(size, begin, end, reach, strides, strict=True):
        room = n + b + e - r
        count = -(-room // s) + 1 if ceil_mode else room // s + 1
        out.append(count - 1 if ceil_mode and (count - 1) * s >= n + b else count)
    return Windows(tuple(kernel), strides, dilations, begin, end, size, tuple(out))


def lay_windows_backwards(
    size: Sizes,
    kernel: Sequence[int],
    strides: Sequence[int] | None = None,
    dilations: Sequence[int] | None = None,
    pads: Sequence[int] | None = None,
    auto_pad: str | None = None,
    output_padding: Sequence[int] | None = None,
    output_shape: Sequence[int] | None = None,
) -> Windows:
    """Read the attributes of a ConvTranspose as those of the Conv that leads back.

    Unpadded, the output has stride·(size − 1) + extent + output_padding elements. Padding cuts it:
    as told, or to ``output_shape``, or for SAME to size·stride.
    """
    rank = len(size)
    strides, dilations = tuple(strides or (1,) * rank), tuple(dilations or (1,) * rank)
    added = output_padding or (0,) * rank
    reach = map(extent, kernel, dilations)
    whole = tuple(
        s * (n - 1) + r + a for s, n, r, a in zip(strides, size, reach, added, strict=True)
    )
    begin, end = _halves(pads, rank)
    if output_shape or auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        wanted = output_shape or [n * s for n, s in zip(size, strides, strict=True)]
        begin, end = _split([max(r - o, 0) for r, o in zip(whole, wanted, strict=True)], auto_pad)
    out = tuple(r - b - e for r, b, e in zip(whole, begin, end, strict=True))
    return Windows(tuple(kernel), strides, dilations, begin, end, tuple(output_shape or out), size)


def _padding(
    size: Sizes, strides: Sizes, reach: Sizes, pads: Sequence[int] | None, auto_pad: str | None
) -> tuple[Sizes, Sizes]:
    """Return the padding at the begin and the end of each axis."""
    rank = len(size)
    if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        needed = (
            max((-(-n // s) - 1) * s + r - n, 0)
            for n, s, r in zip(size, strides, reach, strict=True)
        )
        return _split(list(needed), auto_pad)
    return _halves(None if auto_pad == "VALID" else pads, rank)


def _halves(pads: Sequence[int] | None, rank: int) -> tuple[Sizes, Sizes]:
    """Cut ONNX's pads into those at the begin and those at the end of each axis."""
    pads = pads or (0,) * (2 * rank)
    return tuple(pads[:rank]), tuple(pads[rank:])


def _split(total: Sequence[int], auto_pad: str | None) -> tuple[Sizes, Sizes]:
    """Share padding out to begin and end; the odd one at the end for SAME_UPPER."""
    small, large = tuple(t // 2 for t in total), tuple(t - t // 2 for t in total)
    return (small, large) if auto_pad == "SAME_UPPER" else (large, small)
