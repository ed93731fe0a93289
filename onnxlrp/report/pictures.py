"""The section of the pictures: heatmaps, classes, and where relevance went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from onnxlrp.books import LayerBooks
from onnxlrp.evaluate import where_lost
from onnxlrp.explainer import Result
from onnxlrp.graph.model import Model
from onnxlrp.render.heatmap import color_limit, heatmap_rgb
from onnxlrp.render.maps import relevance_map
from onnxlrp.render.text import number, percent
from onnxlrp.report import html
from onnxlrp.report.charts import relevance_chart
from onnxlrp.report.findings import Explained, Findings
from onnxlrp.report.numbers import sums, target_label

TITLE = "Heatmaps"

BOOK_COLUMNS = ("image", "design", "layer", "rule", "arrived", "handed_on", "bias", "epsilon")
"""Of layers.csv."""

_CLASSES = 10  # that are listed
_SIDE = 240  # pixels that a small map is enlarged to


def section(findings: Findings) -> str:
    """Lay out every picture; empty without any."""
    if not findings.pictures:
        return ""
    intro = html.paragraph(
        "Red speaks for the target, blue against it, white is zero. Each map has its own scale: "
        "its strongest colour is the relevance given as limit, and what lies beyond."
    )
    parts = [part for shown in findings.pictures for part in _picture(findings, shown)]
    return html.section(TITLE, [intro, *parts])


def books_of(shown: Explained) -> dict[str, Sequence[LayerBooks]]:
    """Books, or statistics, of every design that has them."""
    kept: dict[str, Sequence[LayerBooks]] = {}
    for design, result in shown.results.items():
        books = shown.statistics.get(design, result.books)
        if books:
            kept[design] = books
    return kept


def book_rows(findings: Findings) -> Iterator[tuple[str | float, ...]]:
    """Yield the lines of layers.csv."""
    for shown in findings.pictures:
        for design, books in books_of(shown).items():
            for book in books:
                kept = (book.arrived, book.handed, book.bias, book.epsilon)
                values = (float(each.sum()) for each in kept)
                yield (shown.name, design, book.layer.name, book.rule, *values)


def class_rows(findings: Findings) -> Iterator[tuple[str, int, str, float]]:
    """Yield the lines of classes.csv: image, class, label, score, the highest score first."""
    for shown in findings.pictures:
        result = next(iter(shown.results.values()), None)
        if result is not None and result.output.ndim == 2:
            for i in np.argsort(-result.output[0], kind="stable"):
                yield shown.name, int(i), findings.model.label(int(i)), float(result.output[0, i])


def _picture(findings: Findings, shown: Explained) -> Iterator[str]:
    """Lay out one picture."""
    yield html.heading(shown.name)
    if not shown.results:
        return
    first = next(iter(shown.results.values()))
    panels = []
    if shown.picture is not None:
        caption = f"{shown.name}, as the network sees it"
        panels.append(html.picture(_enlarged(Image.fromarray(shown.picture)), caption, True))
    panels += [_heatmap(findings, design, result) for design, result in shown.results.items()]
    yield html.side_by_side(panels)
    if first.output.ndim == 2:
        yield _classes(findings.model, first)
    yield from _way_down(shown)


def _heatmap(findings: Findings, design: str, result: Result) -> str:
    """Draw one map and say what adds up."""
    model = findings.model
    values = relevance_map(model, result.relevance)
    limit = color_limit(values, findings.limit)
    started, arrived = sums(result)
    caption = (
        f"{design}: {target_label(model, result)} ({number(float(result.score[0]))}). "
        f"Limit ±{number(limit)}, Σ R {number(arrived)}"
    )
    if result.books and started:
        error = abs(arrived - started) / abs(started)
        caption += f" of {number(started)}: conservation error " + (
            percent(error) if error < 10 else f"{number(error)} times"
        )
    image = _enlarged(Image.fromarray(heatmap_rgb(values, limit or None, findings.colormap)))
    return html.picture(image, f"{caption}.", True)


def _enlarged(image: Image.Image) -> Image.Image:
    """Enlarge a small picture by a whole factor, so that browsers that smooth do no harm."""
    factor = max(1, _SIDE // max(image.size)) if max(image.size) < _SIDE // 2 else 1
    size = (image.width * factor, image.height * factor)
    return image.resize(size, Image.Resampling.NEAREST) if factor > 1 else image


def _classes(model: Model, result: Result) -> str:
    """List the classes with the highest scores; the target stands out."""
    order = np.argsort(-result.output[0], kind="stable")[:_CLASSES]
    rows = [
        (model.label(int(i)), float(v), number(float(v)))
        for i, v in zip(order, result.output[0, order], strict=True)
    ]
    marked = [row for row, i in enumerate(order) if i == result.target[0]]
    return html.bars(rows, marked)


def _way_down(shown: Explained) -> Iterator[str]:
    """Show where relevance went: a curve a design, and all books."""
    books = books_of(shown)
    if not books:
        return
    lines = [html.paragraph(f"{design}: {where_lost(kept)}") for design, kept in books.items()]
    caption = "Σ R that arrives at each layer. A step is what a layer's bias or ε kept to itself."
    parts = [html.drawing(relevance_chart(books, shown.name), caption), *lines]
    for design, kept in books.items():
        head = ("layer", "type", "rule", "arrived", "handed on", "to bias", "to ε", "other")
        rows = [_book_row(book) for book in kept]
        parts.append(
            html.folded(f"{design}, layer by layer", [html.table([head, *rows], right=range(3, 8))])
        )
    yield html.folded("Where relevance went", parts)


def _book_row(book: LayerBooks) -> tuple[str, ...]:
    """Write the books of one layer."""
    values = (book.arrived, book.handed, book.bias, book.epsilon, book.other)
    return (book.layer.name, book.layer.op, book.rule, *(number(float(v.sum())) for v in values))
