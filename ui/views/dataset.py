"""A data set: start, watch and resume a run, and see which design is better, picture by picture."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Any

import panel as pn
import panel_material_ui as pmui

from onnxlrp.evaluate.metrics import METRICS
from onnxlrp.evaluate.scoring import SCORES

from ..state import Workbench
from ..state.analysis import Analysis
from ..state.dataset import DataSet
from .dataset_scores import ranking_view, scores_view
from .flipping_curves import FILLS
from .parts import section, side, stop_button

_UNITS = {"4 × 4 pixels": 4, "8 × 8 pixels": 8, "16 × 16 pixels": 16, "32 × 32 pixels": 32}


def dataset_view(bench: Workbench) -> pn.Row:
    """What is judged, the scores of every picture, and the ranking."""
    dataset = Analysis.of(bench).dataset
    return pn.Row(
        side(run_view(dataset), how_view(dataset), width=284),
        side(scores_view(dataset)),
        side(ranking_view(dataset), failures_view(dataset), width=420, edge=""),
        sizing_mode="stretch_both",
        margin=0,
        styles={"height": "100%", "overflow": "hidden"},
    )


def run_view(dataset: DataSet) -> pn.Column:
    """Where the pictures are, where results go, and the run itself."""
    wide: dict[str, Any] = {"sizing_mode": "stretch_width", "size": "small", "margin": (4, 0)}
    source = pmui.TextInput(
        label="Pictures: a folder, .csv or .npz",
        placeholder="/data/pictures",
        value=dataset.source,
        **wide,
    )
    output = pmui.TextInput(
        label="Results folder",
        placeholder="kept by the designer",
        value=dataset.output,
        **wide,
    )
    source.param.watch(lambda event: setattr(dataset, "source", event.new), "value")
    output.param.watch(lambda event: setattr(dataset, "output", event.new), "value")
    start = pmui.Button(
        label="Start or resume", icon="play_arrow", color="primary", variant="contained", **wide
    )
    start.on_click(lambda event: dataset.start())
    stop = stop_button(dataset.cancel)
    again = pmui.Button(label="Start anew, replace results", variant="text", **wide)
    again.on_click(lambda event: dataset.start("replace"))
    opened = pmui.Button(label="Open these results", variant="outlined", **wide)
    opened.on_click(lambda event: dataset.open(output.value_input or output.value))
    bar = pmui.LinearProgress(
        value=0, variant="determinate", sizing_mode="stretch_width", margin=(6, 0, 0, 0)
    )
    line = pn.pane.HTML("", sizing_mode="stretch_width", margin=0)
    jobs = dataset.bench.jobs

    def show(*events: Any) -> None:
        start.disabled = again.disabled = opened.disabled = dataset.running
        stop.visible = bar.visible = dataset.running
        opened.disabled = dataset.running or not dataset.output.strip()
        done = 0 if dataset.evaluation is None else dataset.evaluation.images
        line.object = f"<div style='font-size:12px'>{escape(_progress(dataset, done))}</div>"

    def follow(*events: Any) -> None:
        if dataset.running:
            bar.value = round(100 * jobs.fraction)
            line.object = f"<div style='font-size:12px'>{escape(jobs.stage or jobs.title)}</div>"

    dataset.param.watch(show, ["running", "evaluation", "output"])
    jobs.param.watch(follow, ["stage", "fraction"])
    show()
    return section(
        "Data set", source, output, pn.Row(start, stop, margin=0), bar, line, opened, again
    )


def how_view(dataset: DataSet) -> pn.Column:
    """What is measured, of which class, and how pixels are flipped."""
    wide: dict[str, Any] = {"sizing_mode": "stretch_width", "size": "small", "margin": (4, 0)}
    metrics = pmui.MultiChoice(
        label="Metrics",
        options=[*METRICS],
        value=[*dataset.metrics],
        sizing_mode="stretch_width",
        margin=(4, 0),
    )
    target = pmui.TextInput(label="Target: top1, a class, or label", value=dataset.target, **wide)
    how = dataset.flipping
    fields: dict[str, Any] = {
        "unit": pmui.Select(label="Region", options=_UNITS, value=how.unit, **wide),
        "fill": pmui.Select(
            label="Flipped pixels become", options=[*FILLS], value=how.fill, **wide
        ),
        "steps": pmui.IntInput(label="Steps", value=how.steps, start=1, end=1000, **wide),
        "score": pmui.Select(
            label="Score",
            options={name.replace("_", " "): name for name in SCORES},
            value=how.score,
            **wide,
        ),
    }
    metrics.param.watch(lambda event: setattr(dataset, "metrics", tuple(event.new)), "value")
    target.param.watch(lambda event: setattr(dataset, "target", event.new.strip()), "value")
    for name, field in fields.items():
        field.param.watch(
            lambda event, name=name: setattr(
                dataset, "flipping", replace(dataset.flipping, **{name: event.new})
            ),
            "value",
        )
    return section("What is measured", metrics, target, *fields.values())


def failures_view(dataset: DataSet) -> pn.Column:
    """The pictures that could not be judged, and why."""
    pane = pn.pane.HTML("", sizing_mode="stretch_width", margin=0)

    def show(*events: Any) -> None:
        lines = "".join(
            f"<li><b>{escape(f.image)}</b>: {escape(f.reason)}</li>" for f in dataset.failures[:50]
        )
        pane.object = f"<ul style='font-size:12px;padding-left:16px;margin:0'>{lines}</ul>"
        whole.visible = bool(dataset.failures)

    whole = section("Pictures that failed", pane)
    dataset.param.watch(show, "failures")
    show()
    return whole


def _progress(dataset: DataSet, done: int) -> str:
    """How far the run is."""
    if dataset.running:
        return "Starting …"
    if not done:
        return "Every design on the screen is judged on the same pictures."
    return f"{done} pictures judged, {len(dataset.failures)} of them failed."
