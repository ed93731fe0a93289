"""Ablating channels of a layer for the command line, and the files that come of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from onnxlrp.cli.console import number
from onnxlrp.cli.inputs import Sample
from onnxlrp.cli.tables import write_table
from onnxlrp.composites import Composite
from onnxlrp.evaluate import (
    AblationCurve,
    AblationRow,
    NeuronRow,
    ablate,
    ablation_curve,
    rank_neurons,
)
from onnxlrp.files import whole_file
from onnxlrp.graph.model import Model
from onnxlrp.render import report
from onnxlrp.render.curves import Series, curves
from onnxlrp.runtime.device import Device

_SHOWN = 20  # neurons of each picture that the report lists
_SEEDS = 5  # random orders that a curve is compared with


@dataclass(frozen=True, slots=True)
class Ablation:
    """What is ablated, and how its channels are ranked."""

    model: Model
    composite: Composite
    layer: str
    by: Any
    mode: Any
    target: int | str
    device: Device


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What the ablation of all samples gave."""

    neurons: list[NeuronRow]
    rows: list[AblationRow]
    lines: list[str]
    picture: Image.Image | None = None


def ablation_once(
    ablation: Ablation, samples: Sequence[Sample], channels: list[int] | None, top: int | None
) -> Found:
    """Silence the given channels of every sample, or the first ones of its ranking."""
    neurons: list[NeuronRow] = []
    rows: list[AblationRow] = []
    lines = []
    for sample in samples:
        x = _batch(ablation.model, sample)
        ranked = _ranked(ablation, x)
        chosen = channels if top is None else ranked.top(top)[0].tolist()
        result = ablate(
            ablation.model,
            x,
            ablation.layer,
            chosen,
            mode=ablation.mode,
            target=ablation.target,
            device=ablation.device,
        )
        names = _names(sample, len(x))
        neurons += _own(sample, ranked.rows(names))
        rows += _own(sample, result.rows(names))
        before, after = result.score_before[0], result.score_after[0]
        lines.append(
            f"{sample.name}: {ablation.mode} {len(chosen or ())} channels of {ablation.layer}: "
            f"score {number(float(before))} before, {number(float(after))} after"
        )
    return Found(neurons, rows, lines)


def ablation_curves(
    ablation: Ablation, samples: Sequence[Sample], counts: int, score: str, seed: int
) -> Found:
    """Silence more and more channels of every sample."""
    neurons: list[NeuronRow] = []
    rows: list[AblationRow] = []
    lines, found = [], []
    for sample in samples:
        x = _batch(ablation.model, sample)
        ranked = _ranked(ablation, x)
        curve = ablation_curve(
            ablation.model,
            x,
            ablation.layer,
            ablation.by,
            ablation.composite,
            counts,
            ablation.mode,
            score,
            range(seed, seed + _SEEDS),
            target=ablation.target,
            device=ablation.device,
        )
        found.append(curve)
        names = _names(sample, len(x))
        neurons += _own(sample, ranked.rows(names))
        rows += _own(sample, curve.rows(names))
        lines.append(
            f"{sample.name} ({curve.labels[0]}): area {number(float(curve.area[0]))}, in random "
            f"order {number(float(curve.random_area[:, 0].mean()))}"
        )
    return Found(neurons, rows, lines, _drawn(found))


def write(folder: Path, ablation: Ablation, found: Found) -> list[Path]:
    """Write the tables, the summary and the report; if one of them fails, no report appears."""
    title = f"Ablation of {ablation.layer} in {ablation.model.name}"
    paths = [folder / "neurons.csv", folder / "ablation.csv"]
    write_table(paths[0], NeuronRow, found.neurons)
    write_table(paths[1], AblationRow, found.rows)
    summary = {
        "model": {"name": ablation.model.name, "sha256": ablation.model.sha256},
        "composite": ablation.composite.to_dict(),
        "layer": ablation.layer,
        "mode": ablation.mode,
        "by": ablation.by,
        "target": ablation.target,
        "results": found.lines,
    }
    texts = {
        "summary.json": json.dumps(summary, indent=2, ensure_ascii=False) + "\n",
        "report.html": report.page(title, _parts(found)),
    }
    with ExitStack() as unfinished:
        for name, text in texts.items():
            paths.append(folder / name)
            unfinished.enter_context(whole_file(paths[-1])).write_text(text, encoding="utf-8")
        if found.picture is not None:
            paths.append(folder / "curves.png")
            found.picture.save(unfinished.enter_context(whole_file(paths[-1])))
    return paths


def _batch(model: Model, sample: Sample) -> Any:
    """Return the sample as often as a network of a fixed batch wants it."""
    return np.repeat(sample.x, model.fixed_batch or 1, axis=0)


def _names(sample: Sample, count: int) -> list[str]:
    """Name the rows of a batch; only the first one is the sample's own."""
    return [sample.name, *("",) * (count - 1)]


def _own(sample: Sample, rows: Any) -> list[Any]:
    """Keep the rows of the sample itself."""
    return [row for row in rows if row.image == sample.name]


def _ranked(ablation: Ablation, x: Any) -> Any:
    """Rank the channels of one sample."""
    return rank_neurons(
        ablation.model,
        x,
        ablation.layer,
        ablation.composite,
        ablation.target,
        by=ablation.by,
        device=ablation.device,
    )


def _drawn(found: Sequence[AblationCurve]) -> Image.Image:
    """Draw the mean over the samples, beside the mean and the band of random orders."""
    first = found[0]
    fractions = first.fractions
    ranked = np.mean([curve.scores[0] for curve in found], axis=0)
    random = np.mean([curve.random[:, 0] for curve in found], axis=0)
    series = [
        Series(f"by {first.ranking}", fractions, ranked),
        Series("random", fractions, random.mean(axis=0), random.min(axis=0), random.max(axis=0)),
    ]
    pictures = "one picture" if len(found) == 1 else f"mean of {len(found)} pictures"
    return curves(
        series,
        title=f"Channels of {first.layer}, {first.mode}: {pictures}",
        x_label="share of channels selected",
        y_label=f"{first.score.replace('_', ' ')} of the target",
    )


def _parts(found: Found) -> list[str]:
    """Lay out the report."""
    parts = [report.paragraph(line) for line in found.lines]
    if found.picture is not None:
        caption = "Score as channels are selected; the band spans the random orders."
        parts.append(report.picture(found.picture, caption))
    else:
        rows = [("picture", "label", "before", "after")]
        rows += [(r.image, r.label, number(r.before), number(r.after)) for r in found.rows]
        parts += [report.heading("Scores before and after"), report.table(rows, right={2, 3})]
    for image in dict.fromkeys(row.image for row in found.neurons):
        first = [row for row in found.neurons if row.image == image][:_SHOWN]
        table: list[tuple[str, ...]] = [
            ("channel", "relevance", "positive", "negative", "activation")
        ]
        for row in first:
            values = (row.relevance, row.positive, row.negative, row.activation)
            table.append((str(row.channel), *map(number, values)))
        heading = report.heading(f"First channels of {image}")
        parts += [heading, report.table(table, right=range(5))]
    return parts
