"""What pixel flipping found: curves, and the numbers that sum them up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError, did_you_mean
from onnxlrp.evaluate.curves import (
    Floats,
    MeanCurve,
    area_between_curves,
    area_over_curve,
    area_under_curve,
    bootstrap_interval,
)
from onnxlrp.evaluate.ordering import LERF, MORF

COLUMNS = ("image", "design", "order", "step", "fraction", "score")
"""Of the table of curves."""


@dataclass(frozen=True, slots=True, eq=False)
class FlippingResult:
    """Curves of N pictures under D designs in O orders.

    Attributes
    ----------
    images, designs, orders : tuple of str
        Names along the first three axes.
    scores : ndarray, float64, (N, D, O, R, L + 1)
        f(x⁽ᵏ⁾) in units of the score, k = 0 included; R runs, alike where nothing is random.
    fractions : ndarray, float64, (N, D, O, R, L + 1)
        Share of all pixels that is flipped.
    target : ndarray, int64, (N,)
        The class scored; −1 where the target was no class.
    score : str
        What was scored: "logit", "probability", …
    settings : mapping
        unit, steps (L), until, growth, fill, repeats, seeds.
    note : str
        In what units fills are.
    provider : str
        The onnxruntime provider that ran the pictures.
    """

    images: tuple[str, ...]
    designs: tuple[str, ...]
    orders: tuple[str, ...]
    scores: Floats
    fractions: Floats
    target: NDArray[np.int64]
    score: str
    settings: Mapping[str, Any]
    note: str
    provider: str

    def __repr__(self) -> str:
        designs, orders, values = self.designs, self.orders, self.auc.mean(axis=0)
        areas = "; ".join(
            f"{design}: " + ", ".join(f"{o} {v:.4g}" for o, v in zip(orders, row, strict=True))
            for design, row in zip(designs, values, strict=True)
        )
        count = len(self.images)
        return (
            f"FlippingResult({count} {'picture' if count == 1 else 'pictures'}, "
            f"{self.scores.shape[-1] - 1} steps, {self.score}; mean AUC of {areas})"
        )

    @property
    def auc(self) -> Floats:
        """AUC on [0, 1], mean over the runs: (N, D, O).

        See :func:`~onnxlrp.evaluate.area_under_curve`.
        """
        return np.asarray(area_under_curve(self.fractions, self.scores).mean(axis=-1))

    @property
    def aopc(self) -> Floats:
        """AOPC with 1/(L + 1) and k = 0, mean over the runs: (N, D, O).

        See :func:`~onnxlrp.evaluate.area_over_curve`.
        """
        return np.asarray(area_over_curve(self.scores).mean(axis=-1))

    @property
    def abpc(self) -> Floats:
        """ABPC, the area between LeRF and MoRF, mean over the runs: (N, D).

        See :func:`~onnxlrp.evaluate.area_between_curves`.

        Raises
        ------
        InputError
            One of the two orders was not run.
        """
        lerf, morf = (self._place("order", self.orders, order) for order in (LERF, MORF))
        between = area_between_curves(self.scores[:, :, lerf], self.scores[:, :, morf])
        return np.asarray(between.mean(axis=-1))

    def curve(self, design: str, order: str = MORF, level: float = 0.95) -> MeanCurve:
        """Mean curve of a design in an order, with its bootstrap confidence interval.

        Parameters
        ----------
        design, order : str
        level : float
            Of the interval. Pictures are resampled (each the mean of its runs); of a single
            picture, its runs are: the band of a random order.

        Raises
        ------
        InputError
            No such design or order.
        """
        where = (
            self._place("design", self.designs, design),
            self._place("order", self.orders, order),
        )
        scores, fractions = (
            values[:, where[0], where[1]] for values in (self.scores, self.fractions)
        )
        samples = scores[0] if len(scores) == 1 else scores.mean(axis=1)
        low, high = bootstrap_interval(samples, level)
        return MeanCurve(fractions.mean(axis=(0, 1)), samples.mean(axis=0), low, high, level)

    def rows(self) -> Iterator[dict[str, str | int | float]]:
        """Yield the curves as a table: image, design, order, step, fraction, score.

        Scores are means over the runs. The random order, which no design changes, has its rows
        under every design.
        """
        fractions, scores = self.fractions.mean(axis=3), self.scores.mean(axis=3)
        for n, d, o, step in np.ndindex(scores.shape):
            values = (
                *(self.images[n], self.designs[d], self.orders[o], step),
                *(float(fractions[n, d, o, step]), float(scores[n, d, o, step])),
            )
            yield dict(zip(COLUMNS, values, strict=True))

    def score_rows(self) -> Iterator[dict[str, str | float]]:
        """Yield the areas as a table: image, design, metric ("auc_morf", "abpc", …), value."""
        auc, aopc = self.auc, self.aopc
        metrics = {f"auc_{order}": auc[:, :, o] for o, order in enumerate(self.orders)}
        metrics |= {f"aopc_{order}": aopc[:, :, o] for o, order in enumerate(self.orders)}
        if {LERF, MORF} <= set(self.orders):
            metrics["abpc"] = self.abpc
        for n, image in enumerate(self.images):
            for d, design in enumerate(self.designs):
                for metric, values in metrics.items():
                    value = float(values[n, d])
                    yield {"image": image, "design": design, "metric": metric, "value": value}

    def _place(self, what: str, names: tuple[str, ...], name: str) -> int:
        """Position of a name along its axis."""
        if name not in names:
            raise InputError(
                f"{what} {name!r} was not flipped; there is {', '.join(names)}."
                f"{did_you_mean(str(name), names)}"
            )
        return names.index(name)
