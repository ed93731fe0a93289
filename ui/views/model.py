"""The model in three synchronised views over one selection: segments, graph, table."""

from __future__ import annotations

from collections.abc import Callable

import panel as pn
from panel.viewable import Viewable, Viewer

from ..components.choices import Choices
from ..state import Workbench
from .graph import GraphView
from .layers_table import LayersTable
from .ruler import RulerView

_WAYS: dict[str, tuple[str, str, Callable[[Workbench], Viewer]]] = {
    "segments": ("Segments", "Runs of layers with one rule, and what they do", RulerView),
    "graph": ("Graph", "The network with its branches", GraphView),
    "layers": ("Layers", "A table of all layers", LayersTable),
}


def model_view(bench: Workbench) -> Viewable:
    """The three views; each is built when it is first looked at, and then kept."""
    ways = Choices(
        options=[{"key": k, "label": label, "title": t} for k, (label, t, _) in _WAYS.items()],
        chosen="segments",
        width=260,
        margin=0,
    )
    area = pn.Column(sizing_mode="stretch_both", margin=0, styles={"flex": "1 1 0"})
    built: dict[str, Viewable] = {}

    def show(kind: str, key: str) -> None:
        if key not in built:
            built[key] = _WAYS[key][2](bench).__panel__()
            area.append(built[key])
        for name, view in built.items():
            view.visible = name == key
        ways.chosen = key

    ways.on_gesture(show)
    show("choose", "segments")
    return pn.Column(
        ways, area, sizing_mode="stretch_both", margin=0, styles={"gap": "8px", "height": "100%"}
    )
