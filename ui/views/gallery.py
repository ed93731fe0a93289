"""Relevance and activation of the selected neurons, as small maps."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import panel as pn

from onnxlrp.render.heatmap import heatmap_rgb

from ..components.changes import number
from ..state import Look
from ..state.neurons import LayerNeurons, Neurons
from .images import picture_url
from .parts import section, when

MOST = 24
"""Neurons whose maps are shown; more are told."""

_STYLE = """
:host { margin: 0; }
h3 { margin: 4px 0 6px; font-size: 12px; font-weight: 600; }
.neurons { display: grid; grid-template-columns: repeat(auto-fill, minmax(146px, 1fr)); gap: 10px; }
figure { margin: 0; }
figure div { display: grid; grid-template-columns: 1fr 1fr; gap: 4px; }
img { width: 100%; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated;
  border: 1px solid var(--lrp-line); border-radius: 4px; background: #fff; }
figcaption { font-size: 11px; color: var(--lrp-faint); font-variant-numeric: tabular-nums; }
p { font-size: 12px; color: var(--lrp-faint); }
"""


def gallery_view(neurons: Neurons) -> pn.Column:
    """A pair of maps for each selected neuron, the most relevant first."""
    pane = pn.pane.HTML("", stylesheets=[_STYLE], sizing_mode="stretch_width", margin=0)

    def show() -> None:
        parts = [
            _layer(neurons.found[name], chosen, neurons.bench.look)
            for name, chosen in neurons.selection.items()
            if name in neurons.found
        ]
        nothing = "<p>Select neurons to see where they are relevant, and where active.</p>"
        pane.object = "".join(parts) or nothing

    neurons.param.watch(lambda *events: show(), ["selection", "found"])
    when(neurons.bench, ["look"], show)
    return section("Maps of the selected neurons", pane)


def _layer(found: LayerNeurons, chosen: tuple[int, ...], look: Look) -> str:
    """The neurons of one layer, on one scale."""
    order = sorted(chosen, key=lambda i: -found.table["positive"][i])
    maps = {i: found.maps(i) for i in order[:MOST]}
    limit = look.limit_of(*(relevance for relevance, _ in maps.values()))
    highest = max((float(np.abs(activation).max()) for _, activation in maps.values()), default=1)
    cells = []
    for i, (relevance, activation) in maps.items():
        red = picture_url(heatmap_rgb(look.signed(relevance), limit, look.colormap))
        grey = picture_url(_grey(activation, highest or 1.0))
        row = found.table[i]
        numbers = f"R {number(row['relevance'])} · a {number(row['activation'])}"
        cells.append(
            f'<figure><div><img src="{red}" alt="Relevance of neuron {i}">'
            f'<img src="{grey}" alt="Activation of neuron {i}"></div>'
            f"<figcaption><b>{i}</b> {numbers}</figcaption></figure>"
        )
    more = len(order) - MOST
    rest = f"<p>and {more} more</p>" if more > 0 else ""
    heading = f"<h3>{escape(found.layer)}: relevance, activation</h3>"
    grid = '<div class="neurons" tabindex="0" role="group" aria-label="Maps">'
    return f"{heading}{grid}{''.join(cells)}</div>{rest}"


def _grey(activation: Any, highest: float) -> Any:
    """An activation map: black is 0, white the highest one; below 0 it is blue."""
    share = np.clip(activation / highest, -1.0, 1.0)
    grey = np.stack([share, share, np.abs(share)], axis=-1).clip(0.0)
    return np.rint(255.0 * grey).astype(np.uint8)
