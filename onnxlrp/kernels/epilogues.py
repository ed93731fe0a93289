"""What is done to each part of a convolution's result while it is still in the cache.

The convolution makes a part in memory that stays in the cache, and the epilogue writes what the
sweep needs next: so no array passes through memory twice.
"""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels import _task as the
from onnxlrp.kernels.crew import Arrays, Numbers

Array = NDArray[np.float32]

_NONE = np.zeros(1, np.float32)


class Epilogue(Protocol):
    """Something made of the parts of an (N, C, *S) array, from several threads at once."""

    def channels(self, of_result: int) -> int:
        """How many channels are written, of a result of so many."""

    def write(self, task: Numbers) -> Arrays:
        """Write into a task what is to be done; return the arrays that it takes."""

    def note(self, found: int) -> None:
        """Learn from a task that is done what it found: bits, as `_task` says."""


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
        self._fold = 2 if folded else 1
        self.finite = True

    def channels(self, of_result: int) -> int:
        """One for each of x."""
        return of_result // self._fold

    def write(self, task: Numbers) -> Arrays:
        """Write into a task that its result is multiplied."""
        task[the.THEN], task[the.FOLD] = the.TIMES, self._fold
        task[the.X_NUMBERS] = self._x.size
        return {the.X: self._x} if self._onto is None else {the.X: self._x, the.ONTO: self._onto}

    def note(self, found: int) -> None:
        """Learn whether all is finite."""
        self.finite &= not found


class Share(NamedTuple):
    """One of the ratios that share a channel of R: c, what it is divided by, and for which neurons.

    Attributes
    ----------
    coefficient : float
        The number c.
    of_whole, of_part : float
    where : int
        0: always; 1, 2: only where the sign is positive, negative.
    """

    coefficient: float = 1.0
    of_whole: float = 1.0
    of_part: float = 0.0
    where: int = 0

    @property
    def side(self) -> float:
        """The sign that is asked for, or 0."""
        return (0.0, 1.0, -1.0)[self.where]


class Ratio:
    """Make of the result z the ratio q = c·R / stab(of_whole·whole + of_part·z + b).

    The same numbers as :meth:`Denominator.ratio` gives with z as its part. Several ratios of one R
    lie side by side, each divided by a z of its own, or all by the same.

    Parameters
    ----------
    relevance : (N, K, *S) float32 in C order
    epsilon : float
    shares : Share, one or more
    sign : (N, K, *S) float32 in C order, or None
        Whose sign decides; None where no share asks for it.
    whole : (N, K, *S) float32 in C order, or None
        None: z itself.
    bias : (K·shares,) float32, or None
        One for each channel of q.
    spread : bool
        All shares are divided by the same z: it has K channels, else as many as q.

    Attributes
    ----------
    nothing_left : bool
        Whether no relevance stands where the sign is negative; True where there is no sign.
    sign_is_finite : bool
        Whether each element of the sign is known to be finite; False where there is none.
    """

    def __init__(
        self,
        relevance: Array,
        epsilon: float,
        *shares: Share,
        sign: Array | None = None,
        whole: Array | None = None,
        bias: Array | None = None,
        spread: bool = False,
    ) -> None:
        self._relevance = relevance
        self._reals = _reals(epsilon, shares)
        self._fold = len(shares)
        self._spread = len(shares) if spread else 1
        self._sign = relevance if sign is None else sign
        self._whole = whole
        self._bias = _NONE if bias is None else bias
        self.nothing_left = True
        self.sign_is_finite = sign is not None

    def channels(self, of_result: int) -> int:
        """One for each share of each channel of R."""
        return of_result * self._spread

    def write(self, task: Numbers) -> Arrays:
        """Write into a task that its result is divided by."""
        task[the.THEN], task[the.FOLD], task[the.SPREAD] = the.RATIO, self._fold, self._spread
        task[the.BIAS_NUMBERS] = self._bias.size
        arrays = {the.RELEVANCE: self._relevance, the.SIGN: self._sign}
        arrays |= {the.REALS: self._reals, the.BIAS: self._bias}
        if self._whole is not None:
            task[the.X_NUMBERS] = self._whole.size
            arrays[the.X] = self._whole
        return arrays

    def note(self, found: int) -> None:
        """Learn whether relevance is left where the sign is negative, and the sign is finite."""
        self.nothing_left &= not found & the.AMISS
        self.sign_is_finite &= not found & the.INFINITE


@lru_cache(maxsize=256)
def _reals(epsilon: float, shares: tuple[Share, ...]) -> Array:
    """The numbers of all shares as a task takes them, made once."""
    of_each = [(s.of_whole, s.of_part, s.coefficient, s.side) for s in shares]
    return np.array([epsilon, *itertools.chain(*of_each)], np.float32)
