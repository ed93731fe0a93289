"""What is done to each part of a convolution's result while it is still in the cache.

The convolution makes a part in memory that stays in the cache, and the epilogue writes what the
sweep needs next: so no array passes through memory twice.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels import _epilogues as loops

Array = NDArray[np.float32]

_NONE = np.zeros(1, np.float32)
_ITSELF = np.zeros(0, np.float32)


class Epilogue(Protocol):
    """Something made of the parts of an (N, C, *S) array, from several threads at once."""

    def on(
        self, part: Array, out: Array, sample: int, channels: slice, lines: slice, pitch: int,
        columns: slice,
    ) -> None:  # fmt: skip
        """Write `out` where the part belongs: some columns of lines of `pitch` numbers."""


class Copy:
    """Write the result as it is."""

    def on(
        self, part: Array, out: Array, sample: int, channels: slice, lines: slice, pitch: int,
        columns: slice,
    ) -> None:  # fmt: skip
        """Copy a part."""
        shaped = part.reshape(channels.stop - channels.start, lines.stop - lines.start, -1)
        out[sample].reshape(out.shape[1], -1, pitch)[channels, lines, columns] = shaped


def _place(
    out: Array, sample: int, channels: slice, lines: slice, pitch: int, columns: slice
) -> tuple[int, int, int, int, int, int]:
    """Start, channels, size, lines, pitch and width, as the kernels take them."""
    count = out.shape[1]
    size = out.size // (len(out) * count)
    start = (sample * count + channels.start) * size + lines.start * pitch + columns.start
    number, width = lines.stop - lines.start, columns.stop - columns.start
    if width == pitch:
        number, width = 1, number * width
    return start, channels.stop - channels.start, size, number, pitch, width


class Times:
    """Multiply the result g by x: x·g in place of g.

    Parameters
    ----------
    x : (N, C, *S) or (1, C, *S) float32 in C order
    adds : bool
        Add x·g to what is there already.

    Attributes
    ----------
    finite : bool
        Whether all that was written is finite.
    """

    def __init__(self, x: Array, adds: bool = False) -> None:
        self._x = x
        self._adds = adds
        self.finite = True

    def on(
        self, part: Array, out: Array, sample: int, channels: slice, lines: slice, pitch: int,
        columns: slice,
    ) -> None:  # fmt: skip
        """Multiply a part."""
        place = _place(out, sample, channels, lines, pitch, columns)
        ahead = 0 if len(self._x) > 1 else -sample * self._x.size
        loop = loops.add_times if self._adds else loops.times
        if not loop(self._x.reshape(-1), ahead, part, out.reshape(-1), *place):
            self.finite = False


class Ratio:
    """Make of the result z the ratio q = c·R / stab(of_whole·whole + of_part·z + b).

    The same numbers as :meth:`Denominator.ratio` gives with z as its part.

    Parameters
    ----------
    relevance : (N, K, *S) float32 in C order
    coefficient : float
    epsilon : float
    where : int
        0: always; 1, 2: only where the sign is positive, negative.
    sign : (N, K, *S) float32 in C order, or None
        Whose sign decides; None where `where` is 0.
    whole : (N, K, *S) float32 in C order, or None
        None: z itself.
    of_whole, of_part : float
    bias : (K,) float32, or None

    Attributes
    ----------
    nothing_left : bool
        Whether no relevance stands where the sign is negative; True where there is no sign.
    """

    def __init__(
        self,
        relevance: Array,
        coefficient: float,
        epsilon: float,
        where: int = 0,
        sign: Array | None = None,
        whole: Array | None = None,
        of_whole: float = 1.0,
        of_part: float = 0.0,
        bias: Array | None = None,
    ) -> None:
        self._relevance = relevance.reshape(-1)
        self._numbers = coefficient, epsilon, where
        self._sign = self._relevance if sign is None else sign.reshape(-1)
        self._whole = _ITSELF if whole is None else whole.reshape(-1)
        self._factors = of_whole, of_part
        self._bias = _NONE if bias is None else bias
        self.nothing_left = True

    def on(
        self, part: Array, out: Array, sample: int, channels: slice, lines: slice, pitch: int,
        columns: slice,
    ) -> None:  # fmt: skip
        """Divide a part."""
        place = _place(out, sample, channels, lines, pitch, columns)
        if not loops.ratio(
            self._whole, *self._factors, self._bias, channels.start, self._sign, self._relevance,
            *self._numbers, part, out.reshape(-1), *place,
        ):  # fmt: skip
            self.nothing_left = False
