"""The element-wise steps of one branch of a rule: denominator, ratio, product.

Axis 0 is always the sample. All arrays are float32 in C order; outputs are written in place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onnxlrp.kernels import _task as the
from onnxlrp.kernels.elementwise import (
    _NONE,
    Array,
    check_alike,
    check_stabiliser,
    over_elements,
    over_rows,
)


def weighted_sum(u: Array, cu: float, v: Array, cv: float, out: Array) -> None:
    """Weighted sum out = cu·u + cv·v of float32 arrays of one shape; `out` may be an input."""
    over_elements(the.WEIGHTED_SUM, (u, v), out, (cu, cv))


def add_product(a: Array, g: Array, out: Array) -> bool:
    """Product added in place, out += a·g, for arrays of one shape; whether all of it is finite."""
    return over_elements(the.ADD_PRODUCT, (a, g), out)


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
        out = np.empty(self.whole.shape, np.float32)
        factors = self.of_whole, self.of_part
        over_rows(the.SUMS, (self.whole, self.part), out, factors, self._bias)
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
            Whether no relevance stands where a sign that is asked for is negative.

        Raises
        ------
        InputError
            If shapes differ, or an array is not float32 in C order.
        """
        sign = self.whole if sign is None else sign
        part = self.whole if self.part is None else self.part
        check_alike(self.whole, part, sign, relevance, out)
        check_stabiliser(self.whole, epsilon)
        sources = self.whole, self.part, sign, relevance
        factors = self.of_whole, self.of_part, coefficient
        return over_rows(the.RATIOS, sources, out, factors, self._bias, epsilon, where)

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
        check_alike(self.whole, relevance, x, y)
        check_stabiliser(self.whole, epsilon)
        parts = np.empty(x.shape, np.float32), np.empty(y.shape, np.float32)
        sources = self.whole, relevance, x, y
        reals = self.of_whole, 0.0, coefficient, *factors
        finite = over_rows(the.SHARES, sources, parts[0], reals, epsilon=epsilon, other=parts[1])
        return parts, finite

    @property
    def _bias(self) -> Array:
        return _NONE if self.bias is None else self.bias
