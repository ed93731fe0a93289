"""Numbers that sum up a flipping curve: areas, and the mean over pictures with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onnxlrp.errors import InputError

Floats = NDArray[np.float64]

RESAMPLES: Final = 2000
"""Bootstrap samples of an interval."""


def area_under_curve(fractions: ArrayLike, scores: ArrayLike) -> Floats:
    """Mean height of a curve, with the share of flipped pixels as abscissa scaled to [0, 1].

    AUC = 1/φ_L · Σ_{k=1..L} (φ_k − φ_{k−1})·(f(x⁽ᵏ⁻¹⁾) + f(x⁽ᵏ⁾))/2

    With steps of equal size this is trapz(f)/L: the "deletion" score of Petsiuk et al. 2018,
    arXiv:1806.07421, which includes k = 0. Quantus sums the trapezoids with dx = 1 and without
    k = 0; its number is not on [0, 1].

    Parameters
    ----------
    fractions : array, (..., L + 1)
        φ: share of pixels flipped after each step, φ_0 = 0.
    scores : array, (..., L + 1)
        f(x⁽ᵏ⁾) in units of the score.

    Returns
    -------
    ndarray, float64, (...)

    Raises
    ------
    InputError
        The shapes do not fit, there is no step, or the fractions do not grow.

    Examples
    --------
    >>> float(area_under_curve([0.0, 0.5, 1.0], [4.0, 2.0, 0.0]))
    2.0
    """
    share, height = np.asarray(fractions, np.float64), _curve(scores)
    if (
        share.shape[-1:] != height.shape[-1:]
        or (np.diff(share) < 0).any()
        or share[..., -1].min() <= 0
    ):
        raise InputError(
            f"fractions of shape {share.shape} for scores of shape {height.shape}: one growing "
            "share of flipped pixels for each step is needed."
        )
    middle = (height[..., 1:] + height[..., :-1]) / 2
    return np.asarray((np.diff(share) * middle).sum(axis=-1) / share[..., -1])


def area_over_curve(scores: ArrayLike) -> Floats:
    """AOPC, the area over the perturbation curve: how far the score falls, on average.

    AOPC = 1/(L+1) · Σ_{k=0..L} f(x⁽⁰⁾) − f(x⁽ᵏ⁾)

    Samek et al. 2017, 10.1109/TNNLS.2016.2599820, for one picture; they take its mean over
    pictures. Quantus' region perturbation gives the summands from k = 1 on: AOPC is their sum over
    L + 1. For a rank, which rises as the picture is flipped, it is negative.

    Parameters
    ----------
    scores : array, (..., L + 1)
        f(x⁽ᵏ⁾), k = 0 included.

    Returns
    -------
    ndarray, float64, (...)

    Examples
    --------
    >>> float(area_over_curve([4.0, 2.0, 0.0]))
    2.0
    """
    height = _curve(scores)
    return np.asarray((height[..., :1] - height).mean(axis=-1))


def area_between_curves(lerf: ArrayLike, morf: ArrayLike) -> Floats:
    """ABPC, the signed area between the curves of least and of most relevant first.

    ABPC = 1/(L+1) · Σ_{k=0..L} f(x⁽ᵏ⁾ of LeRF) − f(x⁽ᵏ⁾ of MoRF)

    Samek et al. 2017, 10.1109/TNNLS.2016.2599820. Positive: the relevant regions matter more.

    Parameters
    ----------
    lerf, morf : array, (..., L + 1)
        f(x⁽ᵏ⁾) of the same picture in the two orders, k = 0 included.

    Returns
    -------
    ndarray, float64, (...)

    Raises
    ------
    InputError
        The curves have different lengths.

    Examples
    --------
    >>> float(area_between_curves([4.0, 4.0, 0.0], [4.0, 1.0, 0.0]))
    1.0
    """
    least, most = _curve(lerf), _curve(morf)
    if least.shape[-1] != most.shape[-1]:
        raise InputError(
            f"curves of {least.shape[-1]} and {most.shape[-1]} points have no area between them: "
            "use the same steps."
        )
    return np.asarray((least - most).mean(axis=-1))


@dataclass(frozen=True, slots=True, eq=False)
class MeanCurve:
    """The mean of curves and its confidence interval, point by point.

    Attributes
    ----------
    fraction : ndarray, float64, (L + 1,)
        Mean share of pixels flipped.
    mean, low, high : ndarray, float64, (L + 1,)
        In units of the score.
    level : float
        Of the interval [low, high].
    """

    fraction: Floats
    mean: Floats
    low: Floats
    high: Floats
    level: float


def bootstrap_interval(
    values: ArrayLike, level: float = 0.95, seed: int = 0
) -> tuple[Floats, Floats]:
    """Confidence interval of a mean, by the percentile bootstrap.

    Samples are drawn again with replacement, 2000 times; the interval lies between the quantiles
    (1 − level)/2 and (1 + level)/2 of their means (Efron 1979, 10.1214/aos/1176344552).

    Parameters
    ----------
    values : array, (samples, ...)
        The mean is taken over the first axis. One sample alone has the interval [value, value].
    level : float
        0.95 for 95 %.
    seed : int
        The same seed draws the same samples.

    Returns
    -------
    low, high : ndarray, float64, (...)

    Raises
    ------
    InputError
        No sample, or a level that is none.

    Examples
    --------
    >>> low, high = bootstrap_interval([1.0, 1.0, 1.0])
    >>> float(low), float(high)
    (1.0, 1.0)
    """
    samples = np.asarray(values, np.float64)
    if samples.ndim == 0 or not len(samples):
        raise InputError("an interval needs at least one sample.")
    if not 0 < level < 1:
        raise InputError(f"level={level}: a confidence level lies between 0 and 1, 0.95.")
    if len(samples) == 1:
        return samples[0], samples[0]
    shares = np.full(len(samples), 1 / len(samples))
    counts = np.random.default_rng(seed).multinomial(len(samples), shares, RESAMPLES)
    means = np.tensordot(counts / len(samples), samples, axes=1)
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return low, high


def _curve(scores: ArrayLike) -> Floats:
    """Scores as float64, refused unless there are two points."""
    height = np.asarray(scores, np.float64)
    if height.ndim == 0 or height.shape[-1] < 2:
        raise InputError(f"a curve of shape {height.shape} has no step: it needs two points.")
    return height
