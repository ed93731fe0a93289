"""Means over the pictures of a data set, from tables that are read line by line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from statistics import NormalDist
from typing import TypeAlias

import numpy as np

from onnxlrp.errors import InputError
from onnxlrp.evaluate.curves import MeanCurve
from onnxlrp.evaluate.judgement import CurveRow, ScoreRow
from onnxlrp.evaluate.ordering import RANDOM

CurveKey: TypeAlias = tuple[str, str]
"""(design, order); the random order, which no design changes, has the design ""."""


class _Moments:
    """Count, mean and spread of numbers that come one by one (Welford's recurrence)."""

    __slots__ = ("count", "mean", "squares")

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, 0.0, 0.0

    def add(self, value: float) -> None:
        """Take one more number."""
        self.count += 1
        step = value - self.mean
        self.mean += step / self.count
        self.squares += step * (value - self.mean)

    @property
    def error(self) -> float:
        """Standard error of the mean; 0 for a single number."""
        if self.count < 2:
            return 0.0
        return math.sqrt(self.squares / (self.count - 1) / self.count)


def mean_curves(rows: Iterable[CurveRow], level: float = 0.95) -> Mapping[CurveKey, MeanCurve]:
    """Mean flipping curves over all pictures, in memory that does not grow with them.

    mean ± q·s/√n, q the quantile of the normal distribution, s the standard deviation over n
    pictures

    Parameters
    ----------
    rows : iterable of CurveRow
    level : float
        Of the interval.

    Returns
    -------
    mapping of (design, order) to MeanCurve
        The random order once, under the design "".

    Raises
    ------
    InputError
        A level that is none.
    """
    if not 0 < level < 1:
        raise InputError(f"level={level}: a confidence level lies between 0 and 1, 0.95.")
    found: dict[CurveKey, list[tuple[_Moments, _Moments]]] = {}
    first = ""
    for row in rows:
        first = first or row.design
        if row.order == RANDOM and row.design != first:
            continue
        steps = found.setdefault(("" if row.order == RANDOM else row.design, row.order), [])
        if row.step == len(steps):
            steps.append((_Moments(), _Moments()))
        fraction, score = steps[row.step]
        fraction.add(row.fraction)
        score.add(row.score)
    quantile = NormalDist().inv_cdf((1 + level) / 2)
    return {key: _curve(steps, quantile, level) for key, steps in found.items()}


def mean_scores(rows: Iterable[ScoreRow]) -> Mapping[tuple[str, str], float]:
    """Mean of every (design, metric) over the pictures that have a finite number."""
    found: dict[tuple[str, str], _Moments] = {}
    for row in rows:
        moments = found.setdefault((row.design, row.metric), _Moments())
        if math.isfinite(row.value):
            moments.add(row.value)
    return {key: moments.mean if moments.count else math.nan for key, moments in found.items()}


def _curve(steps: Iterable[tuple[_Moments, _Moments]], quantile: float, level: float) -> MeanCurve:
    """Put the means of all steps together."""
    both = list(steps)
    mean = np.array([score.mean for _, score in both])
    reach = quantile * np.array([score.error for _, score in both])
    fraction = np.array([fraction.mean for fraction, _ in both])
    return MeanCurve(fraction, mean, mean - reach, mean + reach, level)
