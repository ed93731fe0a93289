"""How alike two relevance maps are."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onnxlrp.errors import InputError
from onnxlrp.evaluate.checks import finite

Floats = NDArray[np.float64]

_K1: Final = 0.01  # Wang et al. 2004
_K2: Final = 0.03
_WINDOW: Final = 11  # pixels a side
_DEVIATION: Final = 1.5  # of the Gaussian window, in pixels


def pearson(a: ArrayLike, b: ArrayLike) -> float:
    """Pearson correlation of two maps.

    r = Σ (a − ā)(b − b̄) / √(Σ (a − ā)² · Σ (b − b̄)²)

    Parameters
    ----------
    a, b : array of one shape
        Relevance; the scale does not matter.

    Returns
    -------
    float
        −1 to 1; NaN if one of them is constant.

    Raises
    ------
    InputError
        Shapes that differ, or fewer than two pixels.
    NumericalError
        NaN or Inf.

    Examples
    --------
    >>> pearson([1.0, 2.0, 3.0], [2.0, 4.0, 6.0])
    1.0
    """
    first, second = (_centred(values.reshape(-1)) for values in _pair(a, b))
    scale = math.sqrt(float(first @ first)) * math.sqrt(float(second @ second))
    return max(-1.0, min(1.0, float(first @ second) / scale)) if scale > 0.0 else math.nan


def spearman(a: ArrayLike, b: ArrayLike) -> float:
    """Spearman's rank correlation: Pearson's of the ranks, ties sharing their mean rank.

    Parameters
    ----------
    a, b : array of one shape
        Relevance; only its order matters.

    Returns
    -------
    float
        −1 to 1; NaN if one of them is constant.

    Raises
    ------
    InputError
        Shapes that differ, or fewer than two pixels.
    NumericalError
        NaN or Inf.

    Examples
    --------
    >>> spearman([1.0, 2.0, 3.0], [1.0, 10.0, 100.0])
    1.0
    """
    return pearson(*(_ranks(values.reshape(-1)) for values in _pair(a, b)))


def ssim(a: ArrayLike, b: ArrayLike, data_range: float | None = None) -> float:
    """Mean structural similarity of two maps, by the standard constants.

    SSIM = (2·μ_a·μ_b + C₁)(2·σ_ab + C₂) / ((μ_a² + μ_b² + C₁)(σ_a² + σ_b² + C₂))

    C₁ = (0.01·L)², C₂ = (0.03·L)²; means, variances and covariance are under a Gaussian window of
    11×11 pixels, σ = 1.5, that lies within the map; on smaller maps it shrinks to the largest odd
    size that does.

    Parameters
    ----------
    a, b : array of shape (H, W)
    data_range : float, optional
        L; None: from the least to the greatest value of both.

    Returns
    -------
    float
        −1 to 1; 1 if they are equal.

    Raises
    ------
    InputError
        Shapes that differ or are no maps, or a range that is not above 0.
    NumericalError
        NaN or Inf.

    Notes
    -----
    Wang et al. 2004, 10.1109/TIP.2003.819861.

    Examples
    --------
    >>> ssim(np.eye(12), np.eye(12))
    1.0
    """
    first, second = _pair(a, b)
    if first.ndim != 2:
        raise InputError(f"SSIM compares maps (H, W), not shape {first.shape}.")
    if data_range is not None and not data_range > 0:
        raise InputError(f"data_range={data_range}: a number greater than 0 is needed.")
    if data_range is None:
        data_range = max(first.max(), second.max()) - min(first.min(), second.min())
        if data_range == 0.0:
            return 1.0  # two maps of one and the same value
    mean_a, mean_b = _windowed(first), _windowed(second)
    variance_a = _windowed(first * first) - mean_a**2
    variance_b = _windowed(second * second) - mean_b**2
    covariance = _windowed(first * second) - mean_a * mean_b
    c1, c2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    above = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    below = (mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2)
    return float((above / below).mean())


def top_overlap(a: ArrayLike, b: ArrayLike, k: int) -> float:
    """Share of the k most relevant pixels that two maps have in common.

    overlap = |top_k(a) ∩ top_k(b)| / k;   of equal pixels the first in reading order are taken

    Parameters
    ----------
    a, b : array of one shape
    k : int
        How many pixels.

    Returns
    -------
    float
        0 to 1; of unrelated maps k / pixels on average.

    Raises
    ------
    InputError
        Shapes that differ, or k out of range.
    NumericalError
        NaN or Inf.

    Examples
    --------
    >>> top_overlap([3.0, 2.0, 1.0], [3.0, 0.0, 1.0], 2)
    0.5
    """
    first, second = _pair(a, b)
    if not 1 <= k <= first.size:
        raise InputError(f"k={k}: a map of {first.size} pixels has a top 1 to {first.size}.")
    of_first, of_second = (
        np.argsort(-values.reshape(-1), kind="stable")[:k] for values in (first, second)
    )
    return len(np.intersect1d(of_first, of_second)) / k


def _pair(a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats]:
    """Two maps of one shape, checked."""
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if first.shape != second.shape or first.size < 2:
        raise InputError(
            f"maps of shapes {first.shape} and {second.shape}: two maps of one shape and at least "
            "two pixels are compared."
        )
    return finite("a relevance map", first), finite("a relevance map", second)


def _centred(values: Floats) -> Floats:
    """Values minus their mean, at most 1 in size; exactly 0 if all are equal."""
    if values.min() == values.max():
        return np.zeros_like(values)
    values = values / np.abs(values).max()
    return np.asarray(values - values.mean())


def _ranks(values: Floats) -> Floats:
    """Rank of every value from 1 on; equal values share the mean of their ranks."""
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    return np.asarray((last - (sizes - 1) / 2)[group])


def _windowed(values: Floats) -> Floats:
    """Means under the Gaussian window, wherever all of it lies within the map."""
    side = min(_WINDOW, *(size - (size + 1) % 2 for size in values.shape))
    weights = np.exp(-0.5 * ((np.arange(side) - side // 2) / _DEVIATION) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        values = np.lib.stride_tricks.sliding_window_view(values, side, axis) @ weights
    return values
