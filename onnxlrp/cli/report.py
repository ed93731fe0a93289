"""What `onnxlrp explain` prints: the classes, and where relevance went."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from onnxlrp.books import LayerBooks
from onnxlrp.cli.console import table
from onnxlrp.cli.explaining import Explanation
from onnxlrp.cli.inspection_text import labels
from onnxlrp.evaluate.statistics import where_lost
from onnxlrp.graph.model import Model
from onnxlrp.render.text import number, percent

TOP = 5
"""Classes shown."""

_NOTHING = 1e-5
"""Share of the relevance at the output below which a sum is rounding: float32 knows no better."""


def report(model: Model, explanations: Sequence[Explanation]) -> Iterator[str]:
    """Yield paragraphs: the network, and for each picture its classes and its composites' books."""
    cut = "".join(f" ({change.detail})" for change in model.changes if change.kind == "cut")
    yield (
        f"model     {model.name}: {len(model.layers)} layers, output {model.output.name!r}{cut}\n"
        f"pictures  {model.preprocessing_note}\n"
        f"labels    {labels(model)}\n"
        f"provider  {explanations[0].result.provider}"
    )
    last = None
    for explanation in explanations:
        if explanation.sample is not last and explanation.target >= 0:
            last = explanation.sample
            yield _classes(model, explanation)
        yield _books(model, explanation)


def _classes(model: Model, explanation: Explanation) -> str:
    """Write the classes with the highest scores."""
    (output,) = explanation.result.output
    best = np.argsort(-output, kind="stable")[:TOP]
    rows = [("class", "score", "label")]
    rows += [(str(i), number(float(output[i])), model.label(int(i))) for i in best]
    source = explanation.sample.source
    return f"{source}: the {len(best)} highest scores\n{table(rows, right={0, 1}, indent='  ')}"


def _books(model: Model, explanation: Explanation) -> str:
    """Write where the relevance of one sample went under one composite."""
    what = f"class {explanation.target} ({explanation.label(model)})"
    what = explanation.result.aim or what
    lines = [
        f"{explanation.sample.name}, {explanation.composite.name}: relevance of {what}, "
        f"score {number(explanation.score)}",
        table(list(_rows(explanation)), right={3, 4, 5, 6, 7}, indent="  "),
        *_left_out(explanation),
        f"  {where_lost(explanation.result.books)}",
        _conservation(explanation),
    ]
    return "\n".join(lines)


def _rows(explanation: Explanation) -> Iterator[tuple[str, ...]]:
    """Yield header, one row for every layer that does more than move relevance, and the sums."""
    yield ("layer", "type", "rule", "arrived", "handed on", "to bias", "to ε", "other")
    start = explanation.started
    shown = [book for book in explanation.result.books if _is_shown(book, start)]
    for book in shown:
        sums = (book.arrived, book.handed, book.bias, book.epsilon, book.other)
        cells = [_cell(float(values.sum()), start) for values in sums]
        yield (book.layer.name, book.layer.op, book.rule, *cells)
    lost = [
        sum(float(values.sum()) for values in column)
        for column in zip(*((b.bias, b.epsilon, b.other) for b in shown), strict=True)
    ]
    sums_of_all = (start, explanation.arrived, *lost)
    yield ("output to input", "", "", *(_cell(value, start) for value in sums_of_all))


def _is_shown(book: LayerBooks, start: float) -> bool:
    """Whether a layer has weights, or kept something back."""
    return book.layer.weighted or abs(float(book.lost.sum())) > _NOTHING * abs(start)


def _cell(value: float, start: float) -> str:
    """Write a sum with as many decimals as show a ten-thousandth of Σ R at the output."""
    if abs(value) <= _NOTHING * abs(start):
        return "0"
    decimals = max(0, 4 - math.floor(math.log10(abs(start)))) if start else 9
    text = f"{value:.{decimals}f}" if decimals < 9 else number(value)
    return text.replace("-", "−") if float(text.replace("−", "-")) else "0"


def _left_out(explanation: Explanation) -> list[str]:
    """Say how many layers the table leaves out."""
    books = explanation.result.books
    hidden = sum(not _is_shown(book, explanation.started) for book in books)
    return [f"  ({hidden} layers that hand everything on are left out)"] if hidden else []


def _conservation(explanation: Explanation) -> str:
    """Write Σ R at the input beside that at the output."""
    start, arrived = explanation.started, explanation.arrived
    error = abs(arrived - start) / abs(start) if start else math.inf
    shown = percent(error) if error < 10 else f"{number(error)} times Σ R at the output"
    return (
        f"  Σ R at the input {number(arrived)}, at the output {number(start)}: "
        f"conservation error {shown}."
    )
