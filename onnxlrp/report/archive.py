"""The archive: the page, and every picture, drawing and number by itself."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from onnxlrp.composites.files import as_yaml
from onnxlrp.evaluate import AblationCurve, AblationRow, CurveRow, NeuronRow, RankRow, ScoreRow
from onnxlrp.files import whole_file
from onnxlrp.render.figure import figure
from onnxlrp.render.maps import relevance_map
from onnxlrp.render.names import as_file_name, distinct
from onnxlrp.render.scene import Scene
from onnxlrp.render.text import number
from onnxlrp.report import ablations, designs, pictures
from onnxlrp.report.charts import ablation_chart, curves_of, flipping_chart, relevance_chart
from onnxlrp.report.findings import Explained, Findings
from onnxlrp.report.numbers import numbers, target_label
from onnxlrp.report.page import report_page
from onnxlrp.report.provenance import settings_of
from onnxlrp.report.tables import csv_text, rows_text

_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of every file: the same findings make the same archive


def report_archive(findings: Findings) -> bytes:
    """Pack all findings into a ZIP: report.html, CSV, PNG, SVG, NPZ, and the designs as YAML.

    ====================================  ========================================================
    report.html, settings.json            the page; all that results depend on
    designs/NAME.yaml, NAME_rules.csv     what ``Composite.load`` reads; the rule of every layer
    heatmaps/PICTURE_DESIGN.png, .npz     the map; relevance, x, target, output, metadata
    classes.csv, layers.csv               scores of all classes; where relevance went
    relevance/PICTURE.svg, .png           Σ R down the network
    curves.csv, scores.csv, curves.svg    pixel flipping
    ablation.csv, neurons.csv, …          ablations, and the neurons by rank
    ranking.csv                           the designs by place
    ====================================  ========================================================

    What was not found is left out.

    Parameters
    ----------
    findings : Findings

    Returns
    -------
    bytes
        Of a ZIP file; the same findings give the same bytes.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _files(findings):
            entry = zipfile.ZipInfo(name, _FIRST_DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return packed.getvalue()


def save_report(
    findings: Findings, folder: str | os.PathLike[str], name: str = "report"
) -> list[Path]:
    """Write NAME.html and NAME.zip into a folder, both or none.

    Raises
    ------
    OutputError
        The place cannot be written to.
    """
    contents = {".html": report_page(findings).encode(), ".zip": report_archive(findings)}
    paths = [Path(folder, f"{name}{suffix}") for suffix in contents]
    with ExitStack() as unfinished:
        for path, content in zip(paths, contents.values(), strict=True):
            unfinished.enter_context(whole_file(path)).write_bytes(content)
    return paths


def _files(findings: Findings) -> Iterator[tuple[str, str | bytes]]:
    """Yield every file of the archive."""
    yield "report.html", report_page(findings)
    yield "settings.json", json.dumps(settings_of(findings), indent=2, ensure_ascii=False) + "\n"
    stems = distinct(map(as_file_name, findings.designs))
    for stem, composite in zip(stems, findings.designs.values(), strict=True):
        yield f"designs/{stem}.yaml", as_yaml(composite.to_dict())
        rules = designs.rule_rows(findings.model, composite)
        yield f"designs/{stem}_rules.csv", csv_text(designs.RULE_COLUMNS, rules)
    if findings.pictures:
        yield from _explained(findings)
    yield from _tables(findings)
    yield from _drawings(findings)


def _explained(findings: Findings) -> Iterator[tuple[str, str | bytes]]:
    """Yield heatmaps and their numbers, classes and books."""
    pairs = [(shown, design) for shown in findings.pictures for design in shown.results]
    stems = distinct(as_file_name(f"{shown.name}_{design}") for shown, design in pairs)
    for stem, (shown, design) in zip(stems, pairs, strict=True):
        yield f"heatmaps/{stem}.png", _heatmap(findings, shown, design)
        result = shown.results[design]
        arrays: dict[str, Any] = numbers(findings.model, result, shown.x, shown.name)
        content = io.BytesIO()
        np.savez_compressed(content, **arrays)
        yield f"heatmaps/{stem}.npz", content.getvalue()
    columns = ("image", "class", "label", "score")
    yield "classes.csv", csv_text(columns, pictures.class_rows(findings))
    yield "layers.csv", csv_text(pictures.BOOK_COLUMNS, pictures.book_rows(findings))


def _tables(findings: Findings) -> Iterator[tuple[str, str]]:
    """Yield the tables of what was measured; their columns are those of the command line."""
    flipped, evaluation = findings.flipping, findings.evaluation
    if flipped is not None:
        yield "curves.csv", csv_text(_columns(CurveRow), (row.values() for row in flipped.rows()))
        scores = (row.values() for row in flipped.score_rows())
        yield "scores.csv", csv_text(_columns(ScoreRow), scores)
    if evaluation is not None:
        place = "evaluation/" if flipped is not None else ""
        yield f"{place}curves.csv", rows_text(CurveRow, evaluation.curves())
        yield f"{place}scores.csv", rows_text(ScoreRow, evaluation.scores())
    if findings.ranking is not None:
        yield "ranking.csv", rows_text(RankRow, findings.ranking.rows)
    if findings.ablations:
        rows = [row for each in findings.ablations for row in ablations.ablation_rows(each)]
        yield "ablation.csv", rows_text(AblationRow, rows)
        neurons = [row for each in findings.ablations for row in ablations.neuron_rows(each)]
        yield "neurons.csv", rows_text(NeuronRow, neurons)


def _drawings(findings: Findings) -> Iterator[tuple[str, str | bytes]]:
    """Yield every drawing, as SVG and as PNG."""
    for stem, scene in _scenes(findings):
        yield f"{stem}.svg", scene.svg()
        content = io.BytesIO()
        scene.image().save(content, "PNG")
        yield f"{stem}.png", content.getvalue()


def _heatmap(findings: Findings, shown: Explained, design: str) -> bytes:
    """Draw one map with its colour bar, beside the picture."""
    result = shown.results[design]
    label = target_label(findings.model, result)
    drawn = figure(
        relevance_map(findings.model, result.relevance),
        picture=shown.picture,
        title=f"{shown.name}: {label} ({number(float(result.score[0]))}), {design}",
        limit=findings.limit,
        colormap_name=findings.colormap,
    )
    content = io.BytesIO()
    drawn.save(content, "PNG")
    return content.getvalue()


def _columns(row: type[Any]) -> list[str]:
    """Columns of a table whose lines are of this class."""
    return [field.name for field in fields(row)]


def _scenes(findings: Findings) -> Iterator[tuple[str, Scene]]:
    """Yield the drawings by name."""
    flipped, evaluation = findings.flipping, findings.evaluation
    if flipped is not None:
        yield "curves", flipping_chart(curves_of(flipped), flipped.score, len(flipped.images))
    elif evaluation is not None and (means := curves_of(evaluation)):
        good = evaluation.images - len(list(evaluation.failures()))
        yield "curves", flipping_chart(means, evaluation.settings.flipping.score, good)
    stems = distinct(as_file_name(shown.name) for shown in findings.pictures)
    for stem, shown in zip(stems, findings.pictures, strict=True):
        if books := pictures.books_of(shown):
            yield f"relevance/{stem}", relevance_chart(books, shown.name)
    curves = [each for each in findings.ablations if isinstance(each.found, AblationCurve)]
    stems = distinct(as_file_name(f"ablation_{'_'.join(each.images)}") for each in curves)
    for stem, each in zip(stems, curves, strict=True):
        assert isinstance(each.found, AblationCurve)
        yield stem, ablation_chart([each.found], len(each.images))
