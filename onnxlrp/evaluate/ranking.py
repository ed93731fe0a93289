"""Which design is best here: a ranking in which "better" is a measured statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError
from onnxlrp.evaluate.curves import Floats, bootstrap_interval
from onnxlrp.evaluate.judgement import ScoreRow
from onnxlrp.evaluate.metrics import METRICS, better
from onnxlrp.evaluate.scoring import LOGIT

OVERALL = "mean rank"
"""The name under which the ranks of all metrics are summed up; lower is better."""

FEWEST = 6
"""Pictures for a statement: of fewer, all may agree by chance (2·2⁻⁵ = 6 %)."""


@dataclass(frozen=True, slots=True)
class RankRow:
    """One design under one metric; the fields are the columns of ranking.csv.

    Attributes
    ----------
    metric : str
        Or "mean rank" for all of them.
    design : str
    place : int
        1 is best, by the mean.
    mean, low, high : float
        Over the pictures, with its bootstrap interval.
    behind : float
        How much better the first design is, on average over the same pictures; 0 for itself.
    behind_low, behind_high : float
        The paired bootstrap interval of that difference.
    worse : bool
        Whether the interval is above 0: the first design is measurably better.
    images : int
        Pictures that all designs have a number for.
    """

    metric: str
    design: str
    place: int
    mean: float
    low: float
    high: float
    behind: float
    behind_low: float
    behind_high: float
    worse: bool
    images: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """Designs compared, metric by metric and over all.

    Attributes
    ----------
    rows : tuple of RankRow
        "mean rank" first, then each metric; within these from the best design on.
    level : float
        Of the intervals, each by itself.
    """

    rows: tuple[RankRow, ...]
    level: float

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics, "mean rank" first."""
        return tuple(dict.fromkeys(row.metric for row in self.rows))

    def of(self, metric: str = OVERALL) -> tuple[RankRow, ...]:
        """Return the designs under one metric, the best one first."""
        return tuple(row for row in self.rows if row.metric == metric)

    def statement(self, metric: str = OVERALL) -> str:
        """Say which design is best, and over which others that is measured."""
        first, *others = self.of(metric)
        beaten = [row.design for row in others if row.worse]
        close = [row.design for row in others if not row.worse]
        if first.images < FEWEST:
            return (
                f"{first.design} comes first, but {first.images} pictures are too few to say that "
                f"it is better: compare on {FEWEST} or more."
            )
        parts = [f"measurably better than {', '.join(beaten)}"] if beaten else []
        parts += [f"not told apart from {', '.join(close)}"] if close else []
        sure = f"({100 * self.level:g} % intervals over {first.images} pictures)"
        return f"{first.design} comes first: {'; '.join(parts)} {sure}."


def rank_designs(
    scores: Iterable[ScoreRow], *, score: str = LOGIT, level: float = 0.95, seed: int = 0
) -> Ranking:
    """Rank designs on the same pictures, with paired bootstrap intervals.

    Under each metric designs are ordered by their mean over the pictures. Two designs are compared
    by the mean of their differences d_i on the same picture i, and the percentile bootstrap draws
    pictures, not designs: what makes a picture hard cancels. Over all metrics a picture gives each
    design the mean of its ranks (1 is best, ties share), which needs no common unit.

    Parameters
    ----------
    scores : iterable of ScoreRow
        A table of scores of two designs or more.
    score : str
        What was flipped for: a rank turns the direction of the flipping metrics.
    level : float
        Of the intervals. Each holds by itself: among many comparisons some will err.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Ranking
        Metrics that are neither better high nor low are left out. So are pictures for which a
        metric is NaN under a design.

    Raises
    ------
    InputError
        Fewer than two designs, no metric that has a better and a worse, no picture that all designs
        have a number for, or a level that is none.

    Notes
    -----
    Efron 1979, 10.1214/aos/1176344552.

    Examples
    --------
    >>> rows = [ScoreRow(f"{i}", design, "abpc", i + gain)
    ...         for i in range(8) for design, gain in (("a", 0.0), ("b", 0.5))]
    >>> rank_designs(rows).statement()
    'b comes first: measurably better than a (95 % intervals over 8 pictures).'
    """
    designs, losses = _losses(scores, score)
    if len(designs) < 2:
        raise InputError(
            f"{len(designs)} design was scored: give two or more designs to compare them."
        )
    rows: list[RankRow] = []
    ranks = []
    for metric, table in losses.items():
        sign = -1.0 if better(metric, score) == "higher" else 1.0
        whole = table[np.isfinite(table).all(axis=1)]
        if not len(whole):
            raise InputError(f"{metric}: there is no picture for which all designs have a number.")
        rows += _ranked(metric, designs, whole, sign, level, seed)
        ranks.append(_ranks(table))
    overall = np.stack(ranks)
    known = np.isfinite(overall).all(axis=(0, 2))
    if not known.any():
        raise InputError("there is no picture for which all designs have a number in all metrics.")
    mean = overall[:, known].mean(axis=0)
    return Ranking((*_ranked(OVERALL, designs, mean, 1.0, level, seed), *rows), level)


def _losses(scores: Iterable[ScoreRow], score: str) -> tuple[list[str], Mapping[str, Floats]]:
    """Lay the table out: designs, and metric → (images, designs), lower being better."""
    cells: dict[str, dict[tuple[str, str], float]] = {}
    images: dict[str, None] = {}
    designs: dict[str, None] = {}
    for row in scores:
        if row.metric not in METRICS or better(row.metric, score) == "neither":
            continue
        images[row.image] = designs[row.design] = None
        sign = -1.0 if better(row.metric, score) == "higher" else 1.0
        cells.setdefault(row.metric, {})[row.image, row.design] = sign * row.value
    if not cells:
        raise InputError("there is no score that is better high or low: nothing can be ranked.")
    tables = {
        metric: np.array(
            [[found.get((image, design), np.nan) for design in designs] for image in images]
        )
        for metric, found in cells.items()
    }
    return list(designs), tables


def _ranked(
    metric: str, designs: Sequence[str], losses: Floats, sign: float, level: float, seed: int
) -> Iterator[RankRow]:
    """Yield the designs from the best on; ``losses`` (images, designs) are lower for better."""
    mean = losses.mean(axis=0)
    order = np.argsort(mean, kind="stable")
    behind = losses - losses[:, order[:1]]
    low, high = bootstrap_interval(losses, level, seed)
    if sign < 0:
        low, high = -high, -low
    behind_low, behind_high = bootstrap_interval(behind, level, seed)
    for place, d in enumerate(order, start=1):
        yield RankRow(
            metric=metric,
            design=designs[d],
            place=place,
            mean=sign * float(mean[d]) + 0.0,
            low=float(low[d]),
            high=float(high[d]),
            behind=float(behind[:, d].mean()),
            behind_low=float(behind_low[d]),
            behind_high=float(behind_high[d]),
            worse=bool(behind_low[d] > 0) and len(losses) >= FEWEST,
            images=len(losses),
        )


def _ranks(losses: Floats) -> NDArray[np.float64]:
    """Rank of every design in its row, 1 for the lowest; equal ones share; NaN where one is NaN."""
    below = (losses[:, :, None] > losses[:, None, :]).sum(axis=2)
    equal = (losses[:, :, None] == losses[:, None, :]).sum(axis=2)
    ranks = 1 + below + (equal - 1) / 2
    return np.where(np.isfinite(losses).all(axis=1, keepdims=True), ranks, np.nan)
