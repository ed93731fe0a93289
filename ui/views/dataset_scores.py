"""Scores of a data set: distribution and table by picture, ranking, and paired differences."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui

from onnxlrp.evaluate.metrics import better

from ..components.changes import number
from ..components.distribution import Distribution
from ..state.dataset import DataSet, ScoreTable
from .parts import section
from .tables import csv_text, download_button, number_table

_EMPTY = (
    "Name a folder of pictures and start: every design of the session is judged on each of them. "
    "A run can be stopped and resumed; it writes the same files as <code>onnxlrp evaluate</code>."
)


def scores_view(dataset: DataSet) -> pn.Column:
    """The scores under one metric: how they spread, and of each picture; a click opens one."""
    metric = pmui.Select(label="Metric", options=[], size="small", width=190, margin=0)
    chart = Distribution()
    hint = pn.pane.HTML(f"<p>{_EMPTY}</p>", sizing_mode="stretch_width", margin=0)
    table = number_table(
        pd.DataFrame({"picture": []}), (), height=420, pagination=None, selectable=1
    )
    file = download_button(dataset.bench, "scores.csv", lambda: _csv(dataset))
    rows = section("Pictures: a click opens one in the designer", table)

    def show(*events: Any) -> None:
        found = dataset.table
        hint.visible = found is None
        for part in (chart.pane, rows, file, metric):
            part.visible = found is not None
        if found is None:
            return
        if metric.options != [*found.metrics]:
            metric.param.update(options=[*found.metrics], value=found.metrics[0])
        draw()

    def draw(*events: Any) -> None:
        found = dataset.table
        if found is None or metric.value not in found.metrics:
            return
        values = found.of_metric(metric.value)
        chart.show(found.designs, values, found.images, _label(metric.value, dataset))
        frame = pd.DataFrame(values, columns=[*found.designs], dtype=object)
        frame = frame.where(np.isfinite(values), None)
        frame.insert(0, "picture", [*found.images])
        if list(table.value.columns) != list(frame.columns):
            right = _right(found)
            table.param.update(formatters=_formats(found), text_align=right, header_align=right)
        table.value = frame

    table.on_click(lambda event: dataset.open_picture(str(table.value["picture"].iloc[event.row])))
    dataset.param.watch(show, "table")
    metric.param.watch(draw, "value")
    show()
    return section("Scores", hint, chart.pane, rows, tools=(metric, file))


def ranking_view(dataset: DataSet) -> pn.Column:
    """Which design is best, how sure that is, and paired differences to one of them."""
    words = pn.pane.HTML("", sizing_mode="stretch_width", margin=0)
    columns = ["#", "design", "mean", "behind", "from", "to"]
    widths = {"#": 40, "mean": 64, "behind": 68, "from": 64, "to": 64}
    table = number_table(pd.DataFrame(columns=columns), columns[2:], precision=3, widths=widths)
    metric = pmui.Select(label="Metric", options=[], size="small", width=170, margin=0)
    reference = pmui.Select(label="Reference", options=[], size="small", width=170, margin=0)
    chart = Distribution("difference to the reference", zero=True)
    pairs = pn.pane.HTML("", sizing_mode="stretch_width", margin=0)
    differences = section("Paired differences", pairs, chart.pane, tools=(reference,))

    def show(*events: Any) -> None:
        found, ranking = dataset.table, dataset.ranking
        several = found is not None and len(found.designs) > 1
        differences.visible = several
        table.visible = metric.visible = ranking is not None
        if found is None:
            words.object = "<p>The ranking follows with the first scores.</p>"
            return
        if reference.options != [*found.designs]:
            reference.param.update(options=[*found.designs], value=found.designs[0])
        if ranking is None:
            words.object = "<p>One design alone has no rank: add another in the view Design.</p>"
        elif metric.options != [*ranking.metrics]:
            metric.param.update(options=[*ranking.metrics], value=ranking.metrics[0])
        draw()

    def draw(*events: Any) -> None:
        found, ranking = dataset.table, dataset.ranking
        if ranking is not None and metric.value in ranking.metrics:
            words.object = f"<p style='margin:0'>{escape(ranking.statement(metric.value))}</p>"
            rows = [
                [r.place, r.design, r.mean, r.behind, r.behind_low, r.behind_high]
                for r in ranking.of(metric.value)
            ]
            table.value = pd.DataFrame(rows, columns=columns)
        if found is not None and len(found.designs) > 1 and reference.value in found.designs:
            _draw_differences(found, metric.value, reference.value, chart, pairs)

    dataset.param.watch(show, ["table", "ranking"])
    metric.param.watch(draw, "value")
    reference.param.watch(draw, "value")
    show()
    return pn.Column(
        section("Ranking", words, table, tools=(metric,)),
        differences,
        margin=0,
        sizing_mode="stretch_width",
        styles={"gap": "18px"},
    )


def _draw_differences(
    found: ScoreTable, metric: str, reference: str, chart: Distribution, pairs: Any
) -> None:
    """The differences of all designs to the reference, under the metric or else the first one."""
    chosen = metric if metric in found.metrics else found.metrics[0]
    others = [name for name in found.designs if name != reference]
    made = {name: found.differences(chosen, name, reference) for name in others}
    values = np.stack([each.values for each in made.values()], axis=1)
    numbers = [found.designs.index(name) for name in others]
    label = f"{chosen}: more than {reference}"
    chart.show(others, values, found.images, label, numbers)
    lines = [
        f"<b>{escape(name)}</b> − {escape(reference)}: {number(each.mean)} "
        f"({number(each.low)} to {number(each.high)})"
        for name, each in made.items()
    ]
    words = f"{chosen}, mean over the pictures with its 95 % interval:"
    pairs.object = f"<div style='font-size:12px'>{words}<br>{'<br>'.join(lines)}</div>"


def _label(metric: str, dataset: DataSet) -> str:
    """The metric, and which way it is better."""
    assert dataset.evaluation is not None  # there is a table of it
    way = better(metric, dataset.evaluation.settings.flipping.score)
    return metric if way == "neither" else f"{metric} ({way} is better)"


def _formats(found: ScoreTable) -> dict[str, Any]:
    """Numbers of the table's columns."""
    return {name: {"type": "money", "precision": 4, "thousand": ""} for name in found.designs}


def _right(found: ScoreTable) -> dict[str, str]:
    return dict.fromkeys(found.designs, "right")


def _csv(dataset: DataSet) -> str:
    """The scores, as the command line writes them."""
    rows = [] if dataset.evaluation is None else dataset.evaluation.scores()
    columns = ("image", "design", "metric", "value")
    return csv_text(columns, ((r.image, r.design, r.metric, r.value) for r in rows))
