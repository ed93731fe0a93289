"""The neurons of the layers as tables: the same numbers, and the same selection."""

from __future__ import annotations

from typing import Any

import pandas as pd
import panel as pn
import panel_material_ui as pmui

from ..state.neurons import LayerNeurons, Neurons
from .parts import section
from .tables import csv_text, download_button, number_table

_COLUMNS = {
    "channel": "neuron",
    "positive": "R⁺",
    "negative": "R⁻",
    "relevance": "R",
    "activation": "mean activation",
    "maximum": "maximum",
}


def neuron_tables(neurons: Neurons) -> pn.Column:
    """A table of one layer; rows that are selected are selected neurons."""
    choice = pmui.Select(
        label="Layer", options=[*neurons.layers], size="small", width=230, margin=0
    )
    table = number_table(
        pd.DataFrame(columns=[*_COLUMNS.values()]),
        [*_COLUMNS.values()][1:],
        selectable="checkbox",
        disabled=False,
        editors=dict.fromkeys(_COLUMNS.values()),
        # The browser gets one page: it takes seconds over hundreds of selected rows.
        pagination="remote",
        page_size=10,
    )
    file = download_button(neurons.bench, "neurons.csv", lambda: _csv(neurons))
    opened = pmui.Switch(label="Show", value=False, size="small", margin=0)
    box = pn.Column(
        pn.Row(choice, file, margin=0), table, margin=0, sizing_mode="stretch_width", visible=False
    )
    opened.param.watch(lambda event: setattr(box, "visible", event.new), "value")
    showing = False

    def fill(*events: Any) -> None:
        there = [name for name in neurons.layers if name in neurons.found]
        choice.options = there
        if choice.value not in there and there:
            choice.value = there[0]
        found = neurons.found.get(choice.value)
        if found is not None:
            table.value = pd.DataFrame({w: found.table[key] for key, w in _COLUMNS.items()})
        follow()

    def follow(*events: Any) -> None:
        nonlocal showing
        chosen = list(neurons.selection.get(choice.value, ()))
        if table.selection != chosen:
            showing = True
            table.selection = chosen
            showing = False

    def pick(event: Any) -> None:
        if not showing and choice.value:
            neurons.select(choice.value, event.new)

    neurons.param.watch(fill, ["found", "layers"])
    neurons.param.watch(follow, "selection")
    choice.param.watch(fill, "value")
    table.param.watch(pick, "selection")
    fill()
    return section("The same neurons as a table", box, tools=(opened,))


def _csv(neurons: Neurons) -> str:
    """All neurons that are looked at, in the columns of the command line's neurons.csv."""
    shown = neurons.bench.shown
    name = shown.name if shown is not None else ""
    keys = ("channel", "relevance", "positive", "negative", "absolute", "activation")
    found: list[LayerNeurons] = [neurons.found[n] for n in neurons.layers if n in neurons.found]
    rows = (
        (name, each.layer, *(neuron[key].item() for key in keys))
        for each in found
        for neuron in each.table
    )
    return csv_text(("image", "layer", *keys), rows)
