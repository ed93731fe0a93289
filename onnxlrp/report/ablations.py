"""The section of ablations: scores before and after, curves, and the neurons by rank."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from onnxlrp.evaluate import AblationCurve, AblationResult, AblationRow, NeuronRow
from onnxlrp.evaluate.changes import ScoreChange
from onnxlrp.render.text import number
from onnxlrp.report import html
from onnxlrp.report.charts import ablation_chart
from onnxlrp.report.findings import Ablated, Findings

TITLE = "Ablation"

_NEURONS = 20  # of each picture that are listed


def section(findings: Findings) -> str:
    """Lay out every ablation; empty without any."""
    if not findings.ablations:
        return ""
    alike = groupby(findings.ablations, _kind)
    parts = [part for _, group in alike for part in _alike(list(group))]
    neurons = [part for each in findings.ablations for part in _neurons(each)]
    if neurons:
        parts.append(html.folded("Channels by rank", neurons))
    return html.section(TITLE, parts)


def ablation_rows(ablated: Ablated) -> Iterator[AblationRow]:
    """Yield the lines of ablation.csv; what fills up a fixed batch is left out."""
    found = ablated.found
    filled = len(found.before if isinstance(found, AblationResult) else found.scores)
    images = _names(ablated, filled)
    yield from (row for row in found.rows(images) if row.image in ablated.images)


def neuron_rows(ablated: Ablated) -> Iterator[NeuronRow]:
    """Yield the lines of neurons.csv; nothing without a ranking."""
    for neurons in ablated.neurons:
        images = _names(ablated, len(neurons.table))
        yield from (row for row in neurons.rows(images) if row.image in ablated.images)


def change_rows(changes: tuple[ScoreChange, ...]) -> list[tuple[str, ...]]:
    """Lay out classes before and after."""
    rows: list[tuple[str, ...]] = [("class", "before", "after", "change", "rank", "rank after")]
    for each in changes:
        values = (number(each.before), number(each.after), number(each.change))
        rows.append((each.label, *values, str(each.rank_before), str(each.rank_after)))
    return rows


def _kind(ablated: Ablated) -> tuple[object, ...]:
    """What ablations must share to be drawn as one curve; an ablation at once is its own."""
    found = ablated.found
    if isinstance(found, AblationResult):
        return (id(found),)
    return (found.layer, found.mode, found.ranking, found.score, found.counts.tobytes())


def _alike(group: list[Ablated]) -> Iterator[str]:
    """Lay out curves of one kind in one drawing, or one ablation picture by picture."""
    images = len(group[0].images)
    curves = [each.found for each in group if isinstance(each.found, AblationCurve)]
    if curves:
        caption = "Score as channels are selected; the band spans the random orders."
        yield html.drawing(ablation_chart(curves, images), caption)
        rows: list[tuple[str, ...]] = [("picture", "target", "area", "in random order")]
        for each, curve in zip(group, curves, strict=True):
            for i, image in enumerate(each.images):
                at_random = curve.random_area[:, i].mean() if len(curve.random) else None
                area = number(float(curve.area[i]))
                cell = "–" if at_random is None else number(float(at_random))
                rows.append((image, curve.labels[i], area, cell))
        yield html.table(rows, right={2, 3})
        return
    (ablated,) = group
    found = ablated.found
    assert isinstance(found, AblationResult)
    for i, image in enumerate(ablated.images):
        what = f"{found.mode} {int(found.selected[i])} of {' + '.join(found.layers)}"
        yield html.heading(f"{image}: {what}")
        yield html.table(change_rows(found.top(i)), right=range(1, 6))


def _neurons(ablated: Ablated) -> Iterator[str]:
    """List the first channels of every picture."""
    by_place = groupby(neuron_rows(ablated), lambda row: (row.image, row.layer))
    for (image, layer), rows in by_place:
        table: list[tuple[str, ...]] = [
            ("channel", "relevance", "positive", "negative", "activation")
        ]
        for row in list(rows)[:_NEURONS]:
            values = (row.relevance, row.positive, row.negative, row.activation)
            table.append((str(row.channel), *map(number, values)))
        yield html.heading(f"{image}, {layer}")
        yield html.table(table, right=range(5))


def _names(ablated: Ablated, filled: int) -> list[str]:
    """Name the rows of a batch; those that only fill it up have no name."""
    return [*ablated.images, *("",) * (filled - len(ablated.images))]
