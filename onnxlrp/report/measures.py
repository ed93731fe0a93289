"""The sections of what was measured: flipping curves, scores over a data set, a ranking."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from onnxlrp.evaluate import Evaluation, FlippingResult, Ranking, ScoreRow, mean_scores
from onnxlrp.evaluate.ordering import RANDOM
from onnxlrp.render.text import number
from onnxlrp.report import html
from onnxlrp.report.charts import curves_of, flipping_chart
from onnxlrp.report.findings import Findings

FLIPPING = "Pixel flipping"
SCORES = "Scores"
RANKING = "Ranking"

Rows = list[tuple[str, ...]]

NAMED = 20
"""Failures that a report lists."""

_MEANING = (
    "AUC is the mean height of a curve; AOPC is how far the score fell on average; ABPC is the "
    "area between the curve that flips the least relevant pixels first (lerf) and that which flips "
    "the most relevant first (morf): higher is better."
)


def flipping_section(findings: Findings) -> str:
    """Lay out the curves and their areas; empty where nothing was flipped."""
    flipped, evaluation = findings.flipping, findings.evaluation
    parts: list[str] = []
    if flipped is not None:
        caption = "Scores as pixels are flipped"
        band = "the random runs" if len(flipped.images) == 1 else "the mean over pictures"
        parts += _curves(flipped, flipped.score, len(flipped.images), f"{caption}; 95 % of {band}.")
        rows = [ScoreRow(**row) for row in flipped.score_rows()]  # type: ignore[arg-type]
        parts += [_table(mean_rows(rows)), html.paragraph(_how(flipped))]
    elif evaluation is not None and evaluation.settings.orders:
        good = evaluation.images - len(list(evaluation.failures()))
        caption = "Mean scores as pixels are flipped, with 95 % intervals of the mean."
        parts += _curves(evaluation, evaluation.settings.flipping.score, good, caption)
    if not parts:
        return ""
    return html.section(FLIPPING, [*parts, html.paragraph(_MEANING)])


def scores_section(findings: Findings) -> str:
    """Lay out mean scores and failures of an evaluation; empty without one."""
    evaluation = findings.evaluation
    if evaluation is None:
        return ""
    failures = list(evaluation.failures())
    good = evaluation.images - len(failures)
    parts = [html.paragraph(about(evaluation, len(failures)))]
    if good:
        parts.append(_table(score_rows(evaluation)))
    if failures:
        rows = [("picture", "reason"), *((f.image, f.reason) for f in failures[:NAMED])]
        parts += [html.heading(f"Failed pictures: {len(failures)}"), html.table(rows)]
    return html.section(SCORES, parts)


def ranking_section(findings: Findings) -> str:
    """Lay out a ranking, metric by metric; empty without one."""
    ranking = findings.ranking
    if ranking is None:
        return ""
    parts = [html.paragraph(ranking.statement())]
    for metric in ranking.metrics:
        rows = ranking_rows(ranking, metric)
        parts += [html.heading(metric), html.table(rows, right=range(2, 6))]
    return html.section(RANKING, parts)


def score_rows(evaluation: Evaluation) -> Rows:
    """Lay out the mean scores: a design a row, a metric a column."""
    return mean_rows(evaluation.scores(), evaluation.designs, evaluation.settings.metrics)


def mean_rows(
    scores: Sequence[ScoreRow] | Iterator[ScoreRow],
    designs: Sequence[str] | None = None,
    metrics: Sequence[str] | None = None,
) -> Rows:
    """Lay out means over the pictures; designs and metrics as they come, unless told."""
    means = mean_scores(scores)
    designs = designs or tuple(dict.fromkeys(design for design, _ in means))
    metrics = metrics or tuple(dict.fromkeys(metric for _, metric in means))
    rows: Rows = [("design", *metrics)]
    for design in designs:
        values = (means.get((design, metric), math.nan) for metric in metrics)
        rows.append((design, *("–" if math.isnan(v) else number(v) for v in values)))
    return rows


def ranking_rows(ranking: Ranking, metric: str) -> Rows:
    """Lay out the designs under one metric, the best first."""
    rows: Rows = [("place", "design", "mean", "interval", "behind the first", "interval", "")]
    for row in ranking.of(metric):
        behind = (number(row.behind), _interval(row.behind_low, row.behind_high))
        rows.append(
            (
                *(str(row.place), row.design, number(row.mean), _interval(row.low, row.high)),
                *(("", "", "first") if row.place == 1 else behind),
                *(() if row.place == 1 else ("worse" if row.worse else "not told apart",)),
            )
        )
    return rows


def about(evaluation: Evaluation, failed: int) -> str:
    """Say what was measured."""
    settings, flipping = evaluation.settings, evaluation.settings.flipping
    text = (
        f"{evaluation.images} pictures, {failed} of them failed. Target {settings.target}, seed "
        f"{settings.seed}. Means over the pictures."
    )
    if not settings.orders:
        return text
    return (
        f"{text} Flipping: regions of {_region(flipping.unit)}, {flipping.steps} steps, fill "
        f"{flipping.fill}, score {flipping.score}."
    )


def _curves(
    found: FlippingResult | Evaluation, score: str, images: int, caption: str
) -> Iterator[str]:
    """Draw the curves, if there are any."""
    means = curves_of(found)
    if means:
        yield html.drawing(flipping_chart(means, score, images), caption)


def _how(flipped: FlippingResult) -> str:
    """Say how pictures were flipped."""
    settings = flipped.settings
    runs = f", {settings['repeats']} random runs" if RANDOM in flipped.orders else ""
    return (
        f"Regions of {_region(settings['unit'])}, {settings['steps']} steps up to "
        f"{100 * settings['until']:g} % of the regions, fill {settings['fill']}{runs}. "
        f"{flipped.note}"
    )


def _region(unit: object) -> str:
    """Say what a region is."""
    if isinstance(unit, int):
        return "single pixels" if unit == 1 else f"{unit}×{unit} pixels"
    return "superpixels" if isinstance(unit, str) else "given labels"


def _table(rows: Rows) -> str:
    """Lay out a table whose first column is a name."""
    return html.table(rows, right=range(1, len(rows[0])))


def _interval(low: float, high: float) -> str:
    """Write an interval."""
    return f"{number(low)} to {number(high)}"
