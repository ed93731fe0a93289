"""What a person gets of an evaluation: curves, a summary, a report, a few lines on the terminal."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image

from onnxlrp.cli.console import number, table
from onnxlrp.evaluate import Evaluation, MeanCurve, Ranking, mean_curves, mean_scores
from onnxlrp.evaluate.summary import CurveKey
from onnxlrp.files import whole_file
from onnxlrp.graph.model import Model
from onnxlrp.render import report
from onnxlrp.render.curves import Series, curves

Rows = list[tuple[str, ...]]

_NAMED = 20  # failures that a report lists; failures.csv has them all


def draw_curves(found: Mapping[CurveKey, MeanCurve], score: str, images: int) -> Image.Image:
    """Draw the mean curves with their intervals."""
    series = [
        Series(f"{design}, {order}" if design else order, c.fraction, c.mean, c.low, c.high)
        for (design, order), c in found.items()
    ]
    pictures = "one picture" if images == 1 else f"mean of {images} pictures"
    axis = {"logit": "logit of the target", "probability": "probability of the target"}
    return curves(
        series,
        title=f"Pixel flipping, {pictures}",
        x_label="share of pixels flipped",
        y_label=axis.get(score, score.replace("_", " ")),
    )


def score_rows(evaluation: Evaluation) -> Rows:
    """Lay out the mean scores: a design a row, a metric a column."""
    means = mean_scores(evaluation.scores())
    metrics = evaluation.settings.metrics
    rows: Rows = [("design", *metrics)]
    for design in evaluation.designs:
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


def _interval(low: float, high: float) -> str:
    """Write an interval."""
    return f"{number(low)} to {number(high)}"


def write_report(
    folder: Path, model: Model, evaluation: Evaluation, title: str, ranking: Ranking | None = None
) -> list[Path]:
    """Write curves.png, summary.json and report.html beside the tables.

    Returns
    -------
    list of Path
        What was written, and the tables.
    """
    settings = evaluation.settings
    failures = list(evaluation.failures())
    good = evaluation.images - len(failures)
    found = mean_curves(evaluation.curves())
    image = draw_curves(found, settings.flipping.score, good) if found else None
    parts = [report.paragraph(_about(model, evaluation, len(failures)))]
    if ranking is not None:
        parts += _ranking_parts(ranking)
    if good:
        parts += [report.heading("Mean scores"), _html(score_rows(evaluation), first=1)]
    if image is not None:
        caption = "Mean scores as pixels are flipped, with 95 % intervals of the mean over pictures"
        parts += [report.heading("Flipping curves"), report.picture(image, f"{caption}.")]
    if failures:
        rows = [("picture", "reason"), *((f.image, f.reason) for f in failures[:_NAMED])]
        parts += [report.heading(f"Failed pictures: {len(failures)}"), report.table(rows)]
    paths = [folder / "report.html", folder / "summary.json"]
    texts = [report.page(title, parts), _summary(model, evaluation, failures, ranking)]
    with ExitStack() as unfinished:
        for path, text in zip(paths, texts, strict=True):
            unfinished.enter_context(whole_file(path)).write_text(text, encoding="utf-8")
        if image is not None:
            paths.append(folder / "curves.png")
            image.save(unfinished.enter_context(whole_file(paths[-1])))
    return [*paths, *(folder / name for name in ("scores.csv", "curves.csv"))]


def console_report(evaluation: Evaluation) -> str:
    """Say the mean scores and what failed, for a terminal."""
    rows = score_rows(evaluation)
    failed = list(evaluation.failures())
    lines = [
        f"{evaluation.images - len(failed)} pictures, mean scores",
        table(rows, right=range(1, len(rows[0])), indent="  "),
    ]
    lines += [f"failed: {row.image}: {row.reason}" for row in failed[:_NAMED]]
    if len(failed) > _NAMED:
        lines.append(f"and {len(failed) - _NAMED} more: see failures.csv")
    return "\n".join(lines)


def _ranking_parts(ranking: Ranking) -> list[str]:
    """Lay out a ranking as HTML."""
    parts = [report.heading("Ranking"), report.paragraph(ranking.statement())]
    for metric in ranking.metrics:
        parts += [report.heading(metric), _html(ranking_rows(ranking, metric), first=2, last=6)]
    return parts


def _html(rows: Sequence[Sequence[str]], first: int, last: int | None = None) -> str:
    """Lay out a table whose columns from ``first`` to before ``last`` are numbers."""
    return report.table(rows, right=range(first, len(rows[0]) if last is None else last))


def _about(model: Model, evaluation: Evaluation, failed: int) -> str:
    """Say what was measured."""
    settings, flipping = evaluation.settings, evaluation.settings.flipping
    text = (
        f"Network {model.name} (SHA-256 {model.sha256[:12]}…), {evaluation.images} pictures, "
        f"{failed} of them failed. Target {settings.target}, seed {settings.seed}."
    )
    if not settings.orders:
        return text
    region = flipping.unit if isinstance(flipping.unit, str) else f"{flipping.unit}² pixels"
    return (
        f"{text} Flipping: regions of {region}, {flipping.steps} steps, fill {flipping.fill}, "
        f"score {flipping.score}."
    )


def _summary(
    model: Model, evaluation: Evaluation, failures: Sequence[Any], ranking: Ranking | None
) -> str:
    """Write the means, and the ranking, as JSON."""
    means = mean_scores(evaluation.scores())
    data: dict[str, Any] = {
        "model": {"name": model.name, "sha256": model.sha256},
        "settings": asdict(evaluation.settings),
        "images": evaluation.images,
        "failed": [row.image for row in failures],
        "means": {
            design: {
                metric: _finite(means.get((design, metric), math.nan))
                for metric in evaluation.settings.metrics
            }
            for design in evaluation.designs
        },
    }
    if ranking is not None:
        data["ranking"] = {
            metric: {
                "statement": ranking.statement(metric),
                "designs": [row.design for row in ranking.of(metric)],
            }
            for metric in ranking.metrics
        }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _finite(value: float) -> float | None:
    """JSON knows no NaN."""
    return value if math.isfinite(value) else None
