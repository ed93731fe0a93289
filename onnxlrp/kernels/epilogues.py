"""What is done to each part of a convolution's result while it is still in the cache.

The convolution makes a part in memory that stays in the cache, and the epilogue writes what the
sweep needs next: so no array passes through memory twice.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels import _task as the
from onnxlrp.kernels.scratch import address

Array = NDArray[np.float32]

_NONE = np.zeros(1, np.float32)


class Epilogue(Protocol):
    """Something made of the parts of an (N, C, *S) array, from several threads at once."""

    fold: int
    """Channels of the result that one channel of what is written is made of."""

    def write(self, task: NDArray[np.int64]) -> object:
        """Write into a task what is to be done; return what must stay alive until it is."""

    def note(self, failed: bool) -> None:
        """Learn from a task that is done whether it found something amiss."""


@lru_cache(maxsize=256)
def _reals(*numbers: float) -> Array:
    """Numbers as float32, made once."""
    return np.array(numbers, np.float32)


class Times:
    """Multiply the result g by x: x·g in place of g, or added onto something.

    Parameters
    ----------
    x : (N, C, *S) or (1, C, *S) float32 in C order
    onto : (N, C, *S) float32 in C order, optional
        What x·g is added to; it may be what is written.
    folded : bool
        g has two channels for each of x, one for its positive and one for its negative numbers:
        2·c and 2·c + 1.

    Attributes
    ----------
    finite : bool
        Whether all that was written is finite.
    """

    def __init__(self, x: Array, onto: Array | None = None, folded: bool = False) -> None:
        self._x = x
        self._onto = onto
        self.fold = 2 if folded else 1
        self.finite = True

    def write(self, task: NDArray[np.int64]) -> object:
        """Write into a task that its result is multiplied."""
        task[the.THEN], task[the.FOLD] = the.TIMES, self.fold
        task[the.X], task[the.X_NUMBERS] = address(self._x), self._x.size
        if self._onto is not None:
            task[the.ONTO] = address(self._onto)
        return self._x, self._onto

    def note(self, failed: bool) -> None:
        """Learn whether all is finite."""
        self.finite &= not failed


class Ratio:
    """Make of the result z the ratio q = c·R / stab(of_whole·whole + of_part·z + b).

    The same numbers as :meth:`Denominator.ratio` gives with z as its part. With several c, as many
    channels of z in turn share a channel of R, each divided by its own z.

    Parameters
    ----------
    relevance : (N, K, *S) float32 in C order
    coefficient : float, or several
    epsilon : float
    where : int
        0: always; 1, 2: only where the sign is positive, negative.
    sign : (N, K, *S) float32 in C order, or None
        Whose sign decides; None where `where` is 0.
    whole : (N, K, *S) float32 in C order, or None
        None: z itself.
    of_whole, of_part : float
    bias : (K,) float32, or None
        One for each channel of z.

    Attributes
    ----------
    nothing_left : bool
        Whether no relevance stands where the sign is negative; True where there is no sign.
    """

    fold = 1

    def __init__(
        self,
        relevance: Array,
        coefficient: float | tuple[float, ...],
        epsilon: float,
        where: int = 0,
        sign: Array | None = None,
        whole: Array | None = None,
        of_whole: float = 1.0,
        of_part: float = 0.0,
        bias: Array | None = None,
    ) -> None:
        self._relevance = relevance
        several = coefficient if isinstance(coefficient, tuple) else (coefficient,)
        self._sharing = len(several)
        self._reals = _reals(of_whole, of_part, epsilon, *several)
        self._where = where
        self._sign = relevance if sign is None else sign
        self._whole = whole
        self._bias = _NONE if bias is None else bias
        self.nothing_left = True

    def write(self, task: NDArray[np.int64]) -> object:
        """Write into a task that its result is divided by."""
        task[the.THEN], task[the.WHERE], task[the.FOLD] = the.RATIO, self._where, self._sharing
        if self._whole is not None:
            task[the.X], task[the.X_NUMBERS] = address(self._whole), self._whole.size
        task[the.REALS] = address(self._reals)
        task[the.RELEVANCE], task[the.SIGN] = address(self._relevance), address(self._sign)
        task[the.BIAS], task[the.BIAS_NUMBERS] = address(self._bias), self._bias.size
        return self

    def note(self, failed: bool) -> None:
        """Learn whether relevance is left where the sign is negative."""
        self.nothing_left &= not failed
