"""The drawings of a report: flipping curves, ablation curves, relevance down the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from onnxlrp.books import LayerBooks
from onnxlrp.evaluate import AblationCurve, Evaluation, FlippingResult, MeanCurve, mean_curves
from onnxlrp.evaluate.ordering import RANDOM
from onnxlrp.evaluate.summary import CurveKey
from onnxlrp.render.curves import Series, curves
from onnxlrp.render.scene import Scene

_SCORES = {
    "logit": "logit of the target",
    "probability": "probability of the target",
    "rank": "rank of the target",
}


def curves_of(found: FlippingResult | Evaluation) -> Mapping[CurveKey, MeanCurve]:
    """Return the mean flipping curves by (design, order); the random one, once, by ("", "random").

    Of a single picture of a :class:`FlippingResult` the interval is that of its runs.
    """
    if isinstance(found, Evaluation):
        return mean_curves(found.curves())
    keys = [(d, o) for d in found.designs for o in found.orders if o != RANDOM]
    means = {(design, order): found.curve(design, order) for design, order in keys}
    if RANDOM in found.orders:
        means["", RANDOM] = found.curve(found.designs[0], RANDOM)
    return means


def flipping_chart(found: Mapping[CurveKey, MeanCurve], score: str, images: int) -> Scene:
    """Draw mean flipping curves with their intervals.

    Parameters
    ----------
    found : mapping of (design, order) to MeanCurve
        As :func:`curves_of` gives it.
    score : str
        What was scored: "logit", …
    images : int
        How many pictures.
    """
    found = dict(sorted(found.items(), key=lambda pair: not pair[0][0]))  # random comes last
    designs, orders = ([*dict.fromkeys(key[axis] for key in found)] for axis in (0, 1))
    series = [
        Series(
            f"{design}, {order}" if design else order,
            *(c.fraction, c.mean, c.low, c.high),
            look=(designs.index(design), orders.index(order)),  # a colour a design
        )
        for (design, order), c in found.items()
    ]
    return curves(
        series,
        title=f"Pixel flipping, {_pictures(images)}",
        x_label="share of pixels flipped",
        y_label=_SCORES.get(score, score.replace("_", " ")),
    )


def ablation_chart(found: Sequence[AblationCurve], images: int | None = None) -> Scene:
    """Draw the mean over pictures, beside the mean and the band of random orders.

    Parameters
    ----------
    found : sequence of AblationCurve
        Of one layer, in one mode, with the same counts.
    images : int, optional
        How many pictures of each count; None: all.
    """
    first = found[0]
    scores = np.concatenate([curve.scores[:images] for curve in found])
    series = [Series(f"by {first.ranking}", first.fractions, scores.mean(axis=0))]
    if len(first.random):
        random = np.concatenate([curve.random[:, :images] for curve in found], axis=1).mean(axis=1)
        band = random.min(axis=0), random.max(axis=0)
        series.append(Series("random", first.fractions, random.mean(axis=0), *band))
    return curves(
        series,
        title=f"Channels of {first.layer}, {first.mode}: {_pictures(len(scores))}",
        x_label="share of channels selected",
        y_label=_SCORES.get(first.score, first.score.replace("_", " ")),
    )


def relevance_chart(books: Mapping[str, Sequence[LayerBooks]], name: str) -> Scene:
    """Draw how much of Σ R at the output arrives at each layer, from the output down.

    Parameters
    ----------
    books : mapping of design's name to its books
    name : str
        The picture's.
    """
    series = []
    for design, of_design in books.items():
        start = float(of_design[0].arrived.sum())
        arrived = [float(book.arrived.sum()) for book in of_design]
        arrived.append(float(of_design[-1].handed.sum()))
        shares = np.array(arrived) / start if start else np.array(arrived)
        series.append(Series(design, np.arange(len(shares)), shares))
    return curves(
        series,
        title=f"Relevance on its way down, {name}",
        x_label="layers passed, from the output to the input",
        y_label="share of Σ R at the output",
    )


def _pictures(images: int) -> str:
    """Say how many pictures."""
    return "one picture" if images == 1 else f"mean of {images} pictures"
