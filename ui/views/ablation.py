"""Ablation: what is silenced, what becomes of the scores, the curve, and the heatmap after it."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import panel as pn
import panel_material_ui as pmui

from onnxlrp.evaluate.scoring import SCORES

from ..components.changes import ChangesTable, number
from ..components.curves import CurveChart, Line
from ..components.heatmap import HeatMap
from ..state import Workbench
from ..state.ablation import Ablation
from ..state.analysis import Analysis
from .neurons import RANKING_WORDS, picker_view
from .parts import section, side, when
from .tables import csv_text, download_button

_MODES = {
    "Remove: they become zero": "remove",
    "Keep: all others become zero": "keep",
    "Mean: they become their channel's mean": "mean",
}
_WHAT = {"Selected": "selection", "Top of each": "top"}


def ablation_view(bench: Workbench) -> pn.Row:
    """Settings, scores before and after with the curve, and the two heatmaps."""
    ablation = Analysis.of(bench).ablation
    return pn.Row(
        side(settings_view(ablation), picker_view(ablation.neurons), width=284),
        side(scores_view(ablation), curve_view(ablation)),
        side(maps_view(ablation), width=320, edge=""),
        sizing_mode="stretch_both",
        margin=0,
        styles={"height": "100%", "overflow": "hidden"},
    )


def settings_view(ablation: Ablation) -> pn.Column:
    """Which neurons, how they are silenced, and the button that does it."""
    how = ablation.settings
    wide: dict[str, Any] = {"sizing_mode": "stretch_width", "size": "small", "margin": (4, 0)}
    fields: dict[str, Any] = {
        "what": pmui.RadioButtonGroup(options=_WHAT, value=how.what, **wide),
        "mode": pmui.Select(label="Mode", options=_MODES, value=how.mode, **wide),
        "by": pmui.Select(label="Ranking", options=RANKING_WORDS, value=how.by, **wide),
        "count": pmui.IntInput(
            label="How many of each layer", value=how.count, start=1, end=100_000, **wide
        ),
    }
    for name, field in fields.items():
        field.param.watch(lambda event, name=name: ablation.set(**{name: event.new}), "value")
    chosen = pn.pane.HTML("", sizing_mode="stretch_width", margin=0)
    start = pmui.Button(
        label="Ablate", icon="content_cut", color="primary", variant="contained", **wide
    )
    start.on_click(lambda event: ablation.run())

    def show(*events: Any) -> None:
        for name, field in fields.items():
            field.value = getattr(ablation.settings, name)
        fields["count"].visible = ablation.settings.what == "top"
        lines = [
            f"<b>{escape(layer)}</b>: {', '.join(map(str, neurons[:16]))}"
            f"{' …' if neurons[16:] else ''}"
            for layer, neurons in ablation.chosen.items()
        ]
        nothing = "No neuron is selected. Select some in the view Neurons, or take the first ones."
        chosen.object = f"<div style='font-size:12px'>{'<br>'.join(lines) or nothing}</div>"

    ablation.param.watch(show, "settings")
    ablation.neurons.param.watch(show, ["selection", "found", "layers"])
    show()
    return section("Ablation", *fields.values(), chosen, start)


def scores_view(ablation: Ablation) -> pn.Column:
    """The target's score before and after in one line, then the leading classes."""
    line = pn.pane.HTML("", sizing_mode="stretch_width", margin=0)
    classes = ChangesTable()
    file = download_button(ablation.bench, "ablation.csv", lambda: _csv(ablation))

    def show(*events: Any) -> None:
        result = ablation.result
        file.visible = result is not None
        if result is None:
            line.object = "<p>Silence neurons and see what the network then says.</p>"
            classes.show(())
            return
        target = int(result.target[0])
        every = result.top(0, result.after[0].size) if target >= 0 else ()
        own = next((change for change in every if change.index == target), None)
        before, after = float(result.score_before[0]), float(result.score_after[0])
        name = "the target" if own is None else own.label
        rank = "" if own is None else f", rank {own.rank_before} → {own.rank_after}"
        line.object = (
            f"<p style='margin:0;font-size:15px'><b>{escape(name)}</b>: {number(before)} → "
            f"<b>{number(after)}</b> ({'+' if after > before else ''}{number(after - before)}"
            f"{rank})</p>"
        )
        words = f"{result.mode}: {int(result.selected[0])} neurons of {' + '.join(result.layers)}"
        classes.show(result.top(0), target, words)

    ablation.param.watch(show, "result")
    show()
    return section("Scores before and after", line, classes.pane, tools=(file,))


def curve_view(ablation: Ablation) -> pn.Column:
    """The score as more and more neurons of a layer go, beside random orders."""
    chart = CurveChart("share of the layer's neurons that is selected", "score", height=280)
    layer = pmui.Select(
        label="Layer", options=[*ablation.neurons.layers], size="small", width=220, margin=0
    )
    score = pmui.Select(
        label="Score",
        options={name.replace("_", " "): name for name in SCORES},
        value=ablation.settings.score,
        size="small",
        width=140,
        margin=0,
    )
    start = pmui.Button(
        label="Curve", icon="show_chart", variant="outlined", size="small", margin=0
    )
    start.on_click(lambda event: ablation.follow(layer.value))
    score.param.watch(lambda event: ablation.set(score=event.new), "value")
    words = pn.pane.HTML("", sizing_mode="stretch_width", margin=0)

    def offer(*events: Any) -> None:
        layer.options = [*ablation.neurons.layers]
        start.disabled = not layer.options
        if layer.value not in layer.options and layer.options:
            layer.value = layer.options[0]

    def show(*events: Any) -> None:
        curve = ablation.curve
        chart.pane.visible = curve is not None
        if curve is None:
            words.object = "<p>Neurons go one after the other, in the order of the ranking.</p>"
            return
        random = curve.random[:, 0]
        ranked = Line(f"by {curve.ranking}", curve.fractions, curve.scores[0])
        band = random.min(axis=0), random.max(axis=0)
        mean = random.mean(axis=0)
        others = Line("random order", curve.fractions, mean, None, "dotted", *band)
        chart.show([ranked, others], f"{curve.score} of {curve.labels[0]}")
        area, by_chance = float(curve.area[0]), float(curve.random_area[:, 0].mean())
        words.object = (
            f"<p style='margin:0'>{escape(curve.layer)}, {curve.mode}: area {number(area)}, "
            f"in random order {number(by_chance)}</p>"
        )

    ablation.neurons.param.watch(offer, "layers")
    ablation.param.watch(show, "curve")
    offer()
    show()
    return section("Curve", words, chart.pane, tools=(layer, score, start))


def maps_view(ablation: Ablation) -> pn.Column:
    """The heatmap as it was, and of the ablated network, on one scale."""
    bench = ablation.bench
    before, after = (HeatMap(sizing_mode="stretch_width", margin=0) for _ in range(2))
    start = pmui.Button(
        label="Explain again",
        icon="refresh",
        variant="outlined",
        size="small",
        margin=0,
        on_click=lambda event: ablation.explain(),
    )
    words = pn.pane.HTML("", sizing_mode="stretch_width", margin=0)

    def show() -> None:
        explained = bench.explained
        if explained is None:
            return
        found = ablation.heatmap
        maps = [explained.relevance] if found is None else [explained.relevance, found]
        limit = bench.look.limit_of(*maps)
        total = explained.started
        before.draw(maps[0], bench.look, limit=limit, total=total, label="Heatmap before ablation")
        after.visible = found is not None
        if found is None:
            words.object = "<p>after: not explained yet</p>"
            return
        after.draw(found, bench.look, limit=limit, total=total, label="Heatmap after ablation")
        was, now = (number(float(np.sum(each, dtype=np.float64))) for each in maps)
        words.object = f"<p>after: Σ R at the picture {was} → {now}</p>"

    ablation.param.watch(lambda *events: show(), "heatmap")
    when(bench, ["explained", "look"], show)
    return section("Heatmap before", before, words, after, tools=(start,))


def _csv(ablation: Ablation) -> str:
    """The classes before and after, as the command line writes them."""
    result, shown = ablation.result, ablation.bench.shown
    columns = ("image", "layer", "mode", "n", "label", "before", "after")
    if result is None or shown is None:
        return csv_text(columns, ())
    names = [shown.name, *("",) * (len(result.before) - 1)]
    rows = [row for row in result.rows(names) if row.image == shown.name]
    return csv_text(columns, ([getattr(row, column) for column in columns] for row in rows))
