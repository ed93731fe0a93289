"""What is found of one picture, as lines of tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A line of scores.csv; the fields are its columns."""

    image: str
    design: str
    metric: str
    value: float


@dataclass(frozen=True, slots=True)
class CurveRow:
    """A line of curves.csv; the fields are its columns."""

    image: str
    design: str
    order: str
    step: int
    fraction: float
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What was found of one picture.

    Attributes
    ----------
    image : str
    scores : tuple of ScoreRow
    curves : tuple of CurveRow
    failure : str
        Why nothing was found; empty if all went well.
    maps : ndarray, float32, (designs, *spatial), or None
        Relevance of every pixel, where it is kept.
    """

    image: str
    scores: tuple[ScoreRow, ...] = ()
    curves: tuple[CurveRow, ...] = ()
    failure: str = ""
    maps: NDArray[np.float32] | None = None
