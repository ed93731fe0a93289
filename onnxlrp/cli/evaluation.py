"""What a person gets of an evaluation: curves, a summary, a report, a few lines on the terminal."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from onnxlrp.cli.console import table
from onnxlrp.composites import Composite
from onnxlrp.evaluate import Evaluation, FailureRow, Ranking, mean_scores
from onnxlrp.files import whole_file
from onnxlrp.graph.model import Model
from onnxlrp.report import Explained, Findings, report_page
from onnxlrp.report.charts import curves_of, flipping_chart
from onnxlrp.report.measures import NAMED, score_rows


def write_report(
    folder: Path,
    model: Model,
    designs: Mapping[str, Composite],
    evaluation: Evaluation,
    title: str,
    ranking: Ranking | None = None,
    pictures: Sequence[Explained] = (),
) -> list[Path]:
    """Write report.html, summary.json, and curves.png and .svg beside the tables.

    Returns
    -------
    list of Path
        What was written, and the tables.
    """
    failures = list(evaluation.failures())
    findings = Findings(
        model, designs, title, tuple(pictures), evaluation=evaluation, ranking=ranking
    )
    texts = {
        "report.html": report_page(findings),
        "summary.json": _summary(model, evaluation, failures, ranking),
    }
    means = curves_of(evaluation)
    with ExitStack() as unfinished:
        if means:
            score, good = evaluation.settings.flipping.score, evaluation.images - len(failures)
            chart = flipping_chart(means, score, good)
            texts["curves.svg"] = chart.svg()
            chart.image().save(unfinished.enter_context(whole_file(folder / "curves.png")))
        for name, text in texts.items():
            unfinished.enter_context(whole_file(folder / name)).write_text(text, encoding="utf-8")
    drawn = ["curves.png"] if means else []
    return [folder / name for name in (*texts, *drawn, "scores.csv", "curves.csv")]


def console_report(evaluation: Evaluation) -> str:
    """Say the mean scores and what failed, for a terminal."""
    rows = score_rows(evaluation)
    failed = list(evaluation.failures())
    lines = [
        f"{evaluation.images - len(failed)} pictures, mean scores",
        table(rows, right=range(1, len(rows[0])), indent="  "),
    ]
    lines += [f"failed: {row.image}: {row.reason}" for row in failed[:NAMED]]
    if len(failed) > NAMED:
        lines.append(f"and {len(failed) - NAMED} more: see failures.csv")
    return "\n".join(lines)


def _summary(
    model: Model, evaluation: Evaluation, failures: Sequence[FailureRow], ranking: Ranking | None
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
