"""Ablating channels of a layer for the command line, and the files that come of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.cli.inputs import Sample
from onnxlrp.composites import Composite
from onnxlrp.evaluate import (
    AblationCurve,
    AblationRow,
    NeuronRow,
    Neurons,
    ablate,
    ablation_curve,
    rank_neurons,
)
from onnxlrp.evaluate.items import open_data
from onnxlrp.files import whole_file
from onnxlrp.graph.model import Model
from onnxlrp.render.text import number
from onnxlrp.report import Ablated, Findings, report_page
from onnxlrp.report.ablations import ablation_rows, neuron_rows
from onnxlrp.report.charts import ablation_chart
from onnxlrp.report.tables import write_table
from onnxlrp.runtime.device import Device

_SEEDS = 5  # random orders that a curve is compared with


@dataclass(frozen=True, slots=True)
class Ablation:
    """What is ablated, and how its channels are ranked."""

    model: Model
    composite: Composite
    layers: tuple[str, ...]
    by: Any
    mode: Any
    target: int | str
    reference: NDArray[Any] | None
    device: Device

    @property
    def place(self) -> str:
        """The layers, for people."""
        return " + ".join(self.layers)


def ablation_once(
    ablation: Ablation, samples: Sequence[Sample], channels: list[int] | None, top: int | None
) -> Iterator[Ablated]:
    """Silence the given channels of every sample, or the first ones of its ranking."""
    for sample in samples:
        x = _batch(ablation.model, sample)
        ranked = [_ranked(ablation, x, layer) for layer in ablation.layers]
        first, *others = (
            channels if top is None else neurons.top(top)[0].tolist() for neurons in ranked
        )
        result = ablate(
            ablation.model,
            x,
            ablation.layers[0],
            first,
            mode=ablation.mode,
            more=dict(zip(ablation.layers[1:], others, strict=True)),
            target=ablation.target,
            reference=ablation.reference,
            device=ablation.device,
        )
        yield Ablated((sample.name,), result, tuple(ranked))


def ablation_curves(
    ablation: Ablation, samples: Sequence[Sample], counts: int, score: str, seed: int
) -> Iterator[Ablated]:
    """Silence more and more channels of every sample."""
    for sample in samples:
        x = _batch(ablation.model, sample)
        (layer,) = ablation.layers
        ranked = _ranked(ablation, x, layer)
        curve = ablation_curve(
            ablation.model,
            x,
            layer,
            ablation.by,
            ablation.composite,
            counts,
            ablation.mode,
            score,
            range(seed, seed + _SEEDS),
            target=ablation.target,
            reference=ablation.reference,
            device=ablation.device,
        )
        yield Ablated((sample.name,), curve, (ranked,))


def reference(model: Model, data: Path) -> NDArray[Any]:
    """Read the pictures of a data set, to average over.

    Raises
    ------
    InputError
        There is none, or one that does not fit the network.
    """
    return np.concatenate([item.tensor(model) for item in open_data(data).items])


def line(ablated: Ablated) -> str:
    """Say in one line what an ablation of one picture did."""
    found, image = ablated.found, ablated.images[0]
    if isinstance(found, AblationCurve):
        return (
            f"{image} ({found.labels[0]}): area {number(float(found.area[0]))}, in random order "
            f"{number(float(found.random_area[:, 0].mean()))}"
        )
    before, after = (number(float(s[0])) for s in (found.score_before, found.score_after))
    return (
        f"{image}: {found.mode} {int(found.selected[0])} of {' + '.join(found.layers)}: "
        f"score {before} before, {after} after"
    )


def write(folder: Path, ablation: Ablation, found: Sequence[Ablated]) -> list[Path]:
    """Write the tables, the summary and the report; if one of them fails, no report appears."""
    model = ablation.model
    findings = Findings(
        model,
        {ablation.composite.name: ablation.composite},
        f"Ablation of {ablation.place} in {model.name}",
        ablations=tuple(found),
        settings={"by": ablation.by, "target": ablation.target},
    )
    paths = [folder / "neurons.csv", folder / "ablation.csv"]
    write_table(paths[0], NeuronRow, [row for each in found for row in neuron_rows(each)])
    write_table(paths[1], AblationRow, [row for each in found for row in ablation_rows(each)])
    texts = {"summary.json": _summary(ablation, found), "report.html": report_page(findings)}
    curves = [each.found for each in found if isinstance(each.found, AblationCurve)]
    with ExitStack() as unfinished:
        if curves:
            chart = ablation_chart(curves, images=1)
            texts["curves.svg"] = chart.svg()
            paths.append(folder / "curves.png")
            chart.image().save(unfinished.enter_context(whole_file(paths[-1])))
        for name, text in texts.items():
            paths.append(folder / name)
            unfinished.enter_context(whole_file(paths[-1])).write_text(text, encoding="utf-8")
    return paths


def _summary(ablation: Ablation, found: Sequence[Ablated]) -> str:
    """Write what was asked, and what came of it, as JSON."""
    data = {
        "model": {"name": ablation.model.name, "sha256": ablation.model.sha256},
        "composite": ablation.composite.to_dict(),
        "layer": ablation.place,
        "mode": ablation.mode,
        "by": ablation.by,
        "target": ablation.target,
        "results": [line(each) for each in found],
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _batch(model: Model, sample: Sample) -> Any:
    """Return the sample as often as a network of a fixed batch wants it."""
    return np.repeat(sample.x, model.fixed_batch or 1, axis=0)


def _ranked(ablation: Ablation, x: Any, layer: str) -> Neurons:
    """Rank the channels of one layer for one sample."""
    return rank_neurons(
        ablation.model,
        x,
        layer,
        ablation.composite,
        ablation.target,
        by=ablation.by,
        device=ablation.device,
    )
