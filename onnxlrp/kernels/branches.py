"""The element-wise steps of one branch of a rule: denominator, ratio, product.

Axis 0 is always the sample. All arrays are float32 in C order; outputs are written in place.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels import _branches as loops
from onnxlrp.kernels.elementwise import (
    _BLOCK,
    Array,
    _flatten,
    _over_parts,
    _over_ranges,
    _sample_size,
)

#: The bias of a layer that has none.
_NONE = np.zeros(1, np.float32)


def weighted_sum(u: Array, cu: float, v: Array, cv: float, out: Array) -> None:
    """Weighted sum out = cu·u + cv·v of float32 arrays of one shape; `out` may be an input."""
    _over_parts(lambda a, b, c: loops.weighted_sum(a, cu, b, cv, c), u, v, out)


def add_product(a: Array, g: Array, out: Array) -> bool:
    """Product added in place, out += a·g, for arrays of one shape; whether all of it is finite."""
    return _over_parts(loops.add_product, a, g, out)


@dataclass(frozen=True, slots=True)
class Denominator:
    """What a branch divides by, d = of_whole·whole + of_part·part + b, summed where it is read.

    Parameters
    ----------
    whole, part : (N, K, ...) float32
        They may be the same array.
    of_whole, of_part : float
    bias : (K,) float32, or None
        b of each channel.

    Examples
    --------
    >>> z = np.array([[1.0, -2.0]], np.float32)
    >>> Denominator(z, 1.0, z, 0.5, np.array([0.25, 0.0], np.float32)).array().tolist()
    [[1.75, -3.0]]
    """

    whole: Array
    of_whole: float = 1.0
    part: Array | None = None
    of_part: float = 0.0
    bias: Array | None = None

    @property
    def samples(self) -> int:
        """N."""
        return len(self.whole)

    def array(self) -> Array:
        """The sum, as an array: a new one, unless it is `whole` itself."""
        if self.of_whole == 1 and self.of_part == 0 and self.bias is None:
            return self.whole
        terms, out = self._terms(), np.empty(self.whole.shape, np.float32)
        rows = _rows(out)
        _over_rows(rows, lambda first, last: loops.mix(*terms, first, last, rows))
        return out

    def ratio(
        self,
        sign: Array | None,
        relevance: Array,
        coefficient: float,
        epsilon: Array,
        where: int,
        out: Array,
    ) -> bool:
        """Ratio of one branch, q = c·R / stab(d) with stab(d) = d + ε·(1 if d ≥ 0 else −1).

        q is exactly 0 where R = 0, where stab(d) = 0 (nothing contributed, nothing to share), and
        where the condition on the sign does not hold.

        Parameters
        ----------
        sign : (N, K, ...) float32, or None
            Whose sign decides: the pre-activation. None: that of `whole`.
        relevance : (N, K, ...) float32
        coefficient : float
            The number c.
        epsilon : (N,) float32
            The stabiliser ε of each sample.
        where : int
            0: always; 1: only where the sign is positive; 2: only where it is negative.
        out : (N, K, ...) float32
            Written; may be `relevance` itself.

        Returns
        -------
        bool
            Whether no relevance stands where the sign is negative.

        Raises
        ------
        InputError
            If shapes differ, or an array is not float32 in C order.
        """
        sign = self.whole if sign is None else sign
        part = self.whole if self.part is None else self.part
        _flatten(self.whole, part, sign, relevance, out)
        _sample_size(self.whole, epsilon)
        if out.size == 0:
            return True
        terms, q = self._terms(), _rows(out)
        z, r = _rows(sign), _rows(relevance)
        return _over_rows(
            q,
            lambda first, last: loops.branch_ratio(
                *terms, z, r, coefficient, epsilon, where, first, last, q
            ),
        )

    def share(
        self,
        relevance: Array,
        coefficient: float,
        epsilon: Array,
        summands: tuple[Array, Array],
        factors: tuple[float, float],
    ) -> tuple[tuple[Array, Array], bool]:
        """Relevance of the two summands of a sum, xₖ·(wₖ·q) with q as :meth:`ratio` gives it.

        Parameters
        ----------
        relevance : (N, K, ...) float32
        coefficient : float
            The number c.
        epsilon : (N,) float32
            The stabiliser ε of each sample.
        summands : two (N, K, ...) float32
        factors : two floats
            The numbers w.

        Returns
        -------
        (two (N, K, ...) float32, bool)
            New arrays, and whether all of both is finite.

        Raises
        ------
        InputError
            If shapes differ, or an array is not float32 in C order.
        ValueError
            If the denominator has more than one term.
        """
        if self.part is not None or self.bias is not None:
            raise ValueError("the denominator of a sum is the sum itself")
        x, y = summands
        _flatten(self.whole, relevance, x, y)
        _sample_size(self.whole, epsilon)
        parts = np.empty(x.shape, np.float32), np.empty(y.shape, np.float32)
        if x.size == 0:
            return parts, True
        u, r, p, q, to_p, to_q = map(_rows, (self.whole, relevance, x, y, *parts))
        finite = _over_rows(
            u,
            lambda first, last: loops.share(
                u, self.of_whole, r, coefficient, epsilon, p, factors[0], q, factors[1],
                first, last, to_p, to_q,
            ),
        )  # fmt: skip
        return parts, finite

    def _terms(self) -> tuple[Array, float, Array, float, Array]:
        """The sum as kernels take it."""
        part = self.whole if self.part is None else self.part
        bias = _NONE if self.bias is None else self.bias
        return _rows(self.whole), self.of_whole, _rows(part), self.of_part, bias


def _rows(array: NDArray[np.float32]) -> Array:
    """Look at (N, K, ...) as one row for each sample and channel."""
    return array.reshape(math.prod(array.shape[:2]), -1) if array.size else array.reshape(0, 1)


def _over_rows(rows: Array, loop: Callable[[int, int], bool | None]) -> bool:
    """Call the loop on blocks of rows."""
    width = max(1, rows.shape[1])
    return _over_ranges(len(rows), loop, max(1, _BLOCK // width), width)
