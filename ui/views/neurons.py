"""Neurons and layers: where relevance goes, strips and matrices of neurons, and their maps."""

from __future__ import annotations

from typing import Any

import panel as pn
import panel_material_ui as pmui

from ..components.layers_chart import LayersChart
from ..components.neurons import NeuronPlot
from ..state import Workbench
from ..state.analysis import Analysis
from ..state.neurons import RANKINGS, LayerNeurons, Neurons
from .gallery import gallery_view
from .neuron_table import neuron_tables
from .parts import section, side

RANKING_WORDS = {
    "R⁺, highest first": "positive",
    "R⁻, lowest first": "negative",
    "|R|, highest first": "absolute",
    "R, highest first": "relevance",
    "mean activation": "activation",
}


def neurons_view(bench: Workbench) -> pn.Row:
    """Layers and selection at the left, the neurons, and the maps of those selected."""
    neurons = Analysis.of(bench).neurons
    return pn.Row(
        side(picker_view(neurons), selection_view(neurons), width=284),
        side(layers_view(neurons), plots_view(neurons), neuron_tables(neurons)),
        side(gallery_view(neurons), width=340, edge=""),
        sizing_mode="stretch_both",
        margin=0,
        styles={"height": "100%", "overflow": "hidden"},
    )


def picker_view(neurons: Neurons) -> pn.Column:
    """Which layers are looked at."""
    choice = pmui.MultiChoice(
        label="Layers",
        options=[*neurons.choices],
        value=[*neurons.layers],
        searchable=True,
        sizing_mode="stretch_width",
        margin=(4, 0),
    )

    def follow(*events: Any) -> None:
        choice.param.update(options=[*neurons.choices], value=[*neurons.layers])

    choice.param.watch(lambda event: neurons.look_at(event.new), "value")
    neurons.param.watch(follow, "layers")
    return section("Layers", choice)


def selection_view(neurons: Neurons) -> pn.Column:
    """What is selected, the first ones of a ranking, and what can be done with them."""
    wide: dict[str, Any] = {"sizing_mode": "stretch_width", "size": "small", "margin": (4, 0)}
    by = pmui.Select(label="Ranking", options=RANKING_WORDS, value=RANKINGS[1], **wide)
    count = pmui.IntInput(label="How many", value=5, start=1, end=100_000, **wide)
    summary = pn.pane.HTML("", sizing_mode="stretch_width", margin=0)

    def take(event: Any) -> None:
        for layer in neurons.layers:
            neurons.select_top(layer, count.value or 0, by.value)

    def ablate(event: Any) -> None:
        neurons.bench.place = "ablation"
        ablation = Analysis.of(neurons.bench).ablation
        ablation.set(what="selection")
        ablation.run()

    top = pmui.Button(label="Select the first ones", variant="outlined", on_click=take, **wide)
    clear = pmui.Button(label="Select none", variant="text", **wide)
    clear.on_click(lambda event: setattr(neurons, "selection", {}))
    act = pmui.Button(
        label="Ablate them", icon="content_cut", color="primary", variant="contained", **wide
    )
    act.on_click(ablate)

    def show(*events: Any) -> None:
        act.disabled = clear.disabled = not neurons.selected
        lines = [
            f"<b>{layer}</b>: {', '.join(map(str, chosen[:12]))}{' …' if chosen[12:] else ''}"
            for layer, chosen in neurons.selection.items()
        ]
        nothing = "Drag over a strip, click squares, or take the first ones of a ranking."
        summary.object = f"<div style='font-size:12px'>{'<br>'.join(lines) or nothing}</div>"

    neurons.param.watch(show, "selection")
    show()
    return section("Selection", summary, by, count, top, clear, act)


def layers_view(neurons: Neurons) -> pn.Column:
    """The chart of layers, and in words where relevance is lost."""
    chart = LayersChart(lambda name: neurons.look_at({*neurons.layers, name}))
    words = pn.pane.HTML("", sizing_mode="stretch_width", margin=0)
    kind = pmui.RadioButtonGroup(
        options={"Relevance": False, "Entropy": True}, value=False, size="small", margin=0
    )

    def show(*events: Any) -> None:
        words.object = f"<p style='margin:0;font-size:13px'>{_sentence(neurons)}</p>"
        chart.pane.visible = bool(neurons.statistics)
        if neurons.statistics:
            chart.show(neurons.statistics, neurons.lost, kind.value)

    neurons.param.watch(show, "statistics")
    kind.param.watch(show, "value")
    show()
    return section("Where relevance goes, from the picture up", words, chart.pane, tools=(kind,))


def plots_view(neurons: Neurons) -> pn.Column:
    """Strips and a matrix for every layer that is looked at; kept as long as it is."""
    plots: dict[str, NeuronPlot] = {}
    column = pn.Column(sizing_mode="stretch_width", margin=0, styles={"gap": "16px"})

    def plot_of(layer: str) -> NeuronPlot:
        if layer not in plots:
            plots[layer] = NeuronPlot(layer=layer, sizing_mode="stretch_width", margin=0)
            plots[layer].param.watch(lambda event: neurons.select(layer, event.new), "selected")
        return plots[layer]

    def show(*events: Any) -> None:
        there = [name for name in neurons.layers if name in neurons.found]
        for name in there:
            plot_of(name).neurons = _numbers(neurons.found[name])
        wanted = [plot_of(name) for name in there]
        if list(column) != wanted:
            column.objects = wanted
        select()

    def select(*events: Any) -> None:
        for name, plot in plots.items():
            chosen = list(neurons.selection.get(name, ()))
            if plot.selected != chosen:
                plot.selected = chosen

    neurons.param.watch(show, ["found", "layers"])
    neurons.param.watch(select, "selection")
    show()
    return section("Neurons", column)


def _numbers(found: LayerNeurons) -> dict[str, list[float]]:
    """What the plot of one layer takes."""
    return {key: found.table[key].tolist() for key in ("positive", "negative", "activation")}


def _sentence(neurons: Neurons) -> str:
    """Where relevance is lost, and that the chart marks it."""
    if not neurons.statistics:
        return "Summing up the layers …"
    marked = " It is marked in the chart; a click on a layer looks at its neurons."
    return neurons.where_lost + (marked if neurons.lost is not None else "")
