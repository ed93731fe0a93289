"""How simple a map is: few pixels with much relevance, or much with little."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onnxlrp.errors import InputError
from onnxlrp.evaluate.checks import finite


def entropy(relevance: ArrayLike) -> float:
    """Entropy of a map: high if relevance is spread over many pixels.

    H = −Σ_p P_p·ln P_p   with P_p = |R_p| / Σ|R|

    Parameters
    ----------
    relevance : array of any shape
        Of one picture, in units of the explained output.

    Returns
    -------
    float
        In nats, from 0 (one pixel has it all) to ln(pixels) (all have the same); NaN of a map
        without relevance.

    Raises
    ------
    InputError
        There is no pixel.
    NumericalError
        NaN or Inf.

    Notes
    -----
    Bhatt et al. 2020, arXiv:2005.00631 (complexity).

    Examples
    --------
    >>> entropy([[1.0, -1.0]]) == math.log(2)
    True
    """
    magnitude = _magnitude(relevance)
    total = magnitude.sum()
    if not total:
        return math.nan
    share = magnitude[magnitude > 0] / total
    return float(-(share * np.log(share)).sum()) + 0.0  # no negative zero


def gini(relevance: ArrayLike) -> float:
    """Gini index of a map: high if few pixels have most of the relevance.

    G = Σ_k (2k − n − 1)·v_k / (n·Σ v)   with v the |R| of n pixels in ascending order, k = 1…n

    Parameters
    ----------
    relevance : array of any shape
        Of one picture, in units of the explained output.

    Returns
    -------
    float
        From 0 (all have the same) to 1 − 1/n (one pixel has it all); NaN of a map without
        relevance.

    Raises
    ------
    InputError
        There is no pixel.
    NumericalError
        NaN or Inf.

    Notes
    -----
    Chalasani et al. 2020, arXiv:1810.06583 (sparseness).

    Examples
    --------
    >>> gini([0.0, 0.0, 0.0, -2.0])
    0.75
    """
    ascending = np.sort(_magnitude(relevance))
    total, n = ascending.sum(), len(ascending)
    if not total:
        return math.nan
    rank = np.arange(1, n + 1)
    return float(((2 * rank - n - 1) * ascending).sum() / (n * total))


def _magnitude(relevance: ArrayLike) -> NDArray[np.float64]:
    """|R| of every element, in a row; scaled so that sums neither over- nor underflow."""
    values = np.abs(finite("relevance", relevance)).reshape(-1)
    if not values.size:
        raise InputError("relevance is empty: there is no pixel.")
    largest = values.max()
    return values / largest if largest > 0.0 else values
